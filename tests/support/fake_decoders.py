"""Stand-ins for an archive and for fastq-dump, with given reads, to test RunSketcher without the real tools."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import cast

from wort_cli.model.profile import Profile
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.decoding.fastq_dump import FastqDump, FastqDumpDecoder
from wort_cli.pipeline.sketching.engine import Engine
from wort_cli.pipeline.sketching.run_sketcher import RunSketcher
from wort_cli.pipeline.sketching.slice_decoder import DecoderCounts
from wort_cli.pipeline.sketching.slices import Slice, SliceStore
from wort_cli.system.cancellation import NEVER, Cancellation


def fasta_of(first: int, reads: Sequence[str]) -> bytes:
    """Return what fastq-dump writes for spots with one read each, numbered from `first`."""
    return "".join(f">{spot}.1\n{read}\n" for spot, read in enumerate(reads, first)).encode()


class FakeArchive:
    """Spots with one read each.  It records the slices that were decoded."""

    def __init__(self, reads: Sequence[str], chunk: int = 100) -> None:
        self.reads = reads
        self.chunk = chunk
        self.decoded: list[Slice] = []

    def start(self, part: Slice) -> "FakeFastqDump":
        """Start a decoder of a slice."""
        self.decoded.append(part)
        reads = self.reads[part.first - 1 : part.last]
        return FakeFastqDump(fasta_of(part.first, reads), self.chunk, DecoderCounts(part.spots, len(reads)))

    def slices(self, number: int) -> tuple[Slice, ...]:
        """Return all spots in `number` slices, or in fewer if there are fewer spots."""
        number = max(1, min(number, len(self.reads)))
        borders = [len(self.reads) * n // number for n in range(number + 1)]
        return tuple(Slice(low + 1, high) for low, high in pairwise(borders))

    def sketcher(
        self, slices: Sequence[Slice], profile: Profile, engine: Engine, store: SliceStore | None = None
    ) -> RunSketcher:
        """Return a sketcher of some slices."""
        return RunSketcher(slices, store, [lambda part: decoder_of(self.start(part), engine)], profile, engine)


def decoder_of(fastq_dump: object, engine: Engine) -> FastqDumpDecoder:
    """Return a decoder that reads the output of a FakeFastqDump with an engine's reader."""
    return FastqDumpDecoder(cast(FastqDump, fastq_dump), engine.fasta_reader())


class FakeFastqDump:
    """A running fastq-dump that writes `stream` in pieces of `chunk` bytes, and reports `counts`."""

    def __init__(self, stream: bytes, chunk: int, counts: DecoderCounts) -> None:
        self.stream = stream
        self.chunk = chunk
        self.counts = counts

    def chunks(self, cancellation: Cancellation) -> Iterator[bytes]:
        """See FastqDump."""
        for start in range(0, len(self.stream), self.chunk):
            yield self.stream[start : start + self.chunk]

    def finish(self, cancellation: Cancellation) -> DecoderCounts:
        """See FastqDump."""
        return self.counts


def sketched(
    reads: Sequence[str], profile: Profile, engine: Engine, threads: int = 1, slices: int = 1, chunk: int = 100
) -> tuple[Sketch, ...]:
    """Return the sketches of reads."""
    archive = FakeArchive(reads, chunk)
    sketcher = archive.sketcher(archive.slices(slices), profile, engine)
    sketcher.run(threads, NEVER, lambda stats: None)
    return sketcher.sketches()
