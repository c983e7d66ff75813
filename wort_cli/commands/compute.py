"""`wort compute`: enqueues runs and archives; --wait follows the jobs, --now runs them in this process."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.api.enqueueing import enqueue, jobs_of
from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.api.waiting import FirstClaim
from wort_cli.commands.shared.arguments.expansion import Expander
from wort_cli.commands.shared.arguments.options import (
    AcceptPublicOption,
    DryRunOption,
    EngineOption,
    FromFileOption,
    GroupOption,
    JsonOption,
    KeepSlicesOption,
    NoHeaderOption,
    NowOption,
    OutputOption,
    PriorityOption,
    ProfilesOption,
    ProvenanceFileOption,
    SkipInvalidOption,
    StrictOption,
    WaitOption,
    check_accept_public,
    check_engine,
    check_wait_and_now,
)
from wort_cli.commands.shared.arguments.passes import chosen_profiles
from wort_cli.commands.shared.arguments.selection import open_home
from wort_cli.commands.shared.arguments.sources import parse_sources, reads_of_options
from wort_cli.commands.shared.daemon.daemon_differences import notice_differences
from wort_cli.commands.shared.exporting.output import Output, OutputItem
from wort_cli.commands.shared.jobs import outcome
from wort_cli.commands.shared.jobs.compute_record import (
    answer_record,
    columns_of,
    print_answers,
    print_jobs,
    print_plans,
)
from wort_cli.commands.shared.jobs.report_file import Reporter, ReportFile
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.follow import DaemonWatch, follow, run_now
from wort_cli.commands.shared.showing.printing import Form
from wort_cli.commands.shared.syncing.bring_local import bring_missing
from wort_cli.errors import DaemonNotRunning, ExitCode, UsageError
from wort_cli.ledger.jobs import Enqueued, EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name
from wort_cli.model.job import Job, JobRequest, JobState
from wort_cli.model.profile import SRA_V1
from wort_cli.settings import Settings, load_settings
from wort_cli.system.daemon_lock import running_daemon
from wort_cli.system.termination import terminated_by_signals


def compute(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|FILE|-",
            help="Accessions of runs, assemblies or projects, .sra archives, FASTA, FASTQ; - reads a list from stdin.",
        ),
    ] = None,
    from_file: FromFileOption = None,
    skip_invalid: SkipInvalidOption = False,
    force: Annotated[
        bool,
        typer.Option(
            "-f",
            "--force",
            help="Compute signatures that exist and runs known to be unavailable; replace any file of -o.",
        ),
    ] = False,
    dry_run: DryRunOption = False,
    priority: PriorityOption = 0,
    group: GroupOption = "",
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Ask before computing more than N runs of projects.")
    ] = 10_000,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    wait: WaitOption = False,
    now: NowOption = False,
    output: OutputOption = "",
    no_provenance: ProvenanceFileOption = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="Add a JSON line to a file for each run that has ended (with --now)."
        ),
    ] = None,
    keep_slices: KeepSlicesOption = False,
    no_upload: Annotated[
        bool,
        typer.Option("--no-upload", help="Do not use the bucket: neither look a signature up there nor publish it."),
    ] = False,
    accept_unproved: Annotated[
        bool,
        typer.Option(
            "--accept-unproved",
            help="Read archives on disk that nothing proves; their signatures are marked (setting `accept_unproved`).",
        ),
    ] = False,
    accept_public: AcceptPublicOption = False,
    local: Annotated[
        bool,
        typer.Option("--local", help="Also download signatures that only the bucket has (with --wait or --now)."),
    ] = False,
    name: Annotated[
        str,
        typer.Option(
            "--name", metavar="NAME", help="Name of the signature of an archive or of files (default: the file's name)."
        ),
    ] = "",
    reads: Annotated[
        list[str] | None,
        typer.Option(
            "--reads", metavar="FILE|-", help="A file of reads, whatever its name; - reads them from standard input."
        ),
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option("--samples", metavar="TABLE", help="Compute a signature for each sample of a table."),
    ] = None,
    profiles: ProfilesOption = None,
    engine: EngineOption = "",
    strict: StrictOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Compute the signatures of runs, and of reads of your own.

    Without --wait or --now, the jobs are queued for the daemon and the command returns at once. The exit
    code is 1 if a job failed, 75 if some wait for a later retry, 3 if all runs are unavailable, else 0.

    \b
    Examples:
      wort compute SRR139146 --wait
      wort compute sample.sra --now -o sample.sig
      wort compute soil_R1.fq.gz soil_R2.fq.gz --name soil
      wort compute --samples samplesheet.csv --wait
      wort compute SRR139146 SRR139147 --wait -o signatures/
      wort compute --from-file runs.txt --group soil
      wort compute PRJNA63463 --group encode
      wort compute SRR139146 --profile sra-v1 --profile fine
    """
    check_options(wait=wait, now=now, output=output, local=local, engine=engine, report=report, keep_slices=keep_slices)
    target = Output.parse(output, force=force) if output else None
    to_stdout = target is not None and target.is_stdout
    if to_stdout and as_json:
        raise UsageError("-o - and --json both write to standard output", "leave one of them out")
    settings = load_settings()
    skipped: list[str] = []
    skip = skipped.append if skip_invalid else None
    expander = Expander(settings, render.notice, amounts=dry_run)
    sources = reads_of_options(reads or [], samples, name, others=bool(ids or from_file), now=now) or parse_sources(
        ids or [], from_file, name, settings.quality, settings.archives, render.notice, skip, expander
    )
    outcome.explain_skipped(skipped)
    expander.check_limit(limit, yes=yes or dry_run)
    if target is not None:
        target.check([source.name for source in sources])
    form = Form.of(as_json=as_json)
    settings, ledger = open_home()
    settings = keeping(settings, keep_slices)
    wanted = chosen_profiles(profiles, settings, ledger, sources, output=output)
    check_accept_public(settings, wanted, accepted=accept_public, force=force)
    if wait and not dry_run and running_daemon(settings.lock_file) is None:
        raise DaemonNotRunning("--wait needs the daemon, and none is running; nothing was queued")
    request = partial(JobRequest, priority=priority, group=group, engine=engine)
    requests = [
        request(
            source,
            profile=profile.name,
            upload=not no_upload,
            accept_unproved=accept_unproved,
            accept_public=accept_public and profile == SRA_V1,
            selected_by=expander.selected_by.get(source.name, ""),
        )
        for source in sources
        for profile in wanted
    ]
    expander.record(ledger, dry_run=dry_run)
    finder = SignatureFinder(settings, ledger, *wanted)
    reporter = Reporter(ReportFile(report), ledger, finder) if report and not dry_run else None
    claim = FirstClaim(ledger, settings) if now and not dry_run else None
    answers = enqueue(ledger, finder, requests, force=force, dry_run=dry_run, claim=claim)
    if dry_run:
        at_a_time = 1 if now else ledger.controls.job_limit(settings.jobs)
        known = expander.amounts((answer.source.name for answer in planned(answers)), ledger)
        print_plans(
            answers,
            finder,
            accepting(settings, accept_unproved),
            form,
            ledger.catalog.measured(wanted[0].name),
            known,
            header=not no_header,
            jobs=at_a_time,
        )
        outcome.exit_unless_ok(outcome.with_skipped(ExitCode.OK, skipped))
        return
    if not (wait or now):
        records = (answer_record(answer, finder) for answer in answers)
        print_answers(records, len(answers), form, header=not no_header, columns=columns_of(answers))
        suggest_next_command(answers, settings, group)
        code = outcome.exit_code((state_when_queued(answer) for answer in answers), strict=strict)
        outcome.exit_unless_ok(outcome.with_skipped(code, skipped))
        return
    jobs = run_or_follow(answers, ledger, settings, claim, reporter)
    not_brought = bring_missing([source.name for source in sources], finder, ledger, settings) if local else []
    if target is not None:
        target.write(stored_items(finder, [source.name for source in sources], provenance=not no_provenance))
    if not to_stdout:
        print_jobs(answers, jobs, finder, form, header=not no_header)
    outcome.explain_unsuccessful(
        list(jobs.values()), daemon_runs=running_daemon(settings.lock_file) is not None, in_task=report is not None
    )
    states = (jobs[a.job_id].state if a.job_id in jobs else JobState.DONE for a in answers)
    code = outcome.exit_code(states, strict=strict)
    outcome.exit_unless_ok(outcome.with_skipped(code, [*skipped, *not_brought]))


