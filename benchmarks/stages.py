"""Measures each stage of a run separately, on one core, with the same archive.

    python -m benchmarks.stages ARCHIVE SPOTS

In a real run, decoding and hashing overlap.  The figures are CPU seconds, which determine the throughput of a machine
that is fully used.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from wort_cli.model.accession import LocalName
from wort_cli.model.profile import SRA_V1
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.decoding.fastq_dump import HEADERS, cut_between_reads
from wort_cli.pipeline.decoding.vdb_decoder import VdbDecoder
from wort_cli.pipeline.seal import seal
from wort_cli.pipeline.sketching.compiled_fasta import CompiledFastaReader
from wort_cli.pipeline.sketching.engine import KernelEngine
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.system.cancellation import NEVER

T = TypeVar("T")
CHUNK = 1 << 20


def timed(action: Callable[[], T]) -> tuple[float, T]:
    """Return the CPU seconds that an action takes in this process, and its result."""
    before = time.process_time()
    result = action()
    return time.process_time() - before, result


def stages(archive: Path, spots: int) -> dict[str, float]:
    """Return the CPU seconds of each stage, and of decoding with fastq-dump instead: itself, and parsing its output."""
    engine = KernelEngine(SRA_V1)
    engine.hash_text(b"N" + b"ACGT" * 100)  # compiles the loops
    CompiledFastaReader().feed(b">1.1\nACGT\n")
    list(VdbDecoder(archive, spots, Slice(1, 1)).texts(NEVER))

    decoding, texts = timed(
        lambda: [text.tobytes() for text in VdbDecoder(archive, spots, Slice(1, spots)).texts(NEVER)]
    )
    hashing, hashes = timed(lambda: [engine.hash_text(text) for text in texts])
    counts = [HashCounts() for _ in SRA_V1.ksizes]

    def merge() -> tuple[Sketch, ...]:
        for kept in hashes:
            for count, new in zip(counts, kept, strict=True):
                count.add(new)
        tables = [count.table() for count in counts]
        return tuple(
            Sketch(k, SRA_V1.seed, SRA_V1.max_hash, *table) for k, table in zip(SRA_V1.ksizes, tables, strict=True)
        )

    merging, sketches = timed(merge)
    with tempfile.TemporaryDirectory() as directory:
        sealing, _ = timed(lambda: seal(LocalName("stages"), sketches, Path(directory) / "stages.sig"))
    dumping, parsing = fastq_dump_stages(archive)
    return {
        "decoding": decoding, "hashing": hashing, "merging": merging, "sealing": sealing,
        "fastq-dump instead": dumping, "parsing its output": parsing,
    }  # fmt: skip


def fastq_dump_stages(archive: Path) -> tuple[float, float]:
    """Return the CPU seconds of fastq-dump, and of parsing its output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    argv = ["fastq-dump", *HEADERS, *SRA_V1.decode_flags, str(archive)]
    fasta = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    reader = CompiledFastaReader()
    chunks = [fasta[start : start + CHUNK] for start in range(0, len(fasta), CHUNK)]
    parsing, _ = timed(lambda: list(cut_between_reads(map(reader.feed, chunks), reader.finish)))
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, parsing


if __name__ == "__main__":
    for stage, seconds in stages(Path(sys.argv[1]), int(sys.argv[2])).items():
        print(f"{stage:<20}{seconds:>8.2f} s")
