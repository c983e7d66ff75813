"""A list that was pasted: what this home has of it, what is under way, what is unavailable and why, what is unknown."""

import csv
import io
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from wort_cli.errors import UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.absence import UNKNOWN, AbsenceReason
from wort_cli.model.accession import Name, RecordAccession, parse_name
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
    """How it is with one name of a list."""

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
        """How many names have each standing."""
        found = Counter(answer.standing for answer in self.answers)
        return tuple((standing, found[standing]) for standing in Standing)

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
    for word in others:
        record = RecordAccession.in_text(word)
        runs = ledger.runs.of_record(record, MOST + 1) if record and len(records) < RECORDS else []
        if record and runs:
            records[word] = (str(record), len(runs))
            names.update(dict.fromkeys(map(parse_name, runs)))
    if len(names) > MOST:
        raise UsageError(f"the list has more than {MOST:,} names", f"ask for at most {MOST:,} at a time")
    rest = tuple(word for word in others if word not in records)
    return SearchPage(text, profile, tuple(answers(ledger, profile, tuple(names))), tuple(records.values()), rest)


def answers(ledger: Ledger, profile: str, names: tuple[Name, ...]) -> list[Answer]:
    """Return how it is with each name, in the order of the list."""
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
