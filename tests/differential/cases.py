"""Draws the cases of the differential test, each from its seed, and builds their archives."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

from tests.differential.alignments import SamHabits, draw_contigs, draw_sam_habits, sam_of
from tests.differential.layouts import CLIPS, CODES, KINDS, PROPERTIES, TableKind, schema_of, typed
from tests.differential.spots import Habits, draw_habits, draw_rows
from tests.support import references
from tests.support.general_loader import TableRows, load_database
from tests.support.loaders import load_fastq
from tests.support.simulated_spots import Read, Spot, random_bases
from tests.support.tools import run

NAME = "case"
"""The archive's name without suffix."""
REMOVED = (
    "READ_START",
    "READ_LEN",
    "READ_TYPE",
    "RD_FILTER",
    "RD_FILTER",
    "ALTREAD",
    "READ",
    "NAME",
    "PLATFORM",
    *CLIPS,
)
"""Columns on disk that an archive may lack."""
OTHER_TABLES = ("CONSENSUS", "PASSES", "EXTRA")


class Case(Protocol):
    """An archive that is drawn and not yet built."""

    @property
    def seed(self) -> str:
        """The case is drawn again from it."""

    @property
    def layout(self) -> str:
        """The kind of archive that it is counted as."""

    @property
    def rows(self) -> int:
        """The number of spots of the table that fastq-dump reads."""

    def build(self, directory: Path) -> Path:
        """Build the archive in an empty directory; return its path.  Raises ToolError if the loader rejects it."""


def draw_case(seed: str) -> Case:
    """Return the case of a seed."""
    rng = Random(f"differential {seed}")
    draws: tuple[Callable[[str, Random], Case], ...] = (draw_table_case, draw_aligned_case, draw_fastq_case)
    return rng.choices(draws, [84, 12, 4])[0](seed, rng)


# ---- Tables of any type


@dataclass(frozen=True)
class Table:
    """A table that is to be written."""

    kind: TableKind
    columns: tuple[str, ...]
    habits: Habits

    def __str__(self) -> str:
        return f"{self.kind.name} ({', '.join(self.columns)}; {self.habits})"


@dataclass(frozen=True)
class TableCase:
    """An archive of general-loader."""

    seed: str
    layout: str
    tables: Mapping[str, Table]
    packed: str
    """The table that alone becomes the archive, or '' if the database does."""
    removed: str
    """A column that is removed from the files of the first table afterwards, or ''."""

    def __str__(self) -> str:
        tables = "; ".join(f"{name}: {table}" for name, table in self.tables.items())
        what = f"the table {self.packed}" if self.packed else "a database"
        return f"{what}{f' without {self.removed}' if self.removed else ''}: {tables}"

    @property
    def rows(self) -> int:
        """See Case."""
        first = self.packed or ("CONSENSUS" if "CONSENSUS" in self.tables else "SEQUENCE")
        return self.tables[first].habits.spots if first in self.tables else 0

    def build(self, directory: Path) -> Path:
        """See Case."""
        schema, database = directory / "case.vschema", directory / "database"
        schema.write_text(schema_of({name: table.kind for name, table in self.tables.items()}))
        rows = [
            TableRows(
                name,
                {typed(column): CODES[column][1] for column in table.columns},
                draw_rows(table.habits, Random(f"{self.seed} {name}")),
            )
            for name, table in self.tables.items()
        ]
        load_database(schema, "TEST:differential:db", rows, database)
        first = database / "tbl" / next(iter(self.tables))
        if self.removed and (column := first / "col" / self.removed).exists():
            run(["chmod", "-R", "u+w", first])
            shutil.rmtree(column)
        return pack(database / "tbl" / self.packed if self.packed else database, directory)


def pack(tree: Path, directory: Path) -> Path:
    """Pack a database or a table as the archive of a case."""
    archive = directory / f"{NAME}.sra"
    run(["kar", "-c", archive, "-d", tree])
    return archive


def draw_table_case(seed: str, rng: Random) -> TableCase:
    """Return a case with one table, or a few."""
    main = rng.choices(KINDS, [kind.weight for kind in KINDS])[0]
    names = [rng.choices(["SEQUENCE", "CONSENSUS"], [95, 5])[0]]
    if rng.random() < 0.12:
        names.append(rng.choice([name for name in OTHER_TABLES if name not in names]))
    kinds = [main, *(rng.choice([main, rng.choice(KINDS)]) for _ in names[1:])]
    tables = {name: draw_table(kind, rng) for name, kind in zip(names, kinds, strict=True)}
    packed = names[0] if rng.random() < 0.3 else ""
    removed = rng.choice(REMOVED) if rng.random() < 0.08 else ""
    layout = f"{main.name}{' table' if packed else ' + another' if len(names) > 1 else ''}"
    return TableCase(seed, layout, tables, packed, removed)


