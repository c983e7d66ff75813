"""`wort sync`: transfers signatures of runs between the local store and the bucket, and compares the two."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from wort_cli.commands.shared.arguments.options import (
    DryRunOption,
    JsonOption,
    NoHeaderOption,
    ProfileOption,
    RunsArgument,
)
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home, open_home_to_read
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.commands.shared.syncing.bucket_tables import RemotePlaces, tell_tables
from wort_cli.commands.shared.syncing.sync_documents import CHECK, LIST, PULL, PUSH
from wort_cli.commands.shared.syncing.sync_report import SyncReport
from wort_cli.commands.shared.syncing.sync_runs import (
    check_named,
    check_writable,
    name_strays,
    parse_accessions,
    report_missing,
    run_copies,
    runs_in_bucket,
    stores_of,
)
from wort_cli.errors import StorageProblem, WortError
from wort_cli.ledger.jobs import EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.job import JobRequest, Source
from wort_cli.model.profile import Profile, profile_option
from wort_cli.settings import Settings

if TYPE_CHECKING:
    from wort_cli.model.provenance import Recorded, SignatureRecord
    from wort_cli.stores.run_copies import RunCopies
    from wort_cli.stores.shared import Outcome, SharedStore

T = TypeVar("T")
R = TypeVar("R")
app = typer.Typer(help="Transfer signatures to or from the bucket, or compare.", no_args_is_help=True)


@app.command()
def push(
    ids: RunsArgument = None,
    profile: ProfileOption = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Upload signatures that the bucket does not have.

    Only signatures that were computed or verified here are uploaded. Without IDs: all runs in the local store. Then the
    tables of what is there (SOURMASH-MANIFEST.parquet, catalog/) and of what is not, and why (absent/), are uploaded;
    with IDs, only if something new is there.
    """
    from wort_cli.stores import transfer

    names, settings, ledger = parse_accessions(ids), *open_home()
    check_writable(settings)
    wanted = chosen_profile(profile, settings, ledger)
    local, bucket = stores_of(wanted, settings)
    verb = "would be pushed" if dry_run else "pushed"
    form, head = Form.of(as_json=as_json), {"bucket": bucket.root, "dry_run": dry_run}
    with SyncReport(PUSH, verb, len(names) or None, form, header=not no_header, head=head) as report:
        report_missing(names, local, report, profile_option(wanted.name, settings.profile))
        places = RemotePlaces(ledger, wanted.name)

        def signatures_to_push() -> Iterator["RunCopies"]:
            for copies in run_copies(names, local, bucket):
                if copies.local_path is not None and transfer.is_in_bucket(copies):
                    report.add_in_sync()
                    if not dry_run:
                        places.add(copies.name, bucket.url(copies.name))
                elif copies.local_path is not None:
                    yield copies

        if dry_run:
            for copies in signatures_to_push():
                state = "would be put" if copies.shared_object is None else "would be compared"
                report.add(copies.name, state, path=str(copies.local_path))
            return

        def push_one(item: "tuple[RunCopies, SignatureRecord | None]") -> "Outcome":
            return transfer.push(*item, local, bucket, publish_unproved=settings.publish_unproved)

        # Only this thread uses the ledger, because an SQLite connection belongs to one thread.
        items = ((copies, ledger.catalog.get(copies.name, wanted.name)) for copies in signatures_to_push())
        for (copies, _), outcome in apply_to_all(items, push_one, settings):
            report.add_outcome(copies.name, outcome, done="put", path=str(copies.local_path))
            if not isinstance(outcome, Exception):
                places.add(copies.name, bucket.url(copies.name))
        places.record()
        if not names or places.new:
            tell_tables(lambda tables: tables.publish(), ledger, bucket, settings)


