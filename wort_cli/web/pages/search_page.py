"""A list that was pasted: what this home has of it, what is under way, what is unavailable and why, what is unknown."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wort_cli.errors import UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.absence import UNKNOWN, AbsenceReason
from wort_cli.model.accession import Accession, Name, RecordAccession, parse_name, public_accession
from wort_cli.model.job import JobState
from wort_cli.model.provenance import Trust
from wort_cli.upkeep.export.absences import absences_of_names
from wort_cli.web.pages.places import database_of, names_in
from wort_cli.web.pages.words import OF_STATE, Standing

MOST = 10_000
"""Names of a list."""
RECORDS = 3
"""Projects and samples of a list; finding the runs of each reads the table of runs."""
SHOWN = 1000
"""Rows that a page shows; the CSV file has all."""
COLUMNS = ("name", "standing", "state", "reason", "message", "trust")


@dataclass(frozen=True)
class Answer:
    """The standing of one name of a list."""

    name: str
    database: str
    standing: Standing
    state: str
    reason: str | None
    message: str
    trust: str | None


@dataclass(frozen=True)
class SearchPage:
    """The answers to a list."""

    query: str
    profile: str
    answers: tuple[Answer, ...]
    records: tuple[tuple[str, int], ...]
    """Projects and samples in the list, with the number of their runs that are known here."""
    not_understood: tuple[str, ...]

    @property
    def counts(self) -> tuple[tuple[Standing, int], ...]:
        """The number of names with each standing."""
        found = Counter(answer.standing for answer in self.answers)
        return tuple((standing, found[standing]) for standing in Standing)

    @property
    def missing(self) -> int:
        """The number of signatures that can be queued."""
        return len(names_to_queue(self.answers))

    @property
    def unavailable(self) -> int:
        """The number of signatures that are known to be unavailable, and can only be queued again."""
        return len(names_to_queue(self.answers, retry=True)) - self.missing

    @property
    def shown(self) -> tuple[Answer, ...]:
        """The answers that the page shows."""
        return self.answers[:SHOWN]

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return {
            "profile": self.profile,
            "counts": {str(standing): n for standing, n in self.counts},
            "answers": [asdict(answer) for answer in self.answers],
            "records": [{"record": record, "runs": n} for record, n in self.records],
            "not_understood": list(self.not_understood),
        }

    def csv(self) -> str:
        """Return the answers as CSV; a cell that a spreadsheet would take for a formula gets a quote in front."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for answer in self.answers:
            values = asdict(answer)
            writer.writerow([harmless(str(values[column] or "")) for column in COLUMNS])
        return text.getvalue()


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def search_page(ledger: Ledger, profile: str, text: str) -> SearchPage:
    """Return the answers to a list; projects and samples stand for their runs.  Raises UsageError if it is too long."""
    named, others = names_in(text)
    names, records = dict.fromkeys(named), dict[str, tuple[str, int]]()
    tried = 0
    for word in others:
        record = RecordAccession.in_text(word)
        tried += record is not None
        runs = ledger.runs.of_record(record, MOST + 1) if record and tried <= RECORDS else []
        if record and runs:
            records[word] = (str(record), len(runs))
            names.update(dict.fromkeys(map(parse_name, runs)))
    if len(names) > MOST:
        raise UsageError(f"the list has more than {MOST:,} names", f"ask for at most {MOST:,} at a time")
    rest = tuple(word for word in others if word not in records)
    return SearchPage(text, profile, tuple(answers(ledger, profile, tuple(names))), tuple(records.values()), rest)


def answers(ledger: Ledger, profile: str, names: tuple[Name, ...]) -> list[Answer]:
    """Return the standing of each name, in the order of the list."""
    found: dict[str, Answer] = {}
    words = sorted(map(str, names))
    for entry in ledger.catalog.sketches.entries(profile, names=words):
        if entry.trust is not Trust.MISMATCH:
            found[entry.name] = Answer(
                entry.name, database_of(entry.name), Standing.HAVE, str(JobState.DONE), None, "", str(entry.trust)
            )
    for absence in absences_of_names(ledger, [word for word in words if word not in found], profile):
        standing = Standing.UNKNOWN if absence.state == UNKNOWN else OF_STATE[JobState(absence.state)]
        has_reason = absence.reason not in (AbsenceReason.NOT_REQUESTED, AbsenceReason.NOT_DONE)
        found[absence.name] = Answer(
            absence.name,
            database_of(absence.name),
            standing,
            absence.state,
            absence.reason if has_reason else None,
            absence.sentence if has_reason else "",
            None,
        )
    return [found[str(name)] for name in names]


def missing_names(ledger: Ledger, profile: str, text: str, *, retry: bool = False) -> list[Accession]:
    """Return the runs and assemblies of a list that can be queued; `retry`: also those that are unavailable."""
    return names_to_queue(search_page(ledger, profile, text).answers, retry=retry)


def names_to_queue(answers: Sequence[Answer], *, retry: bool = False) -> list[Accession]:
    """Return which of the answers are about runs and assemblies that can be queued."""
    wanted = {Standing.UNKNOWN, Standing.FAILED} | ({Standing.UNAVAILABLE} if retry else set())
    found = [public_accession(answer.name) for answer in answers if answer.standing in wanted]
    return [name for name in found if name is not None]
