"""Real SRA archives, made from simulated reads by the SRA toolkit's own loaders.

A layout names one way in which a run can be unusual. `make_archive` simulates its spots from a random genome, lets a
loader build the database, and packs that with `kar`. The reads depend only on the layout, the number of spots and the
seed; the bytes of the archive do not, because the loaders write the time into them.

Three loaders, because none makes everything:
- latf-load reads FASTQ. It takes each mate's read filter from CASAVA 1.8 names (`1:Y:0:...` fails), but knows no
  technical reads and no clips, drops records with IUPAC codes as syntax errors, and fails on a file without reads.
- general-loader takes the cells of a table as a binary stream (see `columns_stream`), so it makes technical reads,
  clips, IUPAC codes, and a table without rows.
- bam-load makes aligned archives, which keep only the bases that differ from the reference inside.

Then follow the ways to damage an archive, and the reference signature: the recipe's own two commands.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

GENOME = 150_000  # bases: some 150 hashes for each k at scaled=1000
DECODE = (
    *("fastq-dump", "--disable-multithreading", "--fasta", "0", "--skip-technical", "--readids"),
    *("--read-filter", "pass", "--dumpbase", "--split-spot", "--clip", "-Z"),
)
SKETCH = ("sketch", "dna", "-p", "k=21,k=31,k=51,scaled=1000,abund")


class ToolError(Exception):
    """A tool failed, or did not do what it was started for; carries its command line and its stderr."""

    def __init__(self, argv: Sequence[str | Path], code: int, stderr: bytes) -> None:
        self.argv, self.code, self.stderr = [str(word) for word in argv], code, stderr.decode(errors="replace")
        super().__init__(f"{' '.join(self.argv)}: exit {code}: {self.stderr.strip() or 'no message'}")


def attempt(
    argv: Sequence[str | Path], stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, input=stdin, capture_output=True, check=False, cwd=cwd)


def run(argv: Sequence[str | Path], stdin: bytes = b"") -> str:
    """The stdout of a tool; ToolError when it fails."""
    done = attempt(argv, stdin)
    if done.returncode:
        raise ToolError(argv, done.returncode, done.stderr)
    return done.stdout.decode()


# ---- Spots


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
    """One read a spot, from either strand."""
    forward = random_bases(rng, genome)
    strands = forward, reverse_complement(forward)
    for _ in range(spots):
        length = rng.randint(shortest, longest)
        start = rng.randint(0, genome - length)
        yield Spot((Read(rng.choice(strands)[start : start + length]),))


def pairs(rng: Random, spots: int, *, length: int = 100, genome: int = GENOME) -> Iterator[Spot]:
    """Two mates that face each other across an insert of 2 to 3 lengths; half of the first ones have a base redrawn."""
    forward = random_bases(rng, genome)
    backward = reverse_complement(forward)
    random, span = rng.random, genome - 3 * length
    for _ in range(spots):
        start = int(random() * span)
        end = genome - start - 2 * length - int(random() * length)  # where the insert begins on the other strand
        one, two = forward[start : start + length], backward[end : end + length]
        if (chance := random()) < 0.5:
            at = int(2 * chance * length)
            one = one[:at] + "ACGT"[int(4 * random())] + one[at + 1 :]
        yield Spot((Read(one), Read(two)))


def with_n(rng: Random, spot: Spot) -> Spot:
    """A run of N in a third of the reads, and a few of nothing else."""

    def mask(bases: str) -> str:
        length = rng.choices([0, rng.randint(1, 12), len(bases)], [65, 33, 2])[0]
        start = rng.randint(0, len(bases) - length)
        return bases[:start] + "N" * length + bases[start + length :]

    return Spot(tuple(Read(mask(read.bases)) for read in spot.reads))


def odd_spots(rng: Random, spots: int) -> Iterator[Spot]:
    """One to five reads: technical ones, empty ones, every kind of filter, N, codes that are no base.

    One is biological and has bases: of a spot without such a one, fastq-dump ends with an error.
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
    """The second mate is said to be of the reverse strand."""
    one, two = spot.reads
    return Spot((one._replace(strand=2), two._replace(strand=4)))


