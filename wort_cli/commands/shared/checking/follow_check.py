"""The check of `wort doctor` for what is followed."""

from collections.abc import Iterator

from wort_cli.commands.shared.checking.finding import Finding
from wort_cli.commands.shared.showing import render
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings


def check_follows(settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each project or query whose list could not be fetched, or one finding that all is well."""
    if not settings.ledger_file.exists():
        return
    ledger = Ledger(settings.ledger_file, reading=True)
    try:
        follows = ledger.follows.all()
    finally:
        ledger.close()
    failing = [follow for follow in follows if follow.is_failing]
    for follow in failing:
        what = f"{follow.request.selection[:100]}: {follow.why}; next look {render.local_time(follow.next_at)}"
        yield Finding("warning", "follow", render.printable(what), f"`wort follow run {follow.id}` looks now")
    if follows and not failing:
        yield Finding("ok", "follow", f"{len(follows):,} followed, all were listed")
