"""SRA archives of simulated reads, ways to damage an archive, and the reference signature.

A layout names one way in which a run can be unusual.  `make_archive` simulates its spots (simulated_spots.py), has a
loader build the database (loaders.py), and packs that with `kar`.  The reads depend only on the layout, the number of
spots and the seed; the bytes of the archive do not, because the loaders write the time into them.

The reference signature is made with the two commands of the recipe.
"""

from __future__ import annotations

import argparse
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from tests.support.loaders import ILLUMINA, load_aligned, load_columns, load_fastq
from tests.support.simulated_spots import (
    Spot,
    odd_spots,
    pairs,
    singles,
    with_adapters,
    with_barcode,
    with_failures,
    with_iupac,
    with_n,
    with_rejection,
    with_strands,
)
from tests.support.tools import ToolError, attempt, run

DECODE = (
    *("fastq-dump", "--disable-multithreading", "--fasta", "0", "--skip-technical", "--readids"),
    *("--read-filter", "pass", "--dumpbase", "--split-spot", "--clip", "-Z"),
)
SKETCH = ("sketch", "dna", "-p", "k=21,k=31,k=51,scaled=1000,abund")


# ---- Layouts


@dataclass(frozen=True)
class Layout:
    """A kind of archive: how many spots are simulated, how they are altered, and which loader is used."""

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
    # latf-load converts lower case to upper and `.` to N, but drops a record with another IUPAC code as a syntax error,
    # and fails if more than 5 % are dropped. general-loader and bam-load store the codes (column ALTREAD), and
    # fastq-dump prints them in upper case: `acgtryn` becomes `ACGTRYN`, not `ACGTNNN`.
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
    # fastq-dump exits with 0 and prints neither `Read 0` nor `Written 0`. vdb-validate prints "is consistent".
    Layout("zero_spots", "a table without rows", of_length(100, 100), load=load_columns, spots=0),
)


def build(out: Path, spots: Iterable[Spot], load: Callable[[Iterable[Spot], Path], None]) -> Path:
    """Load and pack in a temporary directory, then rename, so that `out` is complete or does not exist."""
    with tempfile.TemporaryDirectory(prefix=".archive-", dir=out.resolve().parent) as scratch:
        database, packed = Path(scratch, "run"), Path(scratch, "run.sra")
        load(spots, database)
        run(["kar", "-c", packed, "-d", database])
        return packed.replace(out)


def make_archive(layout: str, out: Path, *, reads: int | None = None, seed: int = 1) -> Path:
    """Write an archive of the named layout, with `reads` spots if given; raise KeyError or ToolError."""
    chosen = {known.name: known for known in LAYOUTS}[layout]
    rng = Random(f"{layout} {seed}")
    spots = chosen.simulate(rng, chosen.spots if reads is None else reads)
    return build(out, (chosen.alter(rng, spot) for spot in spots), chosen.load)


def make_paired(out: Path, *, spots: int, length: int = 150, seed: int = 1, genome: int = 2_000_000) -> Path:
    """Write an Illumina archive of 2 x `length` bases from a random genome of `genome` bases."""
    return build(out, pairs(Random(seed), spots, length=length, genome=genome), load_fastq)


def make_with_qualities(out: Path, *, spots: int, seed: int = 1, genome: int = 2_000_000) -> Path:
    """Write an archive as `make_paired` does, in which qualities take about half of the space."""
    load = partial(load_fastq, qualities=Random(seed))
    return build(out, pairs(Random(seed), spots, length=150, genome=genome), load)


def make_lite(archive: Path, out: Path) -> Path:
    """Write the Lite form of an archive as NCBI makes it: qualities decide the read filter, and are removed."""
    with tempfile.TemporaryDirectory(prefix=".archive-", dir=out.resolve().parent) as scratch:
        database, packed = Path(scratch, "run"), Path(scratch, "run.sra")
        run(["kar", "-x", archive, "-d", database])
        run(["chmod", "-R", "u+w", database])
        run(["make-read-filter", "-t", scratch, database])
        shutil.rmtree(database / "tbl" / "SEQUENCE" / "col" / "ORIGINAL_QUALITY")
        for part in (database, database / "tbl" / "SEQUENCE"):
            for fact in ("name=delite", "vers=1.1.1"):
                run(["kar+meta", "--setvalue", f"SOFTWARE/delite@{fact}", part])
        run(["kar", "-c", packed, "-d", database])
        return packed.replace(out)