def with_iupac(rng: Random, spot: Spot) -> Spot:
    """An IUPAC code in every fifth read, and half of them in lower case."""
    (bases,) = (read.bases for read in spot.reads)
    if rng.random() < 0.2:
        at = rng.randrange(len(bases))
        bases = bases[:at] + rng.choice("RYKMSWBDHV") + bases[at + 1 :]
    return Spot((Read(bases.lower() if rng.random() < 0.5 else bases),))


def with_failures(rng: Random, spot: Spot) -> Spot:
    """Both mates fail the read filter in 30 % of the spots, one of them in another 20 %."""
    mates = rng.choices([(True, True), (False, False), (True, False), (False, True)], [5, 3, 1, 1])[0]
    return Spot(tuple(Read(read.bases, passes) for read, passes in zip(spot.reads, mates, strict=True)))


def with_rejection(_: Random, spot: Spot) -> Spot:
    return Spot(tuple(Read(read.bases, passes=False) for read in spot.reads))


def with_barcode(rng: Random, spot: Spot) -> Spot:
    """A technical read between the mates, as Illumina reads its index, of 60 bases so that every k would see it.

    Between, because --clip cuts from the first biological base to the last, and so takes a leading barcode away too.
    """
    one, two = spot.reads
    return Spot((one, Read(random_bases(rng, 60), technical=True), two))


def with_adapters(rng: Random, spot: Spot) -> Spot:
    """As on the 454: a technical key, and 60 bases on each end that only the clip takes away; a tenth has no clip."""
    bases = spot.reads[0].bases
    key, read = Read("TCAG", technical=True), Read(random_bases(rng, 60) + bases + random_bases(rng, 60))
    return Spot((key, read), (0, 0) if rng.random() < 0.1 else (4 + 60 + 1, 4 + 60 + len(bases)))


# ---- Loaders


def spot_name(number: int) -> str:
    return f"SIM:1:FLOWCELL:1:{1101 + number // 100_000}:{1000 + number % 100_000}:{1000 + number % 997}"


def load_fastq(spots: Iterable[Spot], database: Path, *, platform: str = "ILLUMINA") -> None:
    """One FASTQ file for each mate, with CASAVA 1.8 names, through latf-load."""
    rest = iter(spots)
    if (first := next(rest, None)) is None:
        raise ValueError("latf-load takes no empty FASTQ; the layout for that is zero_spots")
    paths = [database.with_name(f"{mate}.fastq") for mate in range(1, len(first.reads) + 1)]
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(path.open("w", buffering=1 << 20)) for path in paths]
        for number, spot in enumerate(itertools.chain([first], rest)):
            name = spot_name(number)
            for mate, (file, read) in enumerate(zip(files, spot.reads, strict=True), 1):
                bases, flag = read.bases, "N" if read.passes else "Y"
                file.write(f"@{name} {mate}:{flag}:0:1\n{bases}\n+\n{'I' * len(bases)}\n")
    run(["latf-load", "--quality", "PHRED_33", "-p", platform, "-t", database.parent, "-o", database, *paths])


COLUMNS = {  # typed names in the schema, and the struct code of an element
    "(INSDC:dna:text)READ": "B",
    "(INSDC:quality:phred)QUALITY": "B",
    "NAME": "B",
    "(INSDC:coord:zero)READ_START": "I",
    "(INSDC:coord:len)READ_LEN": "I",
    "(INSDC:SRA:xread_type)READ_TYPE": "B",
    "(INSDC:SRA:read_filter)READ_FILTER": "B",
}
CLIPPED = {**COLUMNS, "(INSDC:coord:one)CLIP_QUALITY_LEFT": "I", "(INSDC:coord:one)CLIP_QUALITY_RIGHT": "I"}
ILLUMINA = {**COLUMNS, "(INSDC:SRA:platform_id)PLATFORM": "B"}


def cells(number: int, spot: Spot) -> Mapping[str, Sequence[int]]:
    """A row, by the names of columns without their types."""
    bases = "".join(read.bases for read in spot.reads).encode()
    lengths = [len(read.bases) for read in spot.reads]
    return {
        "READ": bases,
        "QUALITY": bytes([30]) * len(bases),
        "NAME": spot_name(number).encode(),
        "READ_START": list(itertools.accumulate(lengths[:-1], initial=0)),
        "READ_LEN": lengths,
        "READ_TYPE": [(not read.technical) | read.strand for read in spot.reads],
        "READ_FILTER": [0 if read.passes else read.rejection for read in spot.reads],
        "CLIP_QUALITY_LEFT": [spot.clip[0]],
        "CLIP_QUALITY_RIGHT": [spot.clip[1]],
        "PLATFORM": [2],
    }


