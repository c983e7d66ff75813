"""`wort sync`: signatures of runs between the local store and the bucket; push, pull, check."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.context import begin
from wort_cli.commands.shared.signature_finder import open_bucket
from wort_cli.commands.shared.sources import lines_of, text_of
from wort_cli.commands.shared.tally import Tally
from wort_cli.errors import StorageProblem, UsageError, WortError
from wort_cli.ledger.jobs import EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.job import JobRequest, Source
from wort_cli.model.profile import profile_named
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore

if TYPE_CHECKING:
    from wort_cli.stores.run_copies import RunCopies
    from wort_cli.stores.shared import SharedStore

T = TypeVar("T")
R = TypeVar("R")
app = typer.Typer(help="Bring signatures to the bucket, or from there; compare.", no_args_is_help=True)

IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ID|-", help="Accessions of runs, or - to read them from stdin.")
]
DryRunOption = Annotated[bool, typer.Option("-n", "--dry-run", help="Say what would be done, and do nothing.")]
LinesOption = Annotated[bool, typer.Option("--json", help="Print JSON, a document a line.")]


@app.command()
def push(ids: IdsArgument = None, dry_run: DryRunOption = False, as_json: LinesOption = False) -> None:
    """Publish the signatures that are here and not in the bucket (default: all)."""
    from wort_cli.stores import transfer

    names, settings, _ = names_of(ids), *begin()
    local, shared = LocalStore(settings.store_dir), open_bucket(settings, settings.s3_transfers + 1)
    check_writable(settings)
    with Tally("pushed", len(names) or None, as_json=as_json) as tally:
        missing_here(names, local, tally)

        def those_to_send() -> Iterator["RunCopies"]:
            for copies in run_copies(names, local, shared):
                if copies.local_path is not None and transfer.is_in_bucket(copies):
                    tally.skip()
                elif copies.local_path is not None:
                    yield copies

        if dry_run:
            for copies in those_to_send():
                tally.tell(copies.name, "would be put" if copies.shared_object is None else "would be compared")
            return
        for copies, outcome in carried_out(those_to_send(), lambda s: transfer.push(s, local, shared), settings):
            tally.tell_outcome(copies.name, outcome, done="put")


@app.command()
def pull(ids: IdsArgument = None, dry_run: DryRunOption = False, as_json: LinesOption = False) -> None:
    """Bring signatures here from the bucket (default: those of the catalog that are not here)."""
    from wort_cli.stores import transfer

    names, settings, ledger = names_of(ids), *begin()
    local, shared = LocalStore(settings.store_dir), open_bucket(settings, settings.s3_transfers + 1)
    profile = profile_named(settings.profile).name
    with Tally("pulled", len(names) or None, as_json=as_json) as tally:

        def those_to_bring() -> Iterator[tuple[Accession, str]]:
            for name in names or ledger.catalog.remote_names(profile):
                if local.has(name):
                    tally.skip()
                elif isinstance(name, Accession):
                    record = ledger.catalog.get(name, profile)
                    yield name, record.digest if record else ""

        if dry_run:
            for name, _ in those_to_bring():
                tally.tell(name, "would be pulled")
            return
        # All that is read of the ledger is read in this thread: its connection is not to be shared.
        for (name, _), outcome in carried_out(
            those_to_bring(), lambda item: transfer.pull(item[0], local, shared, profile, item[1]), settings
        ):
            if not isinstance(outcome, Exception):
                ledger.catalog.record(outcome)
            tally.tell_outcome(name, outcome, done="pulled")


@app.command()
def check(
    ids: IdsArgument = None,
    quick: Annotated[bool, typer.Option("--quick", help="By the listings alone; read no signature.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Queue again the runs whose objects are damaged.")] = False,
    dry_run: DryRunOption = False,
    as_json: LinesOption = False,
) -> None:
    """Compare the local store and the bucket, both ways; exit code 1 if they differ."""
    from wort_cli.stores import transfer

    names, settings, ledger = names_of(ids), *begin()
    local, shared = LocalStore(settings.store_dir), open_bucket(settings, settings.s3_transfers + 1)
    profile = profile_named(settings.profile).name
    damaged: list[Accession] = []
    with Tally("differences", len(names) or None, as_json=as_json, bad=True) as tally:

        def differences(copies: "RunCopies") -> list[transfer.Difference]:
            return list(transfer.compare(copies, shared, profile, quick=quick))

        for copies, found in carried_out(run_copies(names, local, shared), differences, settings):
            if isinstance(found, Exception):
                tally.tell_outcome(copies.name, found)
                continue
            for difference in found:
                tally.tell(difference.name, difference.problem, difference.detail)
            if transfer.DAMAGED & {difference.problem for difference in found}:
                damaged.append(copies.name)
            if not found:
                tally.skip()
        for key in () if names else shared.objects.unfinished_uploads(""):
            tally.tell(key, transfer.Problem.PENDING_UPLOAD, "parts of it take space; a lifecycle rule removes them")
    if repair:
        queue_again(damaged, ledger, profile, dry_run=dry_run)
    elif damaged:
        render.say(f"{render.count(len(damaged), 'damaged object')}: `wort sync check --repair` computes them again")
    tally.end()


def queue_again(names: Sequence[Accession], ledger: Ledger, profile: str, *, dry_run: bool) -> None:
    """Queue runs, to be computed and put in the place of what is damaged."""
    answers = ledger.jobs.enqueue([JobRequest(Source(name), profile) for name in names], force=True, dry_run=dry_run)
    queued = sum(answer.status in (EnqueueStatus.QUEUED, EnqueueStatus.LIVE) for answer in answers)
    render.say(f"{render.count(queued, 'run')} {'would be ' if dry_run else ''}queued to be computed again")


def names_of(words: Sequence[str] | None) -> list[Accession]:
    """The runs that were named, each once; UsageError if one of them is no run."""
    typed = [word for word in words or () if word != "-"]
    if words and "-" in words:
        typed += [line for _, line in lines_of(text_of(sys.stdin.buffer.read()))]
    if words and not typed:
        raise UsageError("no runs were named", "leave - away for all of them")
    return sorted({Accession.parse(word) for word in typed})


def run_copies(names: Sequence[Accession], local: LocalStore, shared: "SharedStore") -> Iterator["RunCopies"]:
    """What there is, here and there, of these runs, or of all."""
    from wort_cli.stores.run_copies import all_run_copies, copies_of_runs

    return copies_of_runs(names, local, shared) if names else all_run_copies(local, shared)


def missing_here(names: Sequence[Accession], local: LocalStore, tally: Tally) -> None:
    """Tell of the runs that were named and are not here."""
    for name in names:
        if not local.has(name):
            tally.tell(name, "failed", f"there is no signature of {name} here: `wort compute {name}`", bad=True)


def check_writable(settings: Settings) -> None:
    """UsageError if nothing can be published."""
    if settings.s3_unsigned:
        raise UsageError("nothing can be published without credentials", "set s3_unsigned = false")


def carried_out(things: Iterable[T], do: Callable[[T], R], settings: Settings) -> Iterator[tuple[T, R | Exception]]:
    """Do it to all, several at a time; a trouble that all would meet ends it."""
    from wort_cli.stores.parallel import in_parallel
    from wort_cli.stores.transfer import affects_one_run

    for thing, outcome in in_parallel(things, do, settings.s3_transfers):
        if isinstance(outcome, OSError):
            where = f" ({outcome.filename})" if outcome.filename else ""
            raise StorageProblem(
                f"{outcome.strerror or outcome}{where}", "see `wort doctor`; then the same command again"
            )
        if isinstance(outcome, Exception) and not (isinstance(outcome, WortError) and affects_one_run(outcome)):
            raise outcome
        yield thing, outcome
