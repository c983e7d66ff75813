"""`wort status`, and `wort` without a command: the daemon, the number of jobs in each state, and the jobs."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any

import typer

from wort_cli.api.job_changes import check_group
from wort_cli.commands.shared.arguments.options import (
    JsonOption,
    NoHeaderOption,
    OfflineOption,
    SelectGroupOption,
    SelectReasonOption,
    SelectStateOption,
    ShowAllOption,
    WhereOption,
)
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import (
    NAMES_AND_OPTIONS,
    find_job_ids,
    open_home_to_read,
    parse_reason,
    parse_state,
    parse_where,
)
from wort_cli.commands.shared.daemon.overview import Overview
from wort_cli.commands.shared.jobs.job_record import JOB_FIELDS, STATE, job_record, member_record
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import (
    BOOLEAN,
    COUNT,
    PID,
    TEXT,
    TIME,
    Document,
    Field,
    list_of,
    one_of,
    record_of,
)
from wort_cli.commands.shared.showing.printing import Form, print_facts, print_records
from wort_cli.commands.shared.viewing.run_record import METADATA_FIELDS, with_metadata
from wort_cli.errors import UsageError
from wort_cli.health.status import STATES
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import Job, JobState
from wort_cli.settings import Settings

DAEMON = record_of(
    Field("state", one_of(STATES), "The state of the daemon"),
    Field("pid", PID, "Its process; null if it does not run", optional=True),
    Field("where", TEXT, "Where it runs; `here` if on this machine", optional=True),
    Field("started_at", TIME, "When it started", optional=True),
    Field("version", TEXT, "Its version of wort", optional=True),
    Field("problems", list_of(TEXT), "What is wrong, as sentences"),
    Field("held", TEXT, "Why no job may start, as a sentence; null if jobs may start", optional=True),
    Field("paused", BOOLEAN, "Whether the queue is paused"),
)
COUNTS = record_of(*(Field(str(state), COUNT, f"Jobs that are {state}") for state in JobState))
REASONS = record_of(STATE, Field("reason", one_of(Reason), "The reason"), Field("jobs", COUNT, "The number of jobs"))
FOLLOWS = record_of(
    Field("number", COUNT, "How many there are"),
    Field("problems", list_of(TEXT), "What is wrong with some of them, as sentences"),
)
DOCUMENT = Document(
    "status",
    "The daemon, the number of jobs, and the selected jobs; without a selection, those that run or are next.",
    head=(
        Field("daemon", DAEMON, "The daemon"),
        Field("signatures", COUNT, "The number of signatures in the catalog"),
        Field("follows", FOLLOWS, "The projects and queries whose new runs are queued"),
        Field("counts", COUNTS, "The number of all jobs in each state"),
        Field("reasons", list_of(REASONS), "Jobs without a signature, by state and reason"),
    ),
    rows="jobs",
    row=(*JOB_FIELDS, *METADATA_FIELDS),
    columns=(
        *("job", "name", "state", "reason", "progress", "groups", "message", "attempt", "priority", "queued_at"),
        *("ended_at", "kind", "wait_until"),
        *(field.key for field in METADATA_FIELDS),
    ),
)
LIST_COLUMNS = (
    *("job", "name", "state", "reason", "progress", "groups", "message", "wait_until", "attempt", "priority"),
    *("queued_at", "ended_at", "kind"),
)
"""The columns of a terminal; the last ones are left out first."""
METADATA_COLUMNS = (
    *("job", "name", "state", "reason", "organism", "strategy", "layout", "bases", "platform", "biosample", "project"),
    *("source", "released", "groups"),
)
"""The same with --metadata."""
RUNNING_COLUMNS = ("job", "name", "progress", "stage", "remaining", "attempt", "groups")
QUEUED_COLUMNS = ("position", "job", "name", "size", "groups", "priority", "queued_at")
SHOWN = 50
"""Jobs that a terminal shows; a pipe and a file get all."""
RUNNING_SHOWN, NEXT_SHOWN = 20, 5
"""Running jobs, and queued jobs, in the summary."""
CLEAR = "\x1b[H\x1b[2J"
"""The escape sequence that clears a terminal (ECMA-48)."""


def status(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="ID|JOB", help="Show these: signature names, or job numbers.")
    ] = None,
    group: SelectGroupOption = "",
    state: SelectStateOption = "",
    reason: SelectReasonOption = "",
    where: WhereOption = None,
    missing_from: Annotated[
        str,
        typer.Option(
            "--missing-from",
            metavar="FILE|public",
            help="Show what a list or a manifest of sourmash, or the public signatures, have and the catalog has not.",
        ),
    ] = "",
    offline: OfflineOption = False,
    metadata: Annotated[
        bool, typer.Option("--metadata", help="List the jobs with what is known of their runs: organism, library, ...")
    ] = False,
    number: Annotated[
        int | None,
        typer.Option(
            "-n", "--number", metavar="N", min=1, help="Show at most N jobs, the newest first (on a terminal: 50)."
        ),
    ] = None,
    everything: ShowAllOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every second, until Ctrl-C.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values with a header.")] = False,
    as_tsv: Annotated[bool, typer.Option("--tsv", help="Print tab-separated values with a header.")] = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Show a summary of the queue, or the jobs that are selected."""
    if as_csv + as_tsv + as_json > 1:
        raise UsageError("--csv, --tsv and --json exclude each other")
    if everything and number is not None:
        raise UsageError("--all and -n exclude each other")
    settings, ledger = open_home_to_read()
    job_filter = JobFilter(parse_state(state), parse_reason(reason), group, parse_where(where, ledger))
    check_group(ledger, group)
    form = Form.of(as_json=as_json, as_csv=as_csv, as_tsv=as_tsv)
    if words and job_filter != JobFilter():
        raise UsageError(NAMES_AND_OPTIONS)
    if number is None and not everything and form is Form.TERMINAL:
        number = SHOWN
    if missing_from:
        if words or watch or metadata or job_filter != JobFilter():
            raise UsageError("--missing-from excludes other selections", "leave out the jobs and the other selections")
        from wort_cli.commands.shared.jobs.missing_from import print_missing, wanted_of

        profile = chosen_profile("", settings, ledger)
        wanted = wanted_of(missing_from, settings, profile, offline=offline)
        print_missing(wanted, ledger, profile.name, form, header=not no_header, number=number)
        return
    is_list = bool(words) or everything or metadata or job_filter != JobFilter() or as_csv or as_tsv
    jobs = partial(selected_records, settings, ledger, words, job_filter, number) if is_list else None
    columns = METADATA_COLUMNS if metadata else LIST_COLUMNS
    while True:
        if watch and render.is_terminal():
            sys.stdout.write(CLEAR)
        show(settings, ledger, jobs, form, columns, header=not no_header)
        if not watch:
            return
        sys.stdout.flush()
        time.sleep(1)


