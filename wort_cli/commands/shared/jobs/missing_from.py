"""Says which signatures of a list are missing here, and why: `wort status --missing-from FILE|public`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from wort_cli.commands.shared.arguments.wanted_names import wanted_names
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import COUNT, ID, MESSAGE, PATH, Document, Field, one_of
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.errors import UsageError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.absence import UNKNOWN, Absence, AbsenceReason
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.settings import Settings
from wort_cli.upkeep.export.absences import absences_of_names

DOCUMENT = Document(
    "status missing",
    "What a list asks for and the catalog does not have (`wort status --missing-from FILE|public`).",
    head=(
        Field("list", PATH, "The list or the manifest; the URL of that of the public signatures"),
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


PUBLIC = "public"
"""The word for the manifest of the public signatures; a file of this name is `./public`."""


@dataclass(frozen=True)
class Wanted:
    """A list of names, each once."""

    place: str
    title: str
    number: int
    names: Callable[[], Iterable[str]]
    """Returns the names in order; each call starts again."""


def wanted_of(word: str, settings: Settings, profile: Profile, *, offline: bool) -> Wanted:
    """Return the names in a file, or those of the public signatures.  Raises UsageError, NoSuchFile or StoreError."""
    if word != PUBLIC:
        names = wanted_names(Path(word))
        return Wanted(str(Path(word).absolute()), shown(word, 200), len(names), lambda: names)
    from wort_cli.upkeep.catalog.public_runs import public_runs

    if profile != SRA_V1:
        raise UsageError(f"the public signatures have the profile {SRA_V1.name}, not {profile.name}")
    found = public_runs(settings, lambda sentence: render.notice(render.printable(sentence)), offline=offline)
    if found.left_out:
        render.notice(f"{render.count(found.left_out, 'name')} of the manifest left out: not those of runs")
    return Wanted(found.url, render.printable(found.url), found.runs, found.names)


def print_missing(
    wanted: Wanted, ledger: Ledger, profile: str, form: Form, *, header: bool, number: int | None
) -> None:
    """Print what is missing; `number` bounds the lines."""
    missing = sum(1 for _ in ledger.catalog.unknown(wanted.names(), profile))
    some = islice(ledger.catalog.unknown(wanted.names(), profile), number)
    head = {"list": wanted.place, "wanted": wanted.number, "missing": missing}
    print_records(DOCUMENT, records(absences_of_names(ledger, some, profile)), form, header=header, head=head)
    if number is not None and number < missing:
        render.notice(f"and {missing - number:,} more; --all shows them")
    render.notice(f"{missing:,} of {render.count(wanted.number, 'signature')} in {wanted.title} are missing")


def records(absences: Iterator[Absence]) -> Iterator[dict[str, Any]]:
    """Yield absences with the keys of DOCUMENT."""
    for absence in absences:
        yield {
            "name": absence.name,
            "state": absence.state,
            "reason": absence.reason,
            "message": absence.sentence,
        }
