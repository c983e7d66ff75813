"""`wort sync`: transfers signatures of runs between the local store and the bucket, and compares the two."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from wort_cli.api.signature_finder import open_bucket
from wort_cli.commands.shared import render
from wort_cli.commands.shared.bucket_tables import RemotePlaces, tell_tables
from wort_cli.commands.shared.lists import listed_words
from wort_cli.commands.shared.options import DryRunOption, JsonOption, NoHeaderOption, RunsArgument
from wort_cli.commands.shared.printing import Form, print_records
from wort_cli.commands.shared.selection import open_home
from wort_cli.commands.shared.sync_documents import CHECK, LIST, PULL, PUSH
from wort_cli.commands.shared.sync_report import SyncReport
from wort_cli.commands.shared.typed_names import typed_accessions
from wort_cli.errors import StorageProblem, UsageError, WortError, shown
from wort_cli.ledger.jobs import EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.job import JobRequest, Source
from wort_cli.model.profile import profile_named
from wort_cli.settings import Settings, load_settings
from wort_cli.stores.local import LocalStore

if TYPE_CHECKING:
    from wort_cli.model.provenance import Recorded, SignatureRecord
    from wort_cli.stores.run_copies import RunCopies
    from wort_cli.stores.shared import Outcome, SharedStore

T = TypeVar("T")
R = TypeVar("R")
STRAYS_NAMED = 10
"""Files in the store that are not wort's, of which a command names this many."""
app = typer.Typer(help="Transfer signatures to or from the bucket, or compare.", no_args_is_help=True)