def show(
    settings: Settings,
    ledger: Ledger,
    jobs: Callable[[], Iterator[dict[str, Any]]] | None,
    form: Form,
    columns: Sequence[str],
    *,
    header: bool,
) -> None:
    """Show the selected jobs, or a summary if none are selected; `columns` are those of a terminal."""
    if form is Form.JSON:
        head = Overview.read(settings, ledger).record()
        records = current(settings, ledger) if jobs is None else jobs()
        print_records(DOCUMENT, with_metadata(records, ledger), form, head=head)
    elif jobs is None:
        print_summary(settings, ledger, header=header)
    else:
        shown = columns if form is Form.TERMINAL else ()
        print_records(DOCUMENT, with_metadata(jobs(), ledger), form, header=header, columns=shown)


def selected_records(
    settings: Settings, ledger: Ledger, words: list[str] | None, job_filter: JobFilter, number: int | None
) -> Iterator[dict[str, Any]]:
    """Yield the jobs that were named, or the newest `number` jobs of the filter (None: all)."""
    jobs: Iterable[Job]
    if words:
        jobs = sorted(ledger.jobs.with_ids(find_job_ids(ledger, words)), key=lambda job: job.id)
    elif number is None:
        jobs = ledger.jobs.every(job_filter)
    else:
        jobs = ledger.jobs.matching(job_filter, number)
    store = settings.store_dir
    records = (job_record(job, store) for job in jobs)
    if words:
        return records
    all_records = chain(records, stored_records(ledger, job_filter, store))
    if number is None:
        return all_records
    newest = list(islice(all_records, number))
    if len(newest) == number:
        total = None if job_filter.runs else count_jobs(ledger, job_filter)
        if total is None or total > number:
            of = f" of {total:,}" if total else ""
            render.notice(f"the newest {number}{of} jobs; --all shows the rest")
    return iter(newest)


def stored_records(ledger: Ledger, job_filter: JobFilter, store: Path) -> Iterator[dict[str, Any]]:
    """Yield the members of the selected group that need no job; they are done."""
    if job_filter.group and job_filter.state in (None, JobState.DONE) and job_filter.reason is None:
        for member in ledger.groups.stored_members(job_filter.group, job_filter.runs):
            yield member_record(member, job_filter.group, store)


def count_jobs(ledger: Ledger, job_filter: JobFilter) -> int:
    """Return the number of the selected jobs, and of members of the selected group that need none."""
    return sum(
        n
        for (state, reason), n in ledger.counts.by_state(job_filter.group).items()
        if job_filter.state in (None, state) and (job_filter.reason or reason) == reason
    )


def current(settings: Settings, ledger: Ledger) -> Iterator[dict[str, Any]]:
    """Yield the jobs that run, and those that start next."""
    for job in ledger.jobs.matching(JobFilter(state=JobState.RUNNING), RUNNING_SHOWN):
        yield job_record(job, settings.store_dir)
    following = ledger.jobs.next_jobs(NEXT_SHOWN)
    jobs = {job.id: job for job in ledger.jobs.with_ids(following)}
    for position, job_id in enumerate(following, 1):
        if job_id in jobs:
            yield job_record(jobs[job_id], settings.store_dir, position)


def print_summary(settings: Settings, ledger: Ledger, *, header: bool = True) -> None:
    """Print the state of the daemon, the number of jobs in each state, and on a terminal the current jobs."""
    overview = Overview.read(settings, ledger)
    print_facts(overview.facts(), header=header)
    if overview.found.daemon is not None:
        from wort_cli.commands.shared.daemon.daemon_differences import notice_differences

        notice_differences(settings)
    jobs = list(current(settings, ledger)) if render.is_terminal() else []
    running = [job for job in jobs if job["position"] is None]
    following = [job for job in jobs if job["position"] is not None]
    for title, columns, shown in (("running", RUNNING_COLUMNS, running), ("next", QUEUED_COLUMNS, following)):
        if shown:
            render.result(f"\n{title}:")
            print_records(DOCUMENT, shown, Form.TERMINAL, columns=columns)
    if not any(overview.by_state.values()) and render.is_terminal():
        render.notice("there are no jobs yet; start with `wort compute SRR139146`")
    elif overview.found.daemon is None and overview.by_state[JobState.QUEUED]:
        render.notice("jobs are queued, but no daemon is running: `wort daemon start`")
