"""Tests of decompression: what is complete, what is truncated, damaged or followed by something else."""

import bz2
import gzip
import lzma
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from wort_cli.pipeline.reads.decompress import PIECE, compression_of, decompressed, zstd_module
from wort_cli.pipeline.reads.faults import MORE_EXAMPLES, TABLE, BadReads, Fault

TEXT = b"@r1\nACGT\n+\nIIII\n" * 10_000
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: bytes(zstd_module().ZstdCompressor().compress(data, 2)),
}


def unpacked(data: bytes, step: int = 1000) -> bytes:
    blocks = [data[start : start + step] for start in range(0, len(data), step)]
    return b"".join(decompressed(compression_of(data), iter(blocks)))


@pytest.mark.parametrize("name", PACK)
def test_several_streams_are_one_content(name: str) -> None:
    packed = PACK[name](TEXT) + PACK[name](b"") + PACK[name](TEXT[:100])
    found = compression_of(packed)
    assert found is not None
    assert found.name == name
    assert all(unpacked(packed, step) == TEXT + TEXT[:100] for step in (7, 1000, 10**9))


@pytest.mark.parametrize("name", ["gzip", "xz"])
def test_padding_with_zeros_is_accepted(name: str) -> None:
    assert unpacked(PACK[name](TEXT) + bytes(8)) == TEXT


@pytest.mark.parametrize("name", PACK)
def test_truncated_stream_is_refused_wherever_it_ends(name: str) -> None:
    packed = PACK[name](TEXT[:64])
    for end in range(6, len(packed)):
        with pytest.raises(BadReads) as bad:
            unpacked(packed[:end])
        assert bad.value.fault is Fault.TRUNCATED


@pytest.mark.parametrize("name", PACK)
def test_other_bytes_after_the_stream_are_refused(name: str) -> None:
    for rest in (b"garbage", PACK[name](TEXT)[:1]):
        with pytest.raises(BadReads) as bad:
            unpacked(PACK[name](TEXT) + rest)
        assert bad.value.fault is Fault.TRAILING


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz"])
def test_flipped_bit_is_noticed(name: str) -> None:
    packed = bytearray(PACK[name](TEXT))
    packed[len(packed) // 2] ^= 4
    with pytest.raises(BadReads):
        unpacked(bytes(packed))


def test_examples_of_the_table() -> None:
    rows = [(fault, row.example) for fault, row in TABLE.items()] + [(fault, data) for fault, data, _ in MORE_EXAMPLES]
    for fault, data in rows:
        if fault in (Fault.TRUNCATED, Fault.DAMAGED, Fault.TRAILING):
            with pytest.raises(BadReads) as bad:
                unpacked(data)
            assert bad.value.fault is fault


@pytest.mark.parametrize("name", PACK)
def test_bomb_is_decompressed_in_small_pieces(name: str) -> None:
    packed = PACK[name](b"A" * 50_000_000)
    tracemalloc.start()
    try:
        pieces: Iterator[bytes] = decompressed(compression_of(packed), iter([packed]))
        assert sum(map(len, pieces)) == 50_000_000
        assert tracemalloc.get_traced_memory()[1] < 20 * PIECE
    finally:
        tracemalloc.stop()
