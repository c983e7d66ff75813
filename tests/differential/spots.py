"""Draws the rows of a table: spots of any number of reads, with any lengths, types, filters, clips and bases.

Each habit is drawn once for a table, because real archives have spots of one kind, and then each spot is drawn with it.
A few tables break a rule that decoders rely on: cells of different lengths, or reads that overlap.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.support.general_loader import Row

SMALL, LARGE = 400_000, 3_000_000
"""Bases of a table, at most, about; large ones are decoded in several pieces of text."""
Draw = Callable[[Random], int]
LETTERS = b"ACGT" * 64
"""A base for each byte."""
COLORS = bytes(b"0123."[4 if byte in b"NRYK" else byte // 2 % 4] for byte in range(256))
"""A color for each base."""
BIOLOGICAL, FORWARD, REVERSE = 1, 2, 4


@dataclass(frozen=True)
class Habits:
    """The parameters with which the spots of a table are drawn."""

    spots: int
    reads: str
    length: str
    bases: str
    types: str
    filters: str
    starts: str
    clips: str
    platform: int
    """-1: each spot has one of its own."""
    cells: str
    nreads: str
    """Whether NREADS, if the table has it, is right."""
    most: int
    """Bases of all spots, at most, about."""

    def __str__(self) -> str:
        return (
            f"{self.spots} spots, reads {self.reads}, length {self.length}, bases {self.bases}, types {self.types}, "
            f"filters {self.filters}, starts {self.starts}, clips {self.clips}, platform {self.platform}, "
            f"cells {self.cells}, nreads {self.nreads}, at most {self.most} bases"
        )


def weighted(rng: Random, **weights: int) -> str:
    return rng.choices(list(weights), list(weights.values()))[0].strip("_").replace("_", " ")


def draw_habits(rng: Random) -> Habits:
    """Return the habits of a table."""
    return Habits(
        spots=rng.choices([0, 1, 2, 7, 40, 300, 3000], [1, 6, 8, 25, 45, 14, 1])[0],
        reads=weighted(
            rng, one=24, two=24, three=8, one_to_four=14, none_to_five=7, seven_to_nine=7, up_to_twelve=5,
            up_to_seventy=4, many=2, eight=2, nine=3,
        ),
        length=weighted(rng, short=20, medium=32, fixed=22, often_empty=10, mixed=10, long=6),
        bases=weighted(rng, plain=35, with_n=25, iupac=12, lower=8, dots=5, only_n=3, rna=4, ends_n=8),
        types=weighted(
            rng, biological=45, stranded=14, some_technical=14, barcode_first=12, any=8, often_technical_only=4,
            all_technical=1, bits=2,
        ),
        filters=weighted(rng, _pass=48, some=30, often=12, rejected=4, other_values=2, redacted=4),
        starts=weighted(rng, running=86, gaps=3, overlapping=3, reversed=3, one_based=2, beyond=2, negative=1),
        clips=weighted(rng, zero=12, inside=38, any=18, beyond=12, crossed=10, one_side=10, negative=3),
        platform=rng.choices([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 200, -1], [5, 6, 20, 3, 2, 3, 12, 6, 3, 6, 2, 1, 6])[0],
        cells=weighted(
            rng, right=87, short_types=2, long_types=2, short_filters=2, long_filters=1, short_bases=2, long_bases=2,
            short_starts=1, empty_rows=5, one_type=1, one_filter=1, long_platform=1, no_clips=1, two_clips=1,
        ),
        nreads=weighted(rng, right=8, wrong=1),
        most=rng.choices([SMALL, LARGE], [9, 1])[0],
    )  # fmt: skip


READS: dict[str, Draw] = {
    "one": lambda rng: 1,
    "two": lambda rng: 2,
    "three": lambda rng: 3,
    "eight": lambda rng: 8,
    "nine": lambda rng: 9,
    "one to four": lambda rng: rng.randint(1, 4),
    "none to five": lambda rng: rng.randint(0, 5),
    "seven to nine": lambda rng: rng.randint(7, 9),
    "up to twelve": lambda rng: rng.randint(1, 12),
    "up to seventy": lambda rng: rng.choice([rng.randint(0, 70), 31, 32, 33, 63, 64, 65]),
    "many": lambda rng: rng.choice([2, 100, 255, 256, 300]),
}


def lengths_of(habits: Habits, rng: Random) -> Draw:
    """Return the function that draws the length of a read."""
    fixed = rng.choice([1, 20, 21, 51, 75, 100, 101, 151])
    draws: dict[str, Draw] = {
        "short": lambda rng: rng.randint(1, 60),
        "medium": lambda rng: rng.randint(20, 300),
        "fixed": lambda rng: fixed,
        "often empty": lambda rng: rng.choice([0, rng.randint(1, 80)]),
        "mixed": lambda rng: rng.choice([0, 1, 2, rng.randint(1, 40), rng.randint(100, 1000)]),
        "long": lambda rng: rng.choice([rng.randint(1, 100), rng.randint(1000, 30_000), rng.randint(1, 100_000)]),
    }
    return draws[habits.length]


def draw_bases(habit: str, rng: Random, length: int) -> bytes:
    """Return the bases of a read."""
    bases = bytearray(rng.randbytes(length).translate(LETTERS))
    if not length:
        return b""
    if habit == "with n" and rng.random() < 0.5:
        at, run = rng.randrange(length), rng.choice([1, 2, rng.randint(1, length)])
        bases[at : at + run] = b"N" * len(bases[at : at + run])
    elif habit == "ends n":
        bases[-rng.randint(1, 3) :] = b"N"
        bases[: rng.randint(0, 1)] = b""
    elif habit in ("iupac", "dots", "rna"):
        for _ in range(rng.randint(0, 1 + length // 20)):
            bases[rng.randrange(length)] = rng.choice({"iupac": b"RYKMSWBDHVN", "dots": b".N", "rna": b"U"}[habit])
    elif habit == "only n":
        return b"N" * length
    elif habit == "lower" and rng.random() < 0.6:
        return bytes(bases).lower()
    return bytes(bases)


def draw_types(habit: str, rng: Random, reads: int) -> list[int]:
    """Return the types of the reads of a spot."""
    if habit == "stranded":
        return [BIOLOGICAL | (FORWARD, REVERSE)[n % 2] for n in range(reads)]
    if habit == "barcode first":
        return [int(n > 0 or reads == 1) for n in range(reads)]
    if habit == "all technical" or (habit == "often technical only" and rng.random() < 0.3):
        return [rng.choice([0, 0, FORWARD]) for _ in range(reads)]
    chance = {"some technical": 0.25, "any": 0.5}.get(habit, 0.0)
    types = [int(rng.random() >= chance) for _ in range(reads)]
    if habit == "any":
        types = [kind | rng.choice([0, 0, FORWARD, REVERSE]) for kind in types]
    elif habit == "bits":
        types = [rng.randrange(256) for _ in types]
    elif habit == "some technical" and types and not any(types):
        types[rng.randrange(reads)] = BIOLOGICAL
    return types


def draw_filters(habit: str, rng: Random, reads: int) -> list[int]:
    """Return the filters of the reads of a spot."""
    if habit in ("rejected", "redacted"):
        return [1 if habit == "rejected" else rng.choice([0, 3])] * reads
    chance = {"some": 0.15, "often": 0.6, "other values": 0.2}.get(habit, 0.0)
    other = (4, 7, 255) if habit == "other values" else (1, 2, 3)
    return [rng.choice(other) if rng.random() < chance else 0 for _ in range(reads)]


def draw_starts(habit: str, rng: Random, lengths: Sequence[int]) -> list[int]:
    """Return where the reads of a spot begin."""
    running = list(itertools.accumulate(lengths[:-1], initial=0)) if lengths else []
    total = sum(lengths)
    starts: dict[str, Callable[[], list[int]]] = {
        "running": lambda: running,
        "gaps": lambda: [max(0, start - rng.choice([0, 1])) for start in running],
        "overlapping": lambda: [rng.randint(0, max(0, total - length)) for length in lengths],
        "reversed": lambda: [total - start - length for start, length in zip(running, lengths, strict=True)],
        "one based": lambda: [start + 1 for start in running],
        "beyond": lambda: [start + rng.choice([0, 0, total]) for start in running],
        "negative": lambda: [start - rng.choice([0, 1]) for start in running],
    }
    return starts[habit]()


def draw_clip(habit: str, rng: Random, total: int) -> tuple[int, int]:
    """Return a left and a right clip: the first and the last base to keep, from 1."""
    if habit == "zero" or (rng.random() < 0.2 and habit != "any"):
        return 0, 0
    left, right = sorted((rng.randint(0, total + 1), rng.randint(0, total + 1)))
    clips: dict[str, Callable[[], tuple[int, int]]] = {
        "inside": lambda: (rng.randint(1, 1 + total // 3), rng.randint(total - total // 3, total)),
        "any": lambda: (rng.randint(0, total + 2), rng.randint(0, total + 2)),
        "beyond": lambda: (
            rng.choice([0, total, total + 1, 2 * total, 2**31 - 1]),
            rng.choice([0, total, total + 5, 2**31 - 1]),
        ),
        "crossed": lambda: (right, left),
        "one side": lambda: rng.choice([(left, 0), (0, right)]),
        "negative": lambda: (-left, right),
    }
    return clips[habit]()


def draw_rows(habits: Habits, rng: Random) -> Iterator[Row]:
    """Yield the rows of a table: the cells of every column that a table may have."""
    length_of, left = lengths_of(habits, rng), habits.most
    for number in range(habits.spots):
        lengths = [min(length_of(rng), max(left, 0)) for _ in range(READS[habits.reads](rng))]
        left -= sum(lengths)
        yield draw_row(habits, rng, number, lengths)


def draw_row(habits: Habits, rng: Random, number: int, lengths: Sequence[int]) -> Row:
    """Return the cells of a spot whose reads have these lengths, by column."""
    reads = [draw_bases(habits.bases, rng, length) for length in lengths]
    lengths = [len(bases) for bases in reads]
    bases, total = b"".join(reads), sum(lengths)
    types = draw_types(habits.types, rng, len(reads))
    filters = draw_filters(habits.filters, rng, len(reads))
    starts = draw_starts(habits.starts, rng, lengths)
    quality, adapter = draw_clip(habits.clips, rng, total), draw_clip(habits.clips, rng, total)
    platform = rng.choice([1, 2, 6, 7, 9]) if habits.platform < 0 else habits.platform
    row: dict[str, Sequence[int]] = {
        "READ": bases,
        "CSREAD": bases.translate(COLORS),
        "CS_KEY": bytes(rng.choices(b"ACGT", k=len(reads))),
        "QUALITY": bytes([30]) * total,
        "NAME": f"X{number}".encode(),
        "READ_START": starts,
        "READ_LEN": lengths,
        "READ_TYPE": types,
        "READ_FILTER": filters,
        "SPOT_FILTER": [max(filters, default=0)],
        "NREADS": [min(255, max(0, len(reads) + (rng.choice([-1, 0, 1, 9]) if habits.nreads == "wrong" else 0)))],
        "CLIP_QUALITY_LEFT": [quality[0]],
        "CLIP_QUALITY_RIGHT": [quality[1]],
        "CLIP_ADAPTER_LEFT": [adapter[0]],
        "CLIP_ADAPTER_RIGHT": [adapter[1]],
        "PLATFORM": [platform],
        "LABEL": b"ab" * len(reads),
        "LABEL_START": [2 * n for n in range(len(reads))],
        "LABEL_LEN": [2] * len(reads),
        "SPOT_GROUP": b"group",
        "PRIMARY_ALIGNMENT_ID": [0] * len(reads),
        "ALIGNMENT_COUNT": [0] * len(reads),
    }
    return row if habits.cells == "right" or rng.random() < 0.5 else break_cells(row, habits.cells, rng)


def break_cells(row: dict[str, Sequence[int]], habit: str, rng: Random) -> Row:
    """Return a row in which one cell has another number of elements than the others suggest."""
    if habit == "empty rows":
        return {name: [] if len(cell) != 1 or rng.random() < 0.3 else cell for name, cell in row.items()}
    name, change = {
        "short types": ("READ_TYPE", -1), "long types": ("READ_TYPE", 1), "one type": ("READ_TYPE", 0),
        "short filters": ("READ_FILTER", -1), "long filters": ("READ_FILTER", 1), "one filter": ("READ_FILTER", 0),
        "short bases": ("READ", -1), "long bases": ("READ", 1), "short starts": ("READ_START", -1),
        "long platform": ("PLATFORM", 1), "no clips": ("CLIP_QUALITY_RIGHT", -1), "two clips": ("CLIP_QUALITY_LEFT", 1),
    }[habit]  # fmt: skip
    cell = list(row[name])
    broken = cell[:-1] if change < 0 else cell[:1] if change == 0 else cell + cell[-1:]
    return {**row, name: broken}
