"""What `wort doctor` finds out of order in a home, and with --repair mends, saying what it did."""

import stat
from collections.abc import Iterator

from wort_cli.commands.shared import render
from wort_cli.errors import WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.upkeep.inconsistency import Inconsistency
from wort_cli.upkeep.ledger_checks import ledger_inconsistencies
from wort_cli.upkeep.leftovers import clear, leftovers, names_in
from wort_cli.upkeep.replace_ledger import damage, replace_ledger
from wort_cli.upkeep.store_checks import StoreCheck

REPAIR = "`wort doctor --repair`"
Record = tuple[str, str, str, str]
"""The state, what it is about, the detail, how to mend it."""


def mend_ledger_file(settings: Settings) -> Iterator[Record]:
    """Replace a ledger whose file is damaged; WortError if a daemon runs."""
    if damage(settings):
        for said in replace_ledger(settings):
            yield "mended", "ledger", said, ""


def look_over(settings: Settings, *, repair: bool, full: bool) -> Iterator[Record]:
    """All that is out of order in a home that has a ledger; one that can't be read is told of elsewhere."""
    if not settings.ledger_file.exists() and not (repair and names_in(settings.store_dir)):
        if names_in(settings.store_dir):
            yield "warning", "ledger", "there is none, but there are signatures", REPAIR
        return
    ledger = Ledger(settings.ledger_file)
    try:
        ailments = (
            *permissions(settings),
            *ledger_inconsistencies(ledger),
            *StoreCheck(ledger, settings.store_dir, full=full).ailments(),
        )
        for ailment in ailments:
            yield told(ailment, repair=repair)
        for found in leftovers(ledger, settings):
            if found is None:
                continue
            if not repair:
                yield "warning", "left over", f"{found.path}: {found.why}", f"{REPAIR}, or the daemon, in a while"
            elif found.remove():
                yield "mended", "left over", f"removed {found.path}: {found.why}", ""
        if repair:
            for _ in clear(settings):
                pass
        elif not ailments:
            yield "ok", "store", f"{render.count(ledger.catalog.count(), 'signature')}, as they are recorded", ""
    except WortError as error:
        yield "problem", "ledger", error.sentence, error.hint
    finally:
        ledger.close()


def told(ailment: Inconsistency, *, repair: bool) -> Record:
    """An ailment as a finding; with `repair` it is mended first, if it can be."""
    state = "warning" if ailment.harmless else "problem"
    if ailment.mend is None or not repair:
        return state, ailment.what, ailment.detail, REPAIR if ailment.mend else ailment.hint
    try:
        return "mended", ailment.what, ailment.mend(), ""
    except (WortError, OSError) as error:
        return "problem", ailment.what, f"{ailment.detail}; it can't be mended: {error}", ailment.hint


def permissions(settings: Settings) -> Iterator[Inconsistency]:
    """Files that others than their owner may read or write."""
    for path in (settings.ledger_file, settings.queue_file, settings.lock_file):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:

            def close(path=path) -> str:  # type: ignore[no-untyped-def]
                path.chmod(0o600)
                return f"made {path} readable for its owner only"

            yield Inconsistency(str(path), "others may read or write it", close)