def columns_stream(spots: Iterable[Spot], columns: Mapping[str, str]) -> Iterator[bytes]:
    """What general-loader reads: the unpacked stream of sra-tools' general-writer.h, version 2.

    An event is a word with its code in the top byte and the number, from 1, of a table or column below; then come
    lengths, and strings or elements, padded with zeros to four bytes.
    """
    end, path, use_schema, new_table, new_column, open_stream, cell_data, next_row = 2, 3, 4, 5, 6, 7, 9, 10

    def event(code: int, number: int, *sizes: int, data: bytes = b"") -> bytes:
        return struct.pack(f"<{1 + len(sizes)}I", code << 24 | number, *sizes) + data + bytes(-len(data) % 4)

    schema, kind, table = b"sra/generic-fastq.vschema", b"NCBI:SRA:GenericFastq:db", b"SEQUENCE"
    yield struct.pack("<8s4I", b"NCBIgnld", 1, 2, 24, 0)
    yield event(path, 0, 3, data=b"run")  # required, though -T overrides it
    yield event(use_schema, 0, len(schema), len(kind), data=schema + kind)
    yield event(new_table, 1, len(table), data=table)
    for column, (name, code) in enumerate(columns.items(), 1):
        yield event(new_column, column, 1, 8 * struct.calcsize(code), len(name), data=name.encode())
    yield event(open_stream, 0)
    for number, spot in enumerate(spots):
        row = cells(number, spot)
        for column, (name, code) in enumerate(columns.items(), 1):
            cell = row[name.rpartition(")")[2]]
            yield event(cell_data, column, len(cell), data=struct.pack(f"<{len(cell)}{code}", *cell))
        yield event(next_row, 1)
    yield event(end, 0)


def load_columns(spots: Iterable[Spot], database: Path, *, columns: Mapping[str, str] = CLIPPED) -> None:
    stream = b"".join(columns_stream(spots, columns))
    run(["general-loader", "-I", "/usr/lib/ncbi-vdb", "-T", database], stdin=stream)


def load_aligned(spots: Iterable[Spot], database: Path) -> None:
    """Through bam-load: nine reads of ten lie end to end on a reference made of them, and differ in their last base."""
    aligned, unaligned, contig = [], [], ""
    for number, spot in enumerate(spots):
        bases = spot.reads[0].bases
        tail = f"*\t0\t0\t{bases}\t{'I' * len(bases)}\n"
        if number % 10:
            aligned.append(f"s{number}\t0\tcontig\t{len(contig) + 1}\t60\t{len(bases)}M\t{tail}")
            contig += bases[:-1] + ("C" if bases[-1] == "A" else "A")
        else:
            unaligned.append(f"s{number}\t4\t*\t0\t0\t*\t{tail}")
    sam, reference = database.with_name("run.sam"), database.with_name("reference.fasta")
    reference.write_text(f">contig\n{contig}\n")
    header = f"@HD\tVN:1.0\tSO:coordinate\n@SQ\tSN:contig\tLN:{len(contig)}\n"
    sam.write_text("".join([header, *aligned, *unaligned]))
    run(["bam-load", "-o", database, "-t", database.parent, "-r", reference, sam])


# ---- Layouts


@dataclass(frozen=True)
class Layout:
    """A kind of archive: how many spots are simulated, how they are altered, and which loader takes them."""

    name: str
    about: str
    simulate: Callable[[Random, int], Iterator[Spot]]
    alter: Callable[[Random, Spot], Spot] = lambda _, spot: spot
    load: Callable[[Iterable[Spot], Path], None] = load_fastq
    spots: int = 2_000


def of_length(shortest: int, longest: int) -> Callable[[Random, int], Iterator[Spot]]:
    return partial(singles, shortest=shortest, longest=longest)


