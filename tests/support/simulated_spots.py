"""Simulates the spots of a run, from a random genome."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

GENOME = 150_000
"""Bases: about 150 hashes for each k at scaled=1000."""


class Read(NamedTuple):
    bases: str
    passes: bool = True  # READ_FILTER
    technical: bool = False  # READ_TYPE
    rejection: int = 1  # READ_FILTER if it does not pass: 1 rejected, 2 criteria, 3 redacted
    strand: int = 0  # also READ_TYPE: 2 forward, 4 reverse


class Spot(NamedTuple):
    reads: tuple[Read, ...]
    clip: tuple[int, int] = (0, 0)  # first and last base to keep, from 1 and over all reads of the spot; 0: no limit


def random_bases(rng: Random, length: int) -> str:
    return "".join(rng.choices("ACGT", k=length))


def reverse_complement(bases: str) -> str:
    return bases.translate(str.maketrans("ACGT", "TGCA"))[::-1]


def singles(rng: Random, spots: int, *, shortest: int, longest: int, genome: int = GENOME) -> Iterator[Spot]:
    """Yield spots with one read, from a random strand."""
    forward = random_bases(rng, genome)
    strands = forward, reverse_complement(forward)
    for _ in range(spots):
        length = rng.randint(shortest, longest)
        start = rng.randint(0, genome - length)
        yield Spot((Read(rng.choice(strands)[start : start + length]),))


def pairs(rng: Random, spots: int, *, length: int = 100, genome: int = GENOME) -> Iterator[Spot]:
    """Yield pairs with an insert of 2 to 3 lengths; half of the first mates have one random base."""
    forward = random_bases(rng, genome)
    backward = reverse_complement(forward)
    random, span = rng.random, genome - 3 * length
    for _ in range(spots):
        start = int(random() * span)
        end = genome - start - 2 * length - int(random() * length)  # where the insert starts on the other strand
        one, two = forward[start : start + length], backward[end : end + length]
        if (chance := random()) < 0.5:
            at = int(2 * chance * length)
            one = one[:at] + "ACGT"[int(4 * random())] + one[at + 1 :]
        yield Spot((Read(one), Read(two)))


def with_n(rng: Random, spot: Spot) -> Spot:
    """Put a run of N into a third of the reads; 2 % of the reads become all N."""

    def mask(bases: str) -> str:
        length = rng.choices([0, rng.randint(1, 12), len(bases)], [65, 33, 2])[0]
        start = rng.randint(0, len(bases) - length)
        return bases[:start] + "N" * length + bases[start + length :]

    return Spot(tuple(Read(mask(read.bases)) for read in spot.reads))


def odd_spots(rng: Random, spots: int) -> Iterator[Spot]:
    """Yield spots of one to five reads: technical and empty reads, every filter value, N, and other IUPAC codes.

    At least one read is biological and has bases: fastq-dump fails on a spot without one.
    """
    genome = random_bases(rng, GENOME)

    def read(shortest: int = 0) -> Read:
        length = rng.choice([shortest, 1, rng.randint(2, 60), rng.randint(60, 150)])
        start = rng.randint(0, GENOME - length)
        bases = genome[start : start + length]
        if length > 2 and rng.random() < 0.3:
            at = rng.randrange(length)
            bases = bases[:at] + rng.choice("NRYKMn") + bases[at + 1 :]
        return Read(bases, rng.random() < 0.8, rng.random() < 0.2, rng.randint(1, 3), rng.choice([0, 0, 2, 4]))

    for _ in range(spots):
        reads = [read(1)._replace(technical=False), *(read() for _ in range(rng.randint(0, 4)))]
        rng.shuffle(reads)
        yield Spot(tuple(reads))


def with_strands(rng: Random, spot: Spot) -> Spot:
    """Mark the second mate as reverse strand."""
    one, two = spot.reads
    return Spot((one._replace(strand=2), two._replace(strand=4)))


def with_iupac(rng: Random, spot: Spot) -> Spot:
    """Put an IUPAC code into every fifth read; make half of the reads lower case."""
    (bases,) = (read.bases for read in spot.reads)
    if rng.random() < 0.2:
        at = rng.randrange(len(bases))
        bases = bases[:at] + rng.choice("RYKMSWBDHV") + bases[at + 1 :]
    return Spot((Read(bases.lower() if rng.random() < 0.5 else bases),))


def with_failures(rng: Random, spot: Spot) -> Spot:
    """Let both mates fail the read filter in 30 % of the spots, and one of them in another 20 %."""
    mates = rng.choices([(True, True), (False, False), (True, False), (False, True)], [5, 3, 1, 1])[0]
    return Spot(tuple(Read(read.bases, passes) for read, passes in zip(spot.reads, mates, strict=True)))


def with_rejection(_: Random, spot: Spot) -> Spot:
    return Spot(tuple(Read(read.bases, passes=False) for read in spot.reads))


def with_barcode(rng: Random, spot: Spot) -> Spot:
    """Put a technical read between the mates, as Illumina reads its index; 60 bases are long enough for every k.

    It is between them because --clip keeps the first to the last biological base, which removes a leading barcode.
    """
    one, two = spot.reads
    return Spot((one, Read(random_bases(rng, 60), technical=True), two))


def with_adapters(rng: Random, spot: Spot) -> Spot:
    """Make a 454 spot: a technical key, and 60 bases on each end that only the clip removes; a tenth has no clip."""
    bases = spot.reads[0].bases
    key, read = Read("TCAG", technical=True), Read(random_bases(rng, 60) + bases + random_bases(rng, 60))
    return Spot((key, read), (0, 0) if rng.random() < 0.1 else (4 + 60 + 1, 4 + 60 + len(bases)))
