"""`wort rm`: removes signatures from the local store."""

import sys
from typing import Annotated

import typer

from wort_cli.commands.shared.arguments.options import DryRunOption, JsonOption, NoHeaderOption, ProfileOption
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home
from wort_cli.commands.shared.arguments.typed_names import typed_name
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BYTES, ID, PATH, PATH_FIELD, Document, Field, one_of
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.errors import StorageProblem, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.profile import profile_for
from wort_cli.model.provenance import SignatureRecord
from wort_cli.stores.local import LocalStore

REMOVED, WOULD_BE_REMOVED = "removed", "would be removed"
DOCUMENT = Document(
    "rm",
    "The signatures that were removed from the local store.",
    rows="signatures",
    row=(
        Field("name", ID, "The name of the signature"),
        Field("state", one_of((REMOVED, WOULD_BE_REMOVED)), "What was done, or would be"),
        Field("size", BYTES, "The size of the file"),
        Field("url", PATH, "The copy in the bucket, which stays", optional=True, title="stays in"),
        PATH_FIELD,
    ),
    columns=("name", "state", "size", "url", "path"),
)


def rm(
    names: Annotated[list[str], typer.Argument(metavar="ID", help="Names of signatures.")],
    profile: ProfileOption = "",
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Remove signatures from the local store, with their provenance.

    A copy in the bucket stays there. A signature that is nowhere else must be computed again.
    """
    settings, ledger = open_home()
    wanted = chosen_profile(profile, settings, ledger).name
    records = [find(word, wanted, ledger) for word in dict.fromkeys(names)]
    local = LocalStore(settings.store_dir, wanted)
    rows = [
        {
            "name": str(record.name),
            "state": WOULD_BE_REMOVED if dry_run else REMOVED,
            "size": record.size,
            "url": record.remote or None,
            "path": str(local.path(record.name)),
        }
        for record in records
    ]
    if not (yes or dry_run):
        confirm(records)
    if not dry_run:
        for record in records:
            remove(record, local, ledger)
    print_records(DOCUMENT, rows, Form.of(as_json=as_json), header=not no_header)
    done = WOULD_BE_REMOVED if dry_run else REMOVED
    render.notice(f"{render.count(len(records), 'signature')} {done}; {fate(records)}")


def find(word: str, profile: str, ledger: Ledger) -> SignatureRecord:
    """Return the record of a signature that can be removed from the local store; UsageError if there is none."""
    name = typed_name(word)
    record = ledger.catalog.get(name, profile)
    if record is None or not record.path:
        where = "; it is in the bucket only" if record else ""
        raise UsageError(f"the local store has no signature of {name}{where}", "`wort status` lists the jobs")
    for job in ledger.jobs.named(name):
        if job.state.is_live and job.profile == profile_for(name, profile):
            raise UsageError(
                f"job {job.id} of {name} is {job.state}", f"wait for it, or cancel it: `wort cancel {job.id}`"
            )
    return record


def confirm(records: list[SignatureRecord]) -> None:
    """Ask on a terminal; UsageError if the answer is not yes, or if nobody can be asked."""
    question = f"remove {render.count(len(records), 'signature')} ({fate(records)})?"
    if not (render.is_terminal(sys.stdin) and render.is_terminal(sys.stderr)):
        raise UsageError(f"{question} Nothing was removed", "--yes removes without asking")
    if not typer.confirm(question, err=True):
        raise UsageError("nothing was removed")


def fate(records: list[SignatureRecord]) -> str:
    """Return how many of the signatures are elsewhere, too."""
    lost = sum(not record.remote for record in records)
    if not lost:
        return "the bucket has a copy" if len(records) == 1 else "the bucket has copies"
    if len(records) == 1:
        return "it is nowhere else"
    return f"{lost:,} {'is' if lost == 1 else 'are'} nowhere else"


def remove(record: SignatureRecord, local: LocalStore, ledger: Ledger) -> None:
    """Remove a signature and its provenance; the catalog keeps a record of one that is in the bucket.

    Whether the bucket still has it is not asked.
    """
    key = {"name": str(record.name), "profile": record.profile}
    try:
        with ledger.transaction():
            if record.remote:
                ledger.storage.change("clear_path", **key)
            else:
                ledger.storage.change("remove_signature", **key, path=record.path)
            local.path(record.name).unlink(missing_ok=True)
            local.provenance_path(record.name).unlink(missing_ok=True)
    except OSError as error:
        raise StorageProblem(f"{error.filename}: {error.strerror}", "see `wort doctor`") from error