def draw_table(kind: TableKind, rng: Random) -> Table:
    """Return a table of a type: its columns, and how its rows are drawn."""

    def some(columns: tuple[str, ...], chance: float) -> list[str]:
        return [column for column in columns if rng.random() < chance]

    columns = [kind.reads, *PROPERTIES]
    columns += some(("SPOT_FILTER",), 0.08)
    if rng.random() < 0.06:
        for column in rng.sample(columns, rng.choice([1, 1, 2])):
            columns.remove(column)
    if kind.clips and rng.random() < 0.7:
        columns += kind.clips if rng.random() < 0.5 else some(kind.clips, 0.5)
    columns += some(("PLATFORM",), 0.85) + some(("NREADS",), 0.15) + some(("SPOT_GROUP",), 0.1)
    columns += some(("NAME",), 0.85) if kind.has_name else []
    columns += ["LABEL", "LABEL_START", "LABEL_LEN"] if rng.random() < 0.1 else []
    columns += some(kind.others, 0.7)
    return Table(kind, tuple(columns), draw_habits(rng))


# ---- Aligned archives


@dataclass(frozen=True)
class AlignedCase:
    """An archive of bam-load, with its references inside or outside."""

    seed: str
    layout: str
    habits: SamHabits
    is_outside: bool

    def __str__(self) -> str:
        return f"{self.layout}: {self.habits}"

    @property
    def rows(self) -> int:
        """See Case."""
        return self.habits.spots

    def build(self, directory: Path) -> Path:
        """See Case."""
        rng = Random(f"{self.seed} sam")
        database, sam = directory / "database", directory / "run.sam"
        if self.is_outside:
            sam.write_text(sam_of(self.habits, rng, {"chr5": references.sequence()}))
            references.make_reference(directory / references.NAME)  # where the toolkit looks for it
            references.load_against(directory / references.NAME, sam, database)
            return pack(database, directory)
        contigs, fasta = draw_contigs(rng), directory / "reference.fasta"
        fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()))
        sam.write_text(sam_of(self.habits, rng, contigs))
        run(["bam-load", "-o", database, "-t", directory, "-r", fasta, sam], timeout=references.HANGS)
        return pack(database, directory)


def draw_aligned_case(seed: str, rng: Random) -> AlignedCase:
    """Return a case with alignments."""
    is_outside = rng.random() < 0.25
    return AlignedCase(seed, "aligned outside" if is_outside else "aligned", draw_sam_habits(rng), is_outside)


# ---- Archives of latf-load


@dataclass(frozen=True)
class FastqCase:
    """An archive of latf-load."""

    seed: str
    layout: str
    platform: str
    rows: int
    reads: int
    longest: int

    def __str__(self) -> str:
        return f"latf-load, {self.platform}, {self.rows} spots of {self.reads} reads up to {self.longest} bases"

    def build(self, directory: Path) -> Path:
        """See Case."""
        rng = Random(f"{self.seed} fastq")

        def read() -> Read:
            bases = random_bases(rng, rng.randint(1, self.longest))
            if rng.random() < 0.2:
                bases = bases[:-1] + rng.choice("Na.")
            return Read(bases, rng.random() < 0.9)

        spots = (Spot(tuple(read() for _ in range(self.reads))) for _ in range(self.rows))
        load_fastq(spots, directory / "database", platform=self.platform)
        return pack(directory / "database", directory)


def draw_fastq_case(seed: str, rng: Random) -> FastqCase:
    """Return a case that latf-load makes."""
    platform = rng.choice(["ILLUMINA", "PACBIO", "NANOPORE", "LS454", "ION_TORRENT", "CAPILLARY", "HELICOS"])
    return FastqCase(
        seed, f"latf-load {platform}", platform, rng.choice([1, 10, 100]), rng.choice([1, 1, 2]),
        rng.choice([30, 150, 150, 3000]),
    )  # fmt: skip


# ---- Archives that exist


@dataclass(frozen=True)
class FileCase:
    """An archive in a file, whose layout is its name."""

    path: Path

    @property
    def seed(self) -> str:
        """See Case."""
        return str(self.path)

    @property
    def layout(self) -> str:
        """See Case."""
        return self.path.name

    @property
    def rows(self) -> int:
        """See Case; used only if fastq-dump cannot count them."""
        return 1

    def build(self, directory: Path) -> Path:
        """See Case."""
        return Path(shutil.copy(self.path, directory / f"{NAME}.sra"))
