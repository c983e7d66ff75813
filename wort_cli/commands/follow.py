"""`wort follow`: keeps projects and queries, whose new runs are queued as they appear."""

import os
import re
import time
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from wort_cli.commands.shared.arguments.options import (
    AcceptPublicOption,
    DryRunOption,
    GroupOption,
    JsonOption,
    NoHeaderOption,
    PriorityOption,
    ProfileOption,
    check_accept_public,
)
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home, open_home_to_read
from wort_cli.commands.shared.following.follow_record import ADDED, LIST, REMOVED, RUN, follow_record, outcome_record
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.errors import ExitCode, UsageError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.follow import Follow, FollowReason, FollowRequest
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import running_daemon

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOST = 10_000


class FollowGroup(TyperGroup):
    """The command group, in which `wort follow PRJNA63463` stands for `wort follow add PRJNA63463`."""

    default = "add"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse a command line, after the default command was put in front of what is no command."""
        if args and args[0] not in (*self.commands, *self.get_help_option_names(ctx)):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=FollowGroup,
    help="Queue the new runs of a project or a query each day.",
    no_args_is_help=True,
)
WordsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="NUMBER|ID|QUERY", help="What is followed: its number in `wort follow ls`, or itself."),
]
MostOption = Annotated[
    int | None,
    typer.Option("--most", metavar="N", min=1, help="Queue at most N new runs at once, and none if there are more."),
]


@app.command()
def add(
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID|QUERY",
            help="Accessions of projects, studies, experiments, samples or GEO series; or a query of ENA.",
        ),
    ],
    group: GroupOption = "",
    priority: PriorityOption = 0,
    profile: ProfileOption = "",
    since: Annotated[
        str, typer.Option("--since", metavar="YYYY-MM-DD", help="Only runs that were released on this day or later.")
    ] = "",
    most: MostOption = None,
    accept_public: AcceptPublicOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Queue the runs of projects and queries now, and new ones each day.

    ENA and NCBI are asked as for `wort compute`. A run that was requested before is not new, even if it failed or was
    cancelled. The daemon looks once a day (setting `follow_hours`), and by backoff after a failure. `add` may be left
    out.

    \b
    Examples:
      wort follow PRJNA63463 -g encode
      wort follow 'tax_eq(408170) AND library_strategy="WGS"' -g gut --most 100
      wort follow ls
    """
    settings, ledger = open_home()
    wanted = chosen_profile(profile, settings, ledger)
    check_accept_public(settings, [wanted], accepted=accept_public, force=False)
    requests = [
        FollowRequest(text, wanted.name, group, priority, accept_public, parse_day(since), most or MOST)
        for text in parse_selections(ids)
    ]
    records, reasons = list[dict[str, Any]](), list[FollowReason | None]()
    for request in requests:
        before = [one for one in ledger.follows.named(request.selection) if one.request.profile == request.profile]
        follow = planned(request) if dry_run else ledger.follows.add(request)
        outcome = run(follow, ledger, settings, dry_run=dry_run)
        if outcome.get("reason") == FollowReason.NOT_ASKED and not (before or dry_run):
            ledger.follows.remove(follow.id)
            raise UsageError(outcome["message"], "nothing is followed; see `wort config show ena_url entrez_url`")
        records.append({**follow_record(ledger.follows.get(follow.id) or follow), **outcome})
        reasons.append(reason_in(outcome))
    print_records(ADDED, records, Form.of(as_json=as_json), header=not no_header, head={"dry_run": dry_run})
    if not dry_run:
        suggest_daemon(settings)
    exit_unless_ok(reasons)


@app.command("ls")
def list_follows(as_json: JsonOption = False, no_header: NoHeaderOption = False) -> None:
    """List followed projects and queries.

    Shows the last result of each, and when it is checked next.
    """
    _, ledger = open_home_to_read()
    follows = ledger.follows.all()
    print_records(LIST, map(follow_record, follows), Form.of(as_json=as_json), header=not no_header)
    for follow in follows:
        if follow.is_failing:
            render.notice(render.printable(f"{follow.request.selection}: {follow.why}"))


@app.command("rm")
def remove(words: WordsArgument = None, as_json: JsonOption = False, no_header: NoHeaderOption = False) -> None:
    """Follow something no longer. Its jobs and signatures stay."""
    _, ledger = open_home()
    follows = named(words or [], ledger)
    if not follows:
        raise UsageError("nothing is named", "give a number or an accession of `wort follow ls`")
    for follow in follows:
        ledger.follows.remove(follow.id)
    print_records(REMOVED, map(follow_record, follows), Form.of(as_json=as_json), header=not no_header)


