"""Reads as a decoder would give them, slice by slice, without one."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import cast

from wort_cli.model.profile import Profile
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.decoding.fastq_dump import Decoder, DumpedReads
from wort_cli.pipeline.sketching.engine import Engine
from wort_cli.pipeline.sketching.run_sketcher import RunSketcher
from wort_cli.pipeline.sketching.slice_reads import Spots
from wort_cli.pipeline.sketching.slices import Slice, SliceStore
from wort_cli.system.cancellation import NEVER, Cancellation


def fasta_of(first: int, reads: Sequence[str]) -> bytes:
    """What the decoder writes of spots with one read each."""
    return "".join(f">{spot}.1\n{read}\n" for spot, read in enumerate(reads, first)).encode()


class Shelf:
    """An archive of spots with one read each; it knows which slices it was asked for."""

    def __init__(self, reads: Sequence[str], chunk: int = 100) -> None:
        self.reads = reads
        self.chunk = chunk
        self.asked: list[Slice] = []

    def decode(self, part: Slice) -> "Decoding":
        """As if a decoder were started."""
        self.asked.append(part)
        reads = self.reads[part.first - 1 : part.last]
        return Decoding(fasta_of(part.first, reads), self.chunk, Spots(part.spots, len(reads)))

    def slices(self, number: int) -> tuple[Slice, ...]:
        """Its spots in so many slices, or in fewer if there are not as many spots."""
        number = max(1, min(number, len(self.reads)))
        borders = [len(self.reads) * n // number for n in range(number + 1)]
        return tuple(Slice(low + 1, high) for low, high in pairwise(borders))

    def sketcher(
        self, slices: Sequence[Slice], profile: Profile, engine: Engine, store: SliceStore | None = None
    ) -> RunSketcher:
        """A sketcher of these spots."""
        return RunSketcher(slices, store, [lambda part: dumped(self.decode(part), engine)], profile, engine)


def dumped(decoding: object, engine: Engine) -> DumpedReads:
    """What a decoder writes, as an engine reads it."""
    return DumpedReads(cast(Decoder, decoding), engine.new_reader())


class Decoding:
    """A decoder that runs; it writes `stream` and says `spots`."""

    def __init__(self, stream: bytes, chunk: int, spots: Spots) -> None:
        self.stream = stream
        self.chunk = chunk
        self.spots = spots

    def chunks(self, cancellation: Cancellation) -> Iterator[bytes]:
        """The stream in pieces."""
        for start in range(0, len(self.stream), self.chunk):
            yield self.stream[start : start + self.chunk]

    def finish(self, cancellation: Cancellation) -> Spots:
        """What it did."""
        return self.spots


def sketched(
    reads: Sequence[str], profile: Profile, engine: Engine, threads: int = 1, slices: int = 1, chunk: int = 100
) -> tuple[Sketch, ...]:
    """The sketches of reads."""
    shelf = Shelf(reads, chunk)
    sketcher = shelf.sketcher(shelf.slices(slices), profile, engine)
    sketcher.run(threads, NEVER, lambda totals: None)
    return sketcher.sketches()