@app.command()
def pull(
    ids: RunsArgument = None,
    profile: ProfileOption = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Download signatures that the local store does not have.

    Without IDs: all signatures in the bucket; and which runs other homes found to be unavailable is recorded. If no
    bucket is set, the named ones of the public signatures.
    """
    from wort_cli.stores import transfer

    names, settings, ledger = parse_accessions(ids), *open_home()
    wanted = chosen_profile(profile, settings, ledger)
    local, bucket = stores_of(wanted, settings)
    check_named(names, bucket)
    verb = "would be pulled" if dry_run else "pulled"
    form, head = Form.of(as_json=as_json), {"bucket": bucket.root, "dry_run": dry_run}
    with SyncReport(PULL, verb, len(names) or None, form, header=not no_header, head=head) as report:
        if not names:
            name_strays(local)

        def signatures_to_pull() -> "Iterator[tuple[Accession, Recorded | None]]":
            for name in names or runs_in_bucket(bucket, ledger, wanted.name):
                if local.has(name):
                    report.add_in_sync()
                else:
                    record = ledger.catalog.get(name, wanted.name)
                    yield name, record.recorded if record else None

        if dry_run:
            for name, _ in signatures_to_pull():
                report.add(name, "would be pulled", path=bucket.url(name))
            return
        # Only this thread reads the ledger, because an SQLite connection belongs to one thread.
        for (name, _), outcome in apply_to_all(
            signatures_to_pull(), lambda item: transfer.pull(item[0], local, bucket, item[1]), settings
        ):
            if not isinstance(outcome, Exception):
                with ledger.storage.transaction():
                    ledger.profiles.use(wanted)
                    ledger.catalog.record(outcome)
            path = bucket.url(name) if isinstance(outcome, Exception) else str(local.path(name))
            report.add_outcome(name, outcome, done="pulled", path=path)
        if not names:
            tell_tables(lambda tables: tables.pull_absences(), ledger, bucket, settings)


@app.command("ls")
def list_bucket(
    ids: RunsArgument = None,
    profile: ProfileOption = "",
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """List the signatures in the bucket.

    Shows name, bytes, whether the local store has it, and whether it has provenance. Without IDs: all signatures of
    runs. Their content is not read; `wort sync check` reads it.
    """
    names, (settings, ledger) = parse_accessions(ids), open_home_to_read()
    local, bucket = stores_of(chosen_profile(profile, settings, ledger), settings)
    check_named(names, bucket)
    listed, form = 0, Form.of(as_json=as_json)

    def objects() -> Iterator[dict[str, Any]]:
        nonlocal listed
        for copies in run_copies(names, local, bucket):
            if copies.shared_object is None:
                continue
            listed += 1
            yield {
                "name": str(copies.name),
                "size": copies.shared_object.size,
                "local": copies.local_path is not None,
                "provenance": copies.provenance_object is not None,
                "url": bucket.url(copies.name),
                "path": str(copies.local_path) if copies.local_path else None,
            }

    print_records(LIST, objects(), form, header=not no_header, head={"bucket": bucket.root})
    if form is Form.TERMINAL:
        render.notice(f"{render.count(listed, 'signature')} in {bucket.root}")


@app.command()
def check(
    ids: RunsArgument = None,
    profile: ProfileOption = "",
    quick: Annotated[bool, typer.Option("--quick", help="Compare the listings only; read no signature.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Queue the runs whose objects are damaged, to compute them again.")
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Compare the local store and the bucket in both directions.

    The exit code is 1 if they differ. Without IDs, all signatures of runs are compared. If no bucket is set, the public
    signatures are compared with those in the local store.
    """
    from wort_cli.stores import transfer

    names, settings, ledger = parse_accessions(ids), *open_home()
    wanted = chosen_profile(profile, settings, ledger)
    local, bucket = stores_of(wanted, settings)
    damaged: list[Accession] = []
    form, head = Form.of(as_json=as_json), {"bucket": bucket.root, "dry_run": dry_run}
    with SyncReport(
        CHECK, "differences", len(names) or None, form, header=not no_header, head=head, lines_are_errors=True
    ) as report:

        def differences(copies: "RunCopies") -> list[transfer.Difference]:
            return list(transfer.compare(copies, bucket, quick=quick))

        for copies, found in apply_to_all(run_copies(names, local, bucket), differences, settings):
            if isinstance(found, Exception):
                report.add_outcome(copies.name, found)
                continue
            for difference in found:
                report.add(difference.name, difference.problem, difference.detail, path=place(copies, bucket))
            if transfer.DAMAGED & {difference.problem for difference in found}:
                damaged.append(copies.name)
            if not found:
                report.add_in_sync()
        listed = not (names or bucket.objects.target.public)
        for key in bucket.objects.unfinished_uploads("") if listed else ():
            report.add(key, transfer.Problem.PENDING_UPLOAD, "its parts take up space; a lifecycle rule removes them")
    if repair:
        requeue(damaged, ledger, wanted, dry_run=dry_run)
    elif damaged:
        render.notice(f"{render.count(len(damaged), 'damaged object')}: `wort sync check --repair` computes them again")
    report.exit_if_failed()


def place(copies: "RunCopies", bucket: "SharedStore") -> str:
    """Return the file of a run, or the URL of its object if there is no file."""
    return str(copies.local_path) if copies.local_path else bucket.url(copies.name)


def requeue(names: Sequence[Accession], ledger: Ledger, profile: Profile, *, dry_run: bool) -> None:
    """Queue runs again, so that new signatures replace the damaged objects."""
    requests = [JobRequest(Source(name), profile.name) for name in names]
    with ledger.transaction(write=not dry_run):
        if not dry_run:
            ledger.profiles.use(profile)
        answers = ledger.jobs.enqueue(requests, force=True, dry_run=dry_run)
    queued = sum(answer.status in (EnqueueStatus.QUEUED, EnqueueStatus.LIVE) for answer in answers)
    render.notice(f"{render.count(queued, 'run')} {'would be ' if dry_run else ''}queued to be computed again")


def apply_to_all(things: Iterable[T], do: Callable[[T], R], settings: Settings) -> Iterator[tuple[T, R | Exception]]:
    """Apply `do` to each thing in several threads; yield each with its result, or with an error of that run alone.

    An error that would affect every run, such as a full disk or an unreachable server, is raised.
    """
    from wort_cli.stores.parallel import in_parallel
    from wort_cli.stores.transfer import affects_one_run

    for thing, outcome in in_parallel(things, do, settings.s3_transfers):
        if isinstance(outcome, OSError):
            where = f" ({outcome.filename})" if outcome.filename else ""
            raise StorageProblem(
                f"{outcome.strerror or outcome}{where}", "see `wort doctor`; then run the same command again"
            )
        if isinstance(outcome, Exception) and not (isinstance(outcome, WortError) and affects_one_run(outcome)):
            raise outcome
        yield thing, outcome