def check_options(
    *, wait: bool, now: bool, output: str, local: bool, engine: str, report: Path | None, keep_slices: bool
) -> None:
    """Raise UsageError for options that exclude each other, or need another."""
    check_wait_and_now(wait=wait, now=now)
    if output and not (wait or now):
        raise UsageError("-o needs --wait or --now", "or write the signature later: `wort view ID -o FILE`")
    if local and not (wait or now):
        raise UsageError("--local needs --wait or --now", "or download signatures later: `wort sync pull`")
    if report is not None and not now:
        raise UsageError("--report needs --now", "`wort status --json` reports the jobs of the daemon")
    if keep_slices and not now:
        raise UsageError("--keep-slices needs --now", "the daemon keeps unfinished work in its own home")
    check_engine(engine)


def accepting(settings: Settings, unproved: bool) -> Settings:
    """Return the settings of a command, with what the option --accept-unproved adds."""
    return replace(settings, accept_unproved=unproved or settings.accept_unproved)


def keeping(settings: Settings, slices: bool) -> Settings:
    """Return the settings of a command, with what the option --keep-slices adds."""
    if slices and settings.s3 is None:
        raise UsageError("--keep-slices needs a bucket", "set `s3_bucket`; docs/clusters.md")
    return replace(settings, keep_slices=slices or settings.keep_slices)