load_pacbio = partial(load_fastq, platform="PACBIO")
load_illumina = partial(load_columns, columns=ILLUMINA)
LAYOUTS = (
    Layout("paired_illumina", "2 x 100 bases", pairs),
    Layout("single_illumina", "100 bases", of_length(100, 100)),
    Layout("long_reads", "PacBio, 1 to 20 kb", of_length(1_000, 20_000), load=load_pacbio, spots=100),
    Layout("reads_with_n", "runs of N, and reads of nothing else", pairs, with_n),
    # latf-load makes lower case upper and `.` an N, but drops a record with any other IUPAC code as a syntax error, and
    # fails when that is more than 5 % of them. general-loader and bam-load keep the codes (column ALTREAD), and
    # fastq-dump prints them in upper case: `acgtryn` comes out as `ACGTRYN`, not as `ACGTNNN`.
    Layout("lower_case_and_iupac", "R, Y, K ... reach stdout", of_length(100, 100), with_iupac, load_columns),
    Layout("filtered_reads", "both mates, or one, fail the read filter", pairs, with_failures),
    Layout("all_filtered", "no read passes: Written 0", pairs, with_rejection, spots=200),
    Layout("shorter_than_k", "15 to 40 bases: no k-mer for k=51", of_length(15, 40), spots=8_000),
    Layout("all_shorter_than_k", "15 to 20 bases: no k-mer at all", of_length(15, 20)),
    Layout("one_read", "5000 bases, some 5 hashes for each k", of_length(5_000, 5_000), load=load_pacbio, spots=1),
    # fastq-dump adds a line to stderr: `Rejected N READS because of filtering out non-biological READS`.
    Layout("technical_reads", "60 technical bases between the mates", pairs, with_barcode, load_columns),
    Layout("clipped", "454-like: adapters outside the clip", of_length(150, 450), with_adapters, load_columns),
    Layout("odd_spots", "1 to 5 reads, of every kind and filter, some empty", odd_spots, load=load_illumina),
    Layout("stranded", "READ_TYPE has the strand too", pairs, with_strands, load=load_illumina),
    Layout("aligned", "bases come from the reference inside", of_length(100, 100), load=load_aligned),
    # fastq-dump exits with 0 and is silent: no `Read 0`, no `Written 0`. vdb-validate says "is consistent".
    Layout("zero_spots", "a table without rows", of_length(100, 100), load=load_columns, spots=0),
)


def build(out: Path, spots: Iterable[Spot], load: Callable[[Iterable[Spot], Path], None]) -> Path:
    """Loads and packs in a directory beside `out`, then renames, so that `out` is whole or absent."""
    with tempfile.TemporaryDirectory(prefix=".archive-", dir=out.resolve().parent) as scratch:
        database, packed = Path(scratch, "run"), Path(scratch, "run.sra")
        load(spots, database)
        run(["kar", "-c", packed, "-d", database])
        return packed.replace(out)


def make_archive(layout: str, out: Path, *, reads: int | None = None, seed: int = 1) -> Path:
    """Writes an archive of the named layout, with `reads` spots if given. KeyError, ToolError."""
    chosen = {known.name: known for known in LAYOUTS}[layout]
    rng = Random(f"{layout} {seed}")
    spots = chosen.simulate(rng, chosen.spots if reads is None else reads)
    return build(out, (chosen.alter(rng, spot) for spot in spots), chosen.load)


def make_paired(out: Path, *, spots: int, length: int = 150, seed: int = 1, genome: int = 2_000_000) -> Path:
    """Illumina, 2 x `length` bases, from a random genome of `genome` bases: for bigger runs."""
    return build(out, pairs(Random(seed), spots, length=length, genome=genome), load_fastq)


# ---- Damage


def column_extent(archive: Path, column: str) -> range:
    """Where the data of a column of SEQUENCE lie, in bytes from the start of the archive."""
    with archive.open("rb") as file:
        (base,) = struct.unpack("<16xQ", file.read(24))  # kar: magic, byte order, version, where the files begin
    for line in run(["kar", "--long-list", "-t", archive]).splitlines():
        _, size, offset, *_, path = line.split()
        if path == f"tbl/SEQUENCE/col/{column}/data":
            return range(base + int(offset), base + int(offset) + int(size))
    raise LookupError(f"{archive} has no column {column}")


def dump(archive: Path) -> subprocess.CompletedProcess[bytes]:
    """What the recipe's fastq-dump makes of it, with messages.

    Started in the archive's own directory: even when given an absolute path, fastq-dump (like vdb-dump, but unlike
    vdb-validate) rather opens an archive of the same name in the current directory, and says it was the other.
    """
    whole = archive.resolve()
    return attempt([*DECODE, whole], cwd=whole.parent)


