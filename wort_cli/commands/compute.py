"""`wort compute`: enqueues runs and archives; --wait follows the jobs, --now runs them in this process."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.api.enqueueing import enqueue
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
from wort_cli.commands.shared.arguments.selection import open_ledger
from wort_cli.commands.shared.arguments.sources import parse_sources, reads_of_options
from wort_cli.commands.shared.exporting.output import Output
from wort_cli.commands.shared.jobs import outcome
from wort_cli.commands.shared.jobs.compute_steps import Display, Requested, complete, show_plans, show_queued
from wort_cli.commands.shared.jobs.report_file import Reporter, ReportFile
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.printing import Form
from wort_cli.errors import DaemonNotRunning, ExitCode, UsageError
from wort_cli.model.job import JobRequest, Source
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.settings import Settings, load_settings
from wort_cli.system.daemon_lock import running_daemon

ForceOption = Annotated[
    bool,
    typer.Option(
        "-f",
        "--force",
        help="Compute signatures that exist and runs known to be unavailable; replace any file of -o.",
    ),
]
LimitOption = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, help="Ask before computing more than N runs of projects.")
]
YesOption = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report", metavar="FILE", help="Add a JSON line to a file for each run that has ended (with --now)."
    ),
]
NoUploadOption = Annotated[
    bool, typer.Option("--no-upload", help="Do not use the bucket: neither look a signature up there nor publish it.")
]
AcceptUnprovedOption = Annotated[
    bool,
    typer.Option(
        "--accept-unproved",
        help="Read archives on disk that nothing proves; their signatures are marked (setting `accept_unproved`).",
    ),
]
LocalOption = Annotated[
    bool, typer.Option("--local", help="Also download signatures that only the bucket has (with --wait or --now).")
]
NameOption = Annotated[
    str,
    typer.Option(
        "--name", metavar="NAME", help="Name of the signature of an archive or of files (default: the file's name)."
    ),
]
ReadsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--reads", metavar="FILE|-", help="A file of reads, whatever its name; - reads them from standard input."
    ),
]
SamplesOption = Annotated[
    Path | None, typer.Option("--samples", metavar="TABLE", help="Compute a signature for each sample of a table.")
]


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
    force: ForceOption = False,
    dry_run: DryRunOption = False,
    priority: PriorityOption = 0,
    group: GroupOption = "",
    limit: LimitOption = 10_000,
    yes: YesOption = False,
    wait: WaitOption = False,
    now: NowOption = False,
    output: OutputOption = "",
    no_provenance: ProvenanceFileOption = False,
    report: ReportOption = None,
    keep_slices: KeepSlicesOption = False,
    no_upload: NoUploadOption = False,
    accept_unproved: AcceptUnprovedOption = False,
    accept_public: AcceptPublicOption = False,
    local: LocalOption = False,
    name: NameOption = "",
    reads: ReadsOption = None,
    samples: SamplesOption = None,
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
    target = output_target(output, force=force, as_json=as_json)
    settings = load_settings()
    skipped: list[str] = []
    expander = Expander(settings, render.notice, amounts=dry_run)
    sources = reads_of_options(reads or [], samples, name, others=bool(ids or from_file), now=now) or parse_sources(
        ids or [],
        from_file,
        name,
        settings.quality,
        settings.archives,
        render.notice,
        skipped.append if skip_invalid else None,
        expander,
    )
    outcome.explain_skipped(skipped)
    expander.check_limit(limit, yes=yes or dry_run)
    if target is not None:
        target.check([source.name for source in sources])
    display = Display(Form.of(as_json=as_json), header=not no_header, strict=strict)
    ledger = open_ledger(settings)
    settings = keeping(settings, keep_slices)
    wanted = chosen_profiles(profiles, settings, ledger, sources, output=output)
    check_accept_public(settings, wanted, accepted=accept_public, force=force)
    if wait and not dry_run and running_daemon(settings.lock_file) is None:
        raise DaemonNotRunning("--wait needs the daemon, and none is running; nothing was queued")
    request = partial(
        JobRequest,
        priority=priority,
        group=group,
        engine=engine,
        upload=not no_upload,
        accept_unproved=accept_unproved,
        accept_public=accept_public,
    )
    requests = list(requests_for(sources, wanted, expander.selected_by, request))
    expander.record(ledger, dry_run=dry_run)
    finder = SignatureFinder(settings, ledger, *wanted)
    reporter = Reporter(ReportFile(report), ledger, finder) if report and not dry_run else None
    claim = FirstClaim(ledger, settings) if now and not dry_run else None
    answers = enqueue(ledger, finder, requests, force=force, dry_run=dry_run, claim=claim)
    requested = Requested(answers, ledger, settings, finder, sources)
    if dry_run:
        jobs = 1 if now else ledger.controls.job_limit(settings.jobs)
        show_plans(requested, expander, wanted[0], display, jobs=jobs, accept_unproved=accept_unproved)
        code = ExitCode.OK
    elif wait or now:
        code, missing = complete(requested, claim, reporter, target, display, local=local, provenance=not no_provenance)
        skipped += map(str, missing)
    else:
        code = show_queued(requested, group, display)
    outcome.exit_unless_ok(outcome.with_skipped(code, skipped))


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


def keeping(settings: Settings, slices: bool) -> Settings:
    """Return the settings of a command, with what the option --keep-slices adds."""
    if slices and settings.s3 is None:
        raise UsageError("--keep-slices needs a bucket", "set `s3_bucket` (docs/clusters.md)")
    return replace(settings, keep_slices=slices or settings.keep_slices)


def output_target(output: str, *, force: bool, as_json: bool) -> Output | None:
    """Return the file of -o, if it was given; UsageError if the output of --json would be mixed with it."""
    target = Output.parse(output, force=force) if output else None
    if target is not None and target.is_stdout and as_json:
        raise UsageError("-o - and --json both write to standard output", "leave one of them out")
    return target


def requests_for(
    sources: Sequence[Source],
    profiles: Sequence[Profile],
    selected_by: Mapping[str, str],
    request: Callable[..., JobRequest],
) -> Iterator[JobRequest]:
    """Yield a request for each profile of each source; only signatures of `sra-v1` can be public ones."""
    for source in sources:
        for profile in profiles:
            one = request(source, profile=profile.name, selected_by=selected_by.get(source.name, ""))
            yield one if profile == SRA_V1 else replace(one, accept_public=False)