# ---- Damage


def remove_sums(archive: Path, out: Path) -> Path:
    """Write a copy without md5 sums, so that only vdb-validate can check it."""
    with tempfile.TemporaryDirectory(prefix=".archive-", dir=out.resolve().parent) as scratch:
        database, packed = Path(scratch, "run"), Path(scratch, "run.sra")
        run(["kar", "-x", archive, "-d", database])
        for sums in [path for path in database.rglob("*") if path.name == "md5" or path.suffix == ".md5"]:
            sums.unlink()
        run(["kar", "-c", packed, "-d", database])
        return packed.replace(out)


def column_extent(archive: Path, column: str) -> range:
    """Return the byte range of the data of a column of SEQUENCE in the archive."""
    with archive.open("rb") as file:
        (base,) = struct.unpack("<16xQ", file.read(24))  # kar: magic, byte order, version, offset of the files
    for line in run(["kar", "--long-list", "-t", archive]).splitlines():
        _, size, offset, *_, path = line.split()
        if path == f"tbl/SEQUENCE/col/{column}/data":
            return range(base + int(offset), base + int(offset) + int(size))
    raise LookupError(f"{archive} has no column {column}")


def dump(archive: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the recipe's fastq-dump; return its output and messages.

    It runs in the archive's own directory: even for an absolute path, fastq-dump (like vdb-dump, but unlike
    vdb-validate) prefers an archive of the same name in the current directory, without reporting that.
    """
    whole = archive.resolve()
    return attempt([*DECODE, whole], cwd=whole.parent)


def is_consistent(archive: Path) -> bool:
    """Return whether vdb-validate reports the archive as consistent; its exit code alone is not enough."""
    done = attempt(["vdb-validate", archive.resolve()])
    return done.returncode == 0 and b"is consistent" in done.stderr


def flip_bit_in_reads(archive: Path, out: Path, *, seed: int = 1, noticed: bool = True) -> Path:
    """Write a copy with one flipped bit in the READ column that only vdb-validate detects.

    fastq-dump exits with 0, reports the same counts and writes as many bytes as before, but other bases. Bits are tried
    in an order that depends on `seed`; LookupError if none of 40 fits, or if there is no READ column.

    latf-load writes a checksum into each blob, which vdb-validate verifies. general-loader writes none, so vdb-validate
    detects no flip there, and only the `md5` file in the column's directory does; use `noticed=False` for that.
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
    """Write the first part of the archive, a share of `keep`, like an interrupted download."""
    content = archive.read_bytes()
    out.write_bytes(content[: int(keep * len(content))])
    return out


# ---- The reference


def sourmash() -> str:
    """Return the sourmash next to this Python, or the one on the PATH."""
    beside = Path(sys.executable).with_name("sourmash")
    return str(beside) if beside.exists() else shutil.which("sourmash") or "sourmash"


def reference_signature(
    archive: str | Path, name: str, out: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Path:
    """Write the signature that the recipe's two commands make, connected by a pipe.

    `archive` is a file if it is a Path; a str, like an accession, is passed to fastq-dump unchanged. `cwd` is an empty
    directory by default, where fastq-dump finds no other archive. Raises ToolError if a command fails, or if sourmash
    exits with 0 but writes nothing, as for a run without reads.
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
        decoder_messages = messages.read()
    if sketched.returncode or decoder.returncode:
        out.unlink(missing_ok=True)  # a signature of half a run looks valid
    if sketched.returncode:  # checked first: without a reader, fastq-dump fails too
        raise ToolError(sketch, sketched.returncode, sketched.stderr)
    if decoder.returncode:
        raise ToolError(decode, decoder.returncode, decoder_messages)
    if not out.exists():
        raise ToolError(sketch, 0, b"wrote no signature\n" + decoder_messages + sketched.stderr)
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


def with_consensus(archive: Path, consensus: Path, out: Path) -> Path:
    """Write the database of an archive with the spots of another one as its table CONSENSUS."""
    for path, name in ((archive, "run"), (consensus, "other")):
        run(["kar", "-x", path, "-d", out.parent / name])
    shutil.copytree(out.parent / "other" / "tbl" / "SEQUENCE", out.parent / "run" / "tbl" / "CONSENSUS")
    run(["kar", "-c", out, "-d", out.parent / "run"])
    return out


if __name__ == "__main__":
    main()