@app.command("run")
def run_now(
    words: WordsArgument = None,
    due: Annotated[
        bool, typer.Option("--due", help="Only what is due, as the daemon does; end with the parent.")
    ] = False,
    most: MostOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Look for new runs now, and queue them. Without words, of everything that is followed.

    The exit code is 75 if a list could not be fetched, 1 if more than --most runs are new.
    """
    if due:
        from wort_cli.system.parent import die_with

        if words:
            raise UsageError("--due excludes a selection")
        die_with(os.getppid())
    settings, ledger = open_home()
    if due:
        follows = ledger.follows.due(time.time(), settings.follow_hours)
    else:
        follows = named(words, ledger) if words else ledger.follows.all()
    records, reasons = list[dict[str, Any]](), list[FollowReason | None]()
    for follow in follows:
        outcome = run(follow, ledger, settings, most=most, dry_run=dry_run)
        records.append({**follow_record(ledger.follows.get(follow.id) or follow), **outcome})
        reasons.append(reason_in(outcome))
    print_records(RUN, records, Form.of(as_json=as_json), header=not no_header, head={"dry_run": dry_run})
    exit_unless_ok(reasons)


def run(
    follow: Follow, ledger: Ledger, settings: Settings, *, most: int | None = None, dry_run: bool
) -> dict[str, Any]:
    """Look for the new runs of one follow, and write the result to stderr; return it as OUTCOME has it."""
    from wort_cli.api.following import run_follow

    outcome = run_follow(follow, ledger, settings, most=most, dry_run=dry_run)
    selection = follow.request.selection
    if outcome is None:
        render.notice(render.printable(f"{selection}: another process is asking for its runs"))
    elif outcome.runs is not None:
        numbers = [render.count(outcome.runs, "run"), f"{outcome.new:,} of them new"]
        numbers += [] if dry_run else [f"{outcome.queued:,} queued"]
        render.notice(render.printable(f"{selection}: {', '.join(numbers)}"))
    if outcome is not None and outcome.reason is not None:
        why = outcome.message or outcome.reason.sentence
        hint = (
            f"; `wort follow run {follow.id} --most N` queues them" if outcome.reason is FollowReason.TOO_MANY else ""
        )
        render.notice(render.printable(f"{selection}: {why}{hint}"))
    return outcome_record(outcome)


def reason_in(outcome: dict[str, Any]) -> FollowReason | None:
    """Return the reason of a look without success."""
    return FollowReason(outcome["reason"]) if outcome.get("reason") else None


def parse_selections(words: Iterable[str]) -> list[str]:
    """Return the accessions and queries, each once.  Raises UsageError for a word that is neither."""
    from wort_cli.api.following import selection_of

    found = []
    for word in words:
        selection = selection_of(word.strip())
        if selection is None:
            raise UsageError(
                f"{shown(word)} is neither the accession of something that gets new runs, nor a query of ENA",
                "such as PRJNA63463, SRP003255, SAMN00765663 or GSE18729, or 'tax_eq(408170)'",
            )
        found.append(str(selection))
    return list(dict.fromkeys(found))


def parse_day(text: str) -> str:
    """Return a day as YYYY-MM-DD; '' for none.  Raises UsageError."""
    try:
        if text and not DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise UsageError(f"--since {shown(text)} is not a date", "write it as 2026-01-31") from None


def named(words: Iterable[str], ledger: Ledger) -> list[Follow]:
    """Return what the words name, each once.  Raises UsageError for a word that names nothing that is followed."""
    from wort_cli.api.following import selection_of

    found = dict[int, Follow]()
    for word in words:
        follows = ledger.follows.named(str(selection_of(word.strip()) or word))
        if word.isascii() and word.isdigit() and len(word) < 18 and (one := ledger.follows.get(int(word))):
            follows = [one]
        if not follows:
            raise UsageError(f"{shown(word)} is not followed", "`wort follow ls` lists what is")
        found |= {follow.id: follow for follow in follows}
    return list(found.values())


def planned(request: FollowRequest) -> Follow:
    """Return a follow that is not in the ledger, for a dry run."""
    return Follow(0, request, 0.0, 0.0, None, None, None, 0, 0, None, "")


def suggest_daemon(settings: Settings) -> None:
    """Say on stderr if no daemon would look for new runs."""
    if running_daemon(settings.lock_file) is None:
        render.notice("no daemon is running, which looks for new runs: `wort daemon start`")


def exit_unless_ok(reasons: Sequence[FollowReason | None]) -> None:
    """Exit with code 75 if something may pass, or with 1 if it needs a person."""
    passing = (FollowReason.NOT_LISTED, FollowReason.STORAGE)
    if any(reason is not None and reason.needs_a_person for reason in reasons):
        raise typer.Exit(int(ExitCode.SOME_FAILED))
    if any(reason in passing for reason in reasons):
        raise typer.Exit(int(ExitCode.TEMPORARY))
