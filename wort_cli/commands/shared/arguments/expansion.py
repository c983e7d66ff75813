"""Expands projects, studies, experiments and samples into their runs, for the commands that enqueue runs.

What is learned of the runs, from the lists of ENA and NCBI or from tables of the user, is recorded in the ledger.
"""

import sys
from collections.abc import Callable, Iterable, Iterator

from wort_cli.api.listings import record_listing
from wort_cli.commands.shared.arguments.lists import table_runs
from wort_cli.commands.shared.showing import render
from wort_cli.errors import UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.runs import Amounts
from wort_cli.model.accession import Accession, RecordAccession
from wort_cli.model.units import format_bases, format_bytes
from wort_cli.pipeline.projects.kept import Listing
from wort_cli.settings import Settings


class Expander:
    """Expands records, and remembers what their runs are; with `amounts`, also how many bases and bytes each has."""

    def __init__(self, settings: Settings, notice: Callable[[str], None], *, amounts: bool = False) -> None:
        self._settings = settings
        self._notice = notice
        self._has_amounts = amounts
        self._listings: list[Listing] = []
        self._tables: list[tuple[str, str]] = []
        self.selected_by: dict[str, str] = {}
        """The record that selected each run."""
        self._amounts: dict[str, tuple[int | None, int | None]] = {}
        """The bases and bytes of each run."""

    def runs(self, record: RecordAccession) -> Iterator[Accession]:
        """Yield the runs of a record.  Raises NotListed or NoRuns."""
        from wort_cli.pipeline.projects.listing import list_runs

        listing = list_runs(record, self._settings)
        self._listings.append(listing)
        self._notice(summary(listing))
        for sentence in listing.sentences():
            self._notice(render.printable(sentence))
        selection = str(record)
        for row in listing.rows():
            run = Accession.parse(row.run.run)
            self.selected_by.setdefault(run, selection)
            if self._has_amounts:
                self._amounts[run] = row.run.bases, row.run.bytes
            yield run

    def note_table(self, place: str, text: str) -> None:
        """Remember a list of the user, which may be a table with metadata."""
        self._tables.append((place, text))
        if self._has_amounts:
            self._amounts.update((run.run, (run.bases, run.bytes)) for run in table_runs(text))

    def check_limit(self, limit: int, *, yes: bool) -> None:
        """Ask before the expansion of records to more than `limit` runs; in a script, raise UsageError."""
        number = len(self.selected_by)
        if number <= limit or yes:
            return
        what = f"{render.count(number, 'run')} would be computed, more than {limit:,}"
        if sys.stdin.isatty() and render.is_terminal(sys.stderr):
            sys.stderr.write(f"{what}. Continue? [y/N] ")
            sys.stderr.flush()
            if sys.stdin.readline().strip().lower() in ("y", "yes"):
                return
        raise UsageError(f"{what}; nothing was queued", "confirm with --yes, or raise --limit")

    def record(self, ledger: Ledger, *, dry_run: bool = False) -> None:
        """Record in the ledger what was learned, unless nothing may be changed."""
        if dry_run:
            return
        for listing in self._listings:
            record_listing(ledger, listing)
        for place, text in self._tables:
            ledger.runs.record((run, place) for run in table_runs(text))

    def bases(self, names: Iterable[str], ledger: Ledger) -> dict[str, int]:
        """Return the bases of runs, as far as they are known from what was expanded, or to the ledger."""
        wanted = list(names)
        learned = {name: bases for name in wanted if (bases := self._amounts.get(name, (None, None))[0]) is not None}
        return {**ledger.runs.bases(name for name in wanted if name not in learned), **learned}

    def amounts(self, names: Iterable[str], ledger: Ledger) -> Amounts:
        """Return the bases and bytes of runs, as far as they are known from what was expanded, or to the ledger."""
        total, others = [0, 0, 0, 0], []
        for name in names:
            if name not in self._amounts:
                others.append(name)
                continue
            bases, size = self._amounts[name]
            for n, value in ((0, bases), (2, size)):
                if value is not None:
                    total[n] += 1
                    total[n + 1] += value
        known = ledger.runs.amounts(others)
        return Amounts(
            total[0] + known.with_bases, total[1] + known.bases, total[2] + known.with_bytes, total[3] + known.bytes
        )


def summary(listing: Listing) -> str:
    """Return how many runs a listing has, of how many bases and bytes, in a sentence."""
    amounts = [format_bases(listing.bases)] if listing.bases else []
    amounts += [f"archives of {format_bytes(listing.bytes)}"] if listing.bytes else []
    services = " and ".join(witness.service for witness in listing.witnesses if witness.runs is not None)
    return f"{listing.selection}: {', '.join([render.count(listing.runs, 'run'), *amounts])} (listed by {services})"