def is_consistent(archive: Path) -> bool:
    """What vdb-validate says; its exit code alone means nothing."""
    done = attempt(["vdb-validate", archive.resolve()])
    return done.returncode == 0 and b"is consistent" in done.stderr


def flip_bit_in_reads(archive: Path, out: Path, *, seed: int = 1, noticed: bool = True) -> Path:
    """A copy with one bit of the READ column flipped, such that only vdb-validate notices.

    fastq-dump gives exit 0, the same counts and as many bytes as before, but other bases. Bits are tried in an order
    that depends on `seed` until one is like that; LookupError when none of 40 is, or when there is no READ column.

    latf-load puts a checksum into each blob, which is what vdb-validate checks; general-loader puts none, so there
    even vdb-validate "is consistent" with any flip, and only the `md5` file in the column's directory tells. Such a
    flip is asked for with `noticed=False`.
    """
    content, extent, rng = archive.read_bytes(), column_extent(archive, "READ"), Random(seed)
    with tempfile.TemporaryDirectory(prefix=".flip-", dir=out.resolve().parent) as scratch:
        copy = Path(scratch, "run.sra")
        copy.write_bytes(content)
        whole = dump(copy)
        for _ in range(40):
            flipped = bytearray(content)
            flipped[rng.choice(extent)] ^= 1 << rng.randrange(8)
            copy.write_bytes(flipped)
            now = dump(copy)
            alike = (now.returncode, now.stderr, len(now.stdout)) == (0, whole.stderr, len(whole.stdout))
            if alike and now.stdout != whole.stdout and is_consistent(copy) != noticed:
                return copy.replace(out)
    raise LookupError(f"{archive}: no bit found whose flip only changes bases")


def truncate(archive: Path, out: Path, *, keep: float = 0.5) -> Path:
    """The first part of the archive, `keep` of 1, as a broken download leaves it."""
    content = archive.read_bytes()
    out.write_bytes(content[: int(keep * len(content))])
    return out


# ---- The reference


def sourmash() -> str:
    """The one beside this Python, else the one on PATH."""
    beside = Path(sys.executable).with_name("sourmash")
    return str(beside) if beside.exists() else shutil.which("sourmash") or "sourmash"


def reference_signature(
    archive: str | Path, name: str, out: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Path:
    """Writes what the recipe's two commands make, as a pipe.

    `archive` is a file if a Path; a str goes to fastq-dump as it is, like an accession. `cwd` is by default an empty
    directory, where fastq-dump finds nothing before the archive that is meant. ToolError when a command fails, or when
    sourmash writes nothing, as for a run without reads, and exits with 0.
    """
    decode = [*DECODE, str(archive.resolve()) if isinstance(archive, Path) else archive]
    sketch = [sourmash(), *SKETCH, "--name", name, "-o", str(out.resolve()), "-"]
    out.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryFile() as messages:
        place = cwd or Path(empty)
        with subprocess.Popen(decode, stdout=subprocess.PIPE, stderr=messages, env=env, cwd=place) as decoder:
            sketched = subprocess.run(
                sketch, stdin=decoder.stdout, capture_output=True, check=False, env=env, cwd=place
            )
        messages.seek(0)
        said = messages.read()
    if sketched.returncode or decoder.returncode:
        out.unlink(missing_ok=True)  # a signature of half a run looks like any other
    if sketched.returncode:  # first, because fastq-dump fails after it, with nobody to read
        raise ToolError(sketch, sketched.returncode, sketched.stderr)
    if decoder.returncode:
        raise ToolError(decode, decoder.returncode, said)
    if not out.exists():
        raise ToolError(sketch, 0, b"wrote no signature\n" + said + sketched.stderr)
    return out


def main() -> None:
    """`python -m tests.support.archives LAYOUT OUT.sra`."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.archives",
        description="Make an SRA archive of simulated reads.",
        epilog="\n".join(f"{layout.name:22}{layout.about}" for layout in LAYOUTS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("layout", metavar="LAYOUT", choices=[layout.name for layout in LAYOUTS])
    parser.add_argument("out", metavar="OUT.sra", type=Path)
    parser.add_argument("--reads", type=int, help="number of spots")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    make_archive(given.layout, given.out, reads=given.reads, seed=given.seed)


if __name__ == "__main__":
    main()
