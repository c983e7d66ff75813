"""Says which signatures of a list are missing here, and why: `wort status --missing-from FILE`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wort_cli.commands.shared.arguments.wanted_names import wanted_names
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import COUNT, ID, MESSAGE, PATH, Document, Field, one_of
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.errors import shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.absence import UNKNOWN, Absence, AbsenceReason
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.upkeep.export.absences import absences_of_names

DOCUMENT = Document(
    "status missing",
    "What a list asks for and the catalog does not have (`wort status --missing-from FILE`).",
    head=(
        Field("list", PATH, "The list or the manifest"),
        Field("wanted", COUNT, "The number of names in it"),
        Field("missing", COUNT, "How many of them are missing"),
    ),
    rows="signatures",
    row=(
        Field("name", ID, "The name of the signature"),
        Field("state", one_of((*JobState, UNKNOWN)), "The state of its job; unknown if there is none"),
        Field("reason", one_of((*Reason, *AbsenceReason)), "Why it is not there"),
        MESSAGE,
    ),
    columns=("name", "state", "reason", "message"),
)


def print_missing(path: Path, ledger: Ledger, profile: str, form: Form, *, header: bool, number: int | None) -> None:
    """Print what is missing; `number` bounds the lines."""
    names = wanted_names(path)
    missing = sorted(ledger.catalog.unknown(names, profile))
    some = missing if number is None else missing[:number]
    head = {"list": str(path.absolute()), "wanted": len(names), "missing": len(missing)}
    rows = records(absences_of_names(ledger, some, profile))
    print_records(DOCUMENT, rows, form, header=header, head=head)
    if len(some) < len(missing):
        render.notice(f"and {len(missing) - len(some):,} more; --all shows them")
    render.notice(f"{len(missing):,} of {render.count(len(names), 'signature')} in {shown(str(path), 200)} are missing")


def records(absences: Iterator[Absence]) -> Iterator[dict[str, Any]]:
    """Yield absences with the keys of DOCUMENT."""
    for absence in absences:
        yield {
            "name": absence.name,
            "state": absence.state,
            "reason": absence.reason,
            "message": absence.sentence,
        }
