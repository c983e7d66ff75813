"""A set of runs, of which each takes a bit: five million need some megabytes."""

from collections.abc import Iterator

BLOCK = 1 << 17
"""Bytes of which the bits are looked at together."""


class RunSet:
    """Accessions of runs, each once.  They are iterated in order of their letters, of their length, and by number."""

    def __init__(self) -> None:
        self._bits: dict[tuple[str, int], bytearray] = {}

    def add(self, run: str) -> None:
        """Add an accession, which must be a valid one."""
        kind = run[:3], len(run) - 3
        if kind not in self._bits:
            self._bits[kind] = bytearray(10 ** kind[1] // 8 + 1)
        place, bit = divmod(int(run[3:]), 8)
        self._bits[kind][place] |= 1 << bit

    def __len__(self) -> int:
        return sum(int.from_bytes(bits, "little").bit_count() for bits in self._bits.values())

    def __iter__(self) -> Iterator[str]:
        import numpy as np

        for (letters, digits), bits in sorted(self._bits.items()):
            for start in range(0, len(bits), BLOCK):
                block = np.frombuffer(bits[start : start + BLOCK], np.uint8)
                for place in np.flatnonzero(np.unpackbits(block, bitorder="little")).tolist():
                    yield f"{letters}{start * 8 + place:0{digits}d}"
