"""Selects the sketches of a signature for an export, and how they are written."""

from dataclasses import dataclass

from wort_cli.ledger.sketches import Entry
from wort_cli.model.sketch_row import SketchRow
from wort_cli.upkeep.export.picklist import Picklist


@dataclass(frozen=True)
class Chosen:
    """A sketch that an export takes: its position in the file, and its row there."""

    position: int
    row: SketchRow


@dataclass(frozen=True)
class SketchSelection:
    """The sketches that an export takes."""

    ksizes: frozenset[int] = frozenset()
    """Empty for all."""
    moltype: str = ""
    """Empty for all."""
    scaled: int = 0
    """The sketches are reduced to it; 0 leaves them as they are."""
    separate: bool = False
    """Whether each sketch becomes a file of its own, as sourmash writes them."""
    picklist: Picklist | None = None

    def of(self, entry: Entry) -> list[Chosen]:
        """Return the sketches of a signature that are taken; none that would have to be enlarged."""
        return [
            Chosen(position, row)
            for position, row in enumerate(entry.sketches)
            if (not self.ksizes or row.ksize in self.ksizes)
            and (not self.moltype or row.moltype == self.moltype)
            and (not self.scaled or 0 < row.scaled <= self.scaled)
            and (self.picklist is None or self.picklist.selects(entry.title, row.md5))
        ]

    def takes_file(self, entry: Entry, chosen: list[Chosen]) -> bool:
        """Return whether the file is taken as it is: all of its sketches, unchanged and together."""
        return (
            len(chosen) == len(entry.sketches)
            and not (self.separate and len(chosen) > 1)
            and not any(self.reduces(one.row) for one in chosen)
        )

    def reduces(self, row: SketchRow) -> bool:
        """Return whether a sketch loses hashes."""
        return bool(self.scaled) and row.scaled != self.scaled

    def mark(self, entry: Entry, chosen: list[Chosen]) -> bytes:
        """Return what identifies the content of a collection's members: equal marks, equal content."""
        if self.takes_file(entry, chosen):
            return entry.sha256.encode()
        sketches = ",".join(str(one.position) for one in chosen)
        return f"{entry.sha256} {sketches} {self.scaled} {int(self.separate)}".encode()
