"""Finds inconsistencies in a home for `wort doctor`; with --repair, repairs them and reports what it did."""

import os
import stat
from collections.abc import Iterator

from wort_cli.commands.shared.checking.finding import Finding
from wort_cli.commands.shared.showing import render
from wort_cli.errors import WortError, cause_of
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.home_paths import HomePaths
from wort_cli.reading.limits import ReadLimits
from wort_cli.settings import Settings
from wort_cli.system.private_files import not_ours, take_write_permission
from wort_cli.upkeep.inconsistency import Inconsistency
from wort_cli.upkeep.ledger_checks import ledger_inconsistencies
from wort_cli.upkeep.leftovers import finish_removals, leftovers, names_in
from wort_cli.upkeep.replace_ledger import find_damage, replace_ledger
from wort_cli.upkeep.store_checks import StoreCheck

REPAIR = "`wort doctor --repair`"


def repair_ledger_file(settings: Settings) -> Iterator[Finding]:
    """Replace a ledger whose file is damaged; WortError if a daemon is running."""
    if find_damage(settings):
        for action in replace_ledger(settings):
            yield Finding("repaired", "ledger", action)


def check_permissions(paths: HomePaths, *, repair: bool) -> Iterator[Finding]:
    """Yield the files and directories of a home that others own or can write, or what was repaired.

    Permissions are repaired only if the file belongs to this user.
    """
    workspaces = [paths.work_dir / name for name in names_in(paths.work_dir)]
    for path, why in list(not_ours(paths.roots, (*paths.inside, *workspaces))):
        if path.stat().st_uid != os.geteuid():
            hint = f"use it as its owner, or set WORT_HOME to a directory of your own; `ls -ld {path}` shows it"
            yield Finding("problem", str(path), why, hint)
        elif not repair:
            yield Finding("problem", str(path), why, f"look whether its content is right; then {REPAIR}")
        else:
            take_write_permission(path)
            yield Finding("repaired", str(path), f"only its owner may write it; it {why.replace('can', 'could', 1)}")


def check_home(settings: Settings, *, repair: bool, full: bool) -> Iterator[Finding]:
    """Yield each inconsistency between the ledger, the store and the disk, or what was repaired.

    A ledger that cannot be read is a finding of `doctor.check_ledger`.
    """
    if not settings.ledger_file.exists() and not (repair and names_in(settings.store_dir)):
        if names_in(settings.store_dir):
            yield Finding("warning", "ledger", "there is no ledger, but there are signatures", REPAIR)
        return
    ledger = Ledger(settings.ledger_file)
    try:
        inconsistencies = (
            *permissions(settings),
            *ledger_inconsistencies(ledger, full=full),
            *StoreCheck(ledger, settings.store_dir, ReadLimits.of(settings), full=full).inconsistencies(),
        )
        for inconsistency in inconsistencies:
            yield finding_of(inconsistency, repair=repair)
        for leftover in leftovers(ledger, settings):
            if leftover is None:
                continue
            if not repair:
                detail = f"{leftover.path}: {leftover.why}"
                yield Finding("warning", "left over", detail, f"{REPAIR}; the daemon also removes it after some time")
            elif leftover.remove():
                yield Finding("repaired", "left over", f"removed {leftover.path}: {leftover.why}")
        if repair:
            for _ in finish_removals(settings):
                pass
        elif not inconsistencies:
            number = render.count(ledger.catalog.count(), "signature")
            yield Finding("ok", "store", f"{number}, consistent with the catalog")
    except WortError as error:
        yield Finding("problem", "ledger", error.sentence, error.hint)
    finally:
        ledger.close()


def finding_of(inconsistency: Inconsistency, *, repair: bool) -> Finding:
    """Return an inconsistency as a finding; with `repair`, repair it first if that is possible."""
    what, detail = inconsistency.subject, inconsistency.detail
    if inconsistency.repair is None or not repair:
        state = "warning" if inconsistency.harmless else "problem"
        return Finding(state, what, detail, REPAIR if inconsistency.repair else inconsistency.hint)
    try:
        return Finding("repaired", what, inconsistency.repair())
    except (WortError, OSError) as error:
        return Finding("problem", what, f"{detail}; the repair failed: {cause_of(error)}", inconsistency.hint)


def permissions(settings: Settings) -> Iterator[Inconsistency]:
    """Yield the private files that other users may read or write."""
    for path in (settings.ledger_file, settings.queue_file, settings.lock_file):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:

            def restrict(path=path) -> str:  # type: ignore[no-untyped-def]
                path.chmod(0o600)
                return f"only the owner may now read or write {path}"

            yield Inconsistency(str(path), "other users may read or write it", restrict)