@app.command()
def push(
    ids: RunsArgument = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Upload signatures that the bucket does not have.

    Only signatures that were computed or verified here are uploaded. Without IDs: all runs in the local store, and then
    the tables of what is there (SOURMASH-MANIFEST.parquet, catalog/) and of what is not, and why (absent/).
    """
    from wort_cli.stores import transfer

    names, settings, ledger = parse_accessions(ids), *open_home()
    local, bucket = LocalStore(settings.store_dir), open_bucket(settings, settings.s3_transfers + 1)
    check_writable(settings)
    profile = profile_named(settings.profile).name
    verb = "would be pushed" if dry_run else "pushed"
    form, head = Form.of(as_json=as_json), {"bucket": bucket.root, "dry_run": dry_run}
    with SyncReport(PUSH, verb, len(names) or None, form, header=not no_header, head=head) as report:
        report_missing(names, local, report)
        places = RemotePlaces(ledger, profile)

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
        items = ((copies, ledger.catalog.get(copies.name, profile)) for copies in signatures_to_push())
        for (copies, _), outcome in apply_to_all(items, push_one, settings):
            report.add_outcome(copies.name, outcome, done="put", path=str(copies.local_path))
            if not isinstance(outcome, Exception):
                places.add(copies.name, bucket.url(copies.name))
        places.record()
        if not names:
            tell_tables(lambda tables: tables.publish(), ledger, bucket, settings)


@app.command()
def pull(
    ids: RunsArgument = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Download signatures that the local store does not have.

    Without IDs: all signatures in the bucket; and which runs other homes found to be unavailable is recorded.
    """
    from wort_cli.stores import transfer

    names, settings, ledger = parse_accessions(ids), *open_home()
    local, bucket = LocalStore(settings.store_dir), open_bucket(settings, settings.s3_transfers + 1)
    profile = profile_named(settings.profile).name
    verb = "would be pulled" if dry_run else "pulled"
    form, head = Form.of(as_json=as_json), {"bucket": bucket.root, "dry_run": dry_run}
    with SyncReport(PULL, verb, len(names) or None, form, header=not no_header, head=head) as report:
        if not names:
            name_strays(local)

        def signatures_to_pull() -> "Iterator[tuple[Accession, Recorded | None]]":
            for name in names or runs_in_bucket(bucket, ledger, profile):
                if local.has(name):
                    report.add_in_sync()
                else:
                    record = ledger.catalog.get(name, profile)
                    yield name, record.recorded if record else None

        if dry_run:
            for name, _ in signatures_to_pull():
                report.add(name, "would be pulled", path=bucket.url(name))
            return
        # Only this thread reads the ledger, because an SQLite connection belongs to one thread.
        for (name, _), outcome in apply_to_all(
            signatures_to_pull(), lambda item: transfer.pull(item[0], local, bucket, profile, item[1]), settings
        ):
            if not isinstance(outcome, Exception):
                with ledger.storage.transaction():
                    ledger.catalog.record(outcome)
            path = bucket.url(name) if isinstance(outcome, Exception) else str(local.path(name))
            report.add_outcome(name, outcome, done="pulled", path=path)
        if not names:
            tell_tables(lambda tables: tables.pull_absences(), ledger, bucket, settings)


@app.command("ls")
def list_bucket(ids: RunsArgument = None, as_json: JsonOption = False, no_header: NoHeaderOption = False) -> None:
    """List the signatures in the bucket: name, bytes, whether the local store has it, and whether it has provenance.

    Without IDs: all signatures of runs. Their content is not read; `wort sync check` reads it.
    """
    names, settings = parse_accessions(ids), load_settings()
    local, bucket = LocalStore(settings.store_dir), open_bucket(settings)
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
    quick: Annotated[bool, typer.Option("--quick", help="Compare the listings only; read no signature.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Queue the runs whose objects are damaged, to compute them again.")
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Compare the local store and the bucket in both directions.

    The exit code is 1 if they differ. Without IDs, all signatures of runs are compared.
    """
    from wort_cli.stores import transfer

    names, settings, ledger = parse_accessions(ids), *open_home()
    local, bucket = LocalStore(settings.store_dir), open_bucket(settings, settings.s3_transfers + 1)
    profile = profile_named(settings.profile).name
    damaged: list[Accession] = []
    form, head = Form.of(as_json=as_json), {"bucket": bucket.root, "dry_run": dry_run}
    with SyncReport(
        CHECK, "differences", len(names) or None, form, header=not no_header, head=head, lines_are_errors=True
    ) as report:

        def differences(copies: "RunCopies") -> list[transfer.Difference]:
            return list(transfer.compare(copies, bucket, profile, quick=quick))

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
        for key in () if names else bucket.objects.unfinished_uploads(""):
            report.add(key, transfer.Problem.PENDING_UPLOAD, "its parts take up space; a lifecycle rule removes them")
    if repair:
        requeue(damaged, ledger, profile, dry_run=dry_run)
    elif damaged:
        render.notice(f"{render.count(len(damaged), 'damaged object')}: `wort sync check --repair` computes them again")
    report.exit_if_failed()


def place(copies: "RunCopies", bucket: "SharedStore") -> str:
    """Return the file of a run, or the URL of its object if there is no file."""
    return str(copies.local_path) if copies.local_path else bucket.url(copies.name)


def requeue(names: Sequence[Accession], ledger: Ledger, profile: str, *, dry_run: bool) -> None:
    """Queue runs again, so that new signatures replace the damaged objects."""
    answers = ledger.jobs.enqueue([JobRequest(Source(name), profile) for name in names], force=True, dry_run=dry_run)
    queued = sum(answer.status in (EnqueueStatus.QUEUED, EnqueueStatus.LIVE) for answer in answers)
    render.notice(f"{render.count(queued, 'run')} {'would be ' if dry_run else ''}queued to be computed again")


def parse_accessions(words: Sequence[str] | None) -> list[Accession]:
    """Return the accessions that were named, sorted and without duplicates; UsageError if one is invalid."""
    found = [word for _, word in listed_words(words or (), None)]
    if words and not found:
        raise UsageError("no runs were named", "without `-`, all runs are selected")
    return sorted(typed_accessions(found))


def run_copies(names: Sequence[Accession], local: LocalStore, bucket: "SharedStore") -> Iterator["RunCopies"]:
    """Yield what the local store and the bucket have of each named run, or of all runs."""
    from wort_cli.stores.run_copies import all_run_copies, copies_of_runs

    if not names:
        name_strays(local)
    return copies_of_runs(names, local, bucket) if names else all_run_copies(local, bucket)


def runs_in_bucket(bucket: "SharedStore", ledger: Ledger, profile: str) -> Iterator[Accession]:
    """Yield the runs that the bucket lists, and those that the catalog records there, in order."""
    from wort_cli.stores.run_copies import list_runs

    listed = ((name, True) for name, _ in list_runs(bucket, "sigs/", ".sig"))
    recorded = ((name, False) for name in ledger.catalog.remote_names(profile) if isinstance(name, Accession))
    merged = heapq.merge(listed, recorded, key=itemgetter(0))
    for name, places in groupby(merged, key=itemgetter(0)):
        record = None if any(is_listed for _, is_listed in places) else ledger.catalog.get(name, profile)
        if record is None or record.remote.startswith(bucket.root):  # else it is in another bucket
            yield name


def name_strays(local: LocalStore) -> None:
    """Write to stderr what is in the store and is not a file of wort's."""
    for number, stray in enumerate(local.strays()):
        if number == STRAYS_NAMED:
            render.notice("and more: `wort doctor` names all of them")
            break
        render.notice(f"{shown(str(stray), 300)} is not a file of wort's; it is passed over")


def report_missing(names: Sequence[Accession], local: LocalStore, report: SyncReport) -> None:
    """Report the named runs that have no signature in the local store."""
    for name in names:
        if not local.has(name):
            detail = f"the local store has no signature of {name}: `wort compute {name}`"
            report.add(name, "failed", detail, failed=True)


def check_writable(settings: Settings) -> None:
    """Raise UsageError if the settings do not permit uploads."""
    if settings.s3_unsigned:
        raise UsageError("uploads need credentials", "set s3_unsigned = false")


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
