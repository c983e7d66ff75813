"""Draws alignments as SAM text, for bam-load: reads with mismatches, gaps, clips and mates on random references."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from tests.support.simulated_spots import random_bases

PAIRED, UNMAPPED, MATE_UNMAPPED, REVERSE, FIRST, LAST = 1, 4, 8, 16, 64, 128
SECONDARY, QC_FAIL, DUPLICATE, SUPPLEMENTARY = 256, 512, 1024, 2048


@dataclass(frozen=True)
class Aligned:
    """A read on a reference, or none (`contig` is '')."""

    contig: str
    start: int
    cigar: str
    bases: str
    is_reverse: bool


@dataclass(frozen=True)
class SamHabits:
    """The parameters with which the alignments of a file are drawn."""

    spots: int
    paired: float
    unaligned: float
    edits: float
    longest: int
    gaps: bool
    soft: bool
    secondary: bool
    flags: bool
    odd_bases: bool

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in vars(self).items())


def draw_sam_habits(rng: Random) -> SamHabits:
    """Return the habits of a file."""

    def maybe() -> bool:
        return rng.random() < 0.4

    return SamHabits(
        spots=rng.choice([1, 5, 30, 30, 200]),
        paired=rng.choice([0, 0, 0.5, 1, 1]),
        unaligned=rng.choice([0, 0.1, 0.5, 0.9]),
        edits=rng.choice([0, 0.01, 0.1]),
        longest=rng.choice([40, 100, 150, 600]),
        gaps=maybe(), soft=maybe(), secondary=maybe(), flags=maybe(), odd_bases=maybe(),
    )  # fmt: skip


def draw_contigs(rng: Random) -> dict[str, str]:
    """Return one to three references, some with a run of N."""
    contigs = {}
    for number in range(rng.choice([1, 1, 2, 3])):
        bases = random_bases(rng, rng.choice([rng.randint(700, 3000), rng.randint(5000, 20_000)]))
        if rng.random() < 0.3:
            at, run = rng.randrange(len(bases)), rng.randint(1, 300)
            bases = (bases[:at] + "N" * run + bases[at + run :])[: len(bases)]
        contigs[f"contig{number + 1}"] = bases
    return contigs


def draw_alignment(habits: SamHabits, rng: Random, contigs: Mapping[str, str]) -> Aligned:
    """Return a read that is aligned to a reference."""
    contig = rng.choice(list(contigs))
    reference = contigs[contig]
    length = rng.randint(15, min(habits.longest, len(reference) // 3))
    start = rng.randrange(len(reference) - 2 * length)
    pieces: list[tuple[int, str]] = []
    bases, at = "", start
    if habits.soft and rng.random() < 0.5:
        pieces.append((clip := rng.randint(1, 20), "S"))
        bases += random_bases(rng, clip)
    while len(bases) < length:
        run = rng.randint(1, length)
        bases += reference[at : at + run]
        at += run
        pieces.append((run, "M"))
        if habits.gaps and len(bases) < length and at < len(reference) - length - 30:
            kind, gap = rng.choice("IDN"), rng.randint(1, 12)
            pieces.append((gap, kind))
            if kind == "I":
                bases += random_bases(rng, gap)
            else:
                at += gap
            run = rng.randint(1, 20)  # a gap is never the last operation
            bases += reference[at : at + run]
            at += run
            pieces.append((run, "M"))
        else:
            break
    if habits.soft and rng.random() < 0.5:
        pieces.append((clip := rng.randint(1, 20), "S"))
        bases += random_bases(rng, clip)
    return Aligned(contig, start, "".join(f"{n}{kind}" for n, kind in joined(pieces)), edit(habits, rng, bases),
                   rng.random() < 0.5)  # fmt: skip


def draw_secondary(rng: Random, contigs: Mapping[str, str], length: int) -> Aligned:
    """Return another alignment of a read of this length; bam-load wants its bases to be as many."""
    contig = rng.choice(list(contigs))
    start = rng.randrange(len(contigs[contig]) - length)
    return Aligned(contig, start, f"{length}M", contigs[contig][start : start + length], rng.random() < 0.5)


def joined(pieces: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the operations of an alignment, neighbours of one kind as one."""
    count, last = 0, ""
    for number, kind in pieces:
        if kind != last and last:
            yield count, last
            count = 0
        count, last = count + number, kind
    yield count, last


def edit(habits: SamHabits, rng: Random, bases: str) -> str:
    """Return the bases with mismatches."""
    letters = "ACGTN" if not habits.odd_bases else "ACGTNRYKM"
    return "".join(rng.choice(letters) if rng.random() < habits.edits else base for base in bases)


def sam_of(habits: SamHabits, rng: Random, contigs: Mapping[str, str]) -> str:
    """Return a file in SAM, sorted by coordinate."""
    lines: list[tuple[int, int, str]] = []
    order = {name: number for number, name in enumerate(contigs)}
    shortest = min(map(len, contigs.values()), default=0)
    for number in range(habits.spots):
        mates = 2 if rng.random() < habits.paired else 1
        drawn = [
            None if rng.random() < habits.unaligned else draw_alignment(habits, rng, contigs) for _ in range(mates)
        ]
        extra = rng.choice([0, QC_FAIL, DUPLICATE, QC_FAIL | DUPLICATE]) if habits.flags else 0
        for mate, read in enumerate(drawn):
            flag = extra | (PAIRED | (FIRST, LAST)[mate] if mates == 2 else 0)
            other = drawn[1 - mate] if mates == 2 else None
            if mates == 2 and other is None:
                flag |= MATE_UNMAPPED
            lines.append((*place(read, order), sam_line(f"s{number}", flag, read, other, rng, habits)))
            if read and habits.secondary and rng.random() < 0.3 and len(read.bases) < shortest:
                again = draw_secondary(rng, contigs, len(read.bases))
                kind = rng.choice([SECONDARY, SUPPLEMENTARY])
                lines.append((*place(again, order), sam_line(f"s{number}", flag | kind, again, other, rng, habits)))
    header = "@HD\tVN:1.0\tSO:coordinate\n" + "".join(
        f"@SQ\tSN:{name}\tLN:{len(bases)}\n" for name, bases in contigs.items()
    )
    return header + "".join(line for *_, line in sorted(lines, key=lambda entry: entry[:2]))


def place(read: Aligned | None, order: Mapping[str, int]) -> tuple[int, int]:
    """Return where a line is sorted to: reads without a reference last."""
    return (order[read.contig], read.start) if read else (len(order), 0)


def sam_line(name: str, flag: int, read: Aligned | None, mate: Aligned | None, rng: Random, habits: SamHabits) -> str:
    """Return the line of a read."""
    next_fields = f"{mate.contig}\t{mate.start + 1}\t0" if mate else "*\t0\t0"
    if read is None:
        bases = edit(habits, rng, random_bases(rng, rng.randint(1, habits.longest)))
        return f"{name}\t{flag | UNMAPPED}\t*\t0\t0\t*\t{next_fields}\t{bases}\t{'I' * len(bases)}\n"
    flag |= REVERSE if read.is_reverse else 0
    place_and_cigar = f"{read.contig}\t{read.start + 1}\t60\t{read.cigar}"
    return f"{name}\t{flag}\t{place_and_cigar}\t{next_fields}\t{read.bases}\t{'I' * len(read.bases)}\n"