def state_when_queued(answer: Enqueued) -> JobState:
    """Return the state that decides the exit code without --wait: a queued job counts as done."""
    return JobState.UNAVAILABLE if answer.status is EnqueueStatus.UNAVAILABLE else JobState.DONE


def planned(answers: Sequence[Enqueued]) -> list[Enqueued]:
    """Return the answers of a dry run to the requests that would be queued."""
    return [answer for answer in answers if answer.status is EnqueueStatus.QUEUED]


def run_or_follow(
    answers: Sequence[Enqueued],
    ledger: Ledger,
    settings: Settings,
    claim: FirstClaim | None,
    reporter: Reporter | None = None,
) -> dict[int, Job]:
    """Run the jobs in this process, if it has claimed the first, or wait for the daemon; return them as they ended.

    The result has the jobs by number.  A signature that already exists has none.
    """
    if reporter is not None:
        reporter.answers(answers)
    if claim is None:
        notice_differences(settings)
        return {job.id: job for job in follow(ledger, jobs_of(answers), watch=DaemonWatch(ledger, settings))}
    report, jobs = reporter.job if reporter else lambda _: None, jobs_of(answers)
    try:
        with terminated_by_signals():
            return run_now(jobs, ledger, settings, claim.job, report)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            ledger.jobs.cancel(a.job_id for a in answers if a.job_id is not None and a.status is EnqueueStatus.QUEUED)
            render.notice("the unfinished jobs were cancelled")
        if reporter is not None:
            left = reporter.unfinished(jobs)
            render.notice(f"{render.count(left, 'run')} not computed; the report says which")
        raise


def stored_items(finder: SignatureFinder, names: Sequence[Name], *, provenance: bool) -> Iterator[OutputItem]:
    """Yield the stored signatures of some names for `-o`; a job that failed has made none."""
    for name in names:
        if not finder.location(name):
            continue
        yield OutputItem(
            name,
            partial(finder.open, name),
            finder.provenance(name) if provenance else None,
            hint=f"the signature is stored; write it again with `wort view {name} -o FILE`",
        )


def suggest_next_command(answers: Sequence[Enqueued], settings: Settings, group: str) -> None:
    """Write to stderr how to follow the jobs, or that no daemon runs them."""
    queued = sum(answer.status in (EnqueueStatus.QUEUED, EnqueueStatus.LIVE) for answer in answers)
    if not queued:
        if len(answers) == 1 and answers[0].status is EnqueueStatus.EXISTS:
            render.notice(f"show it with `wort view {answers[0].source.name}`; --force computes it again")
        return
    if running_daemon(settings.lock_file) is None:
        render.notice(f"{render.count(queued, 'job')} in the queue, but no daemon is running: `wort daemon start`")
    else:
        follow = f"wort wait -g {shlex.quote(group)}" if group else "wort wait --all"
        render.notice(f"{render.count(queued, 'job')} in the queue; follow with `{follow}` or `wort status`")
        notice_differences(settings)
