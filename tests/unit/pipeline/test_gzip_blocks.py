"""Texts that are compressed in blocks are one gzip member with the same text."""

import gzip
import io
import zlib
from collections.abc import Iterator
from random import Random

import pytest

from wort_cli.pipeline.gzip_blocks import SMALL, write_gzip


def compressed(texts: list[bytes]) -> bytes:
    file = io.BytesIO()
    write_gzip(texts, file)
    return file.getvalue()


def numbers(size: int, digits: int) -> bytes:
    rng = Random(size)
    return b",".join(b"%d" % rng.randrange(10**digits) for _ in range(size))


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [b""],
        [b"a"],
        [b"a" * SMALL, b"b" * SMALL, b"c"],
        [b"{", numbers(20_000, 18), b"}", numbers(50_000, 1), b"", numbers(20_000, 18)],
        [numbers(9_000, 17)] * 20,
    ],
    ids=len,
)
def test_member_has_the_text_of_all_blocks(texts: list[bytes]) -> None:
    data = compressed(texts)
    reader = zlib.decompressobj(31)
    assert reader.decompress(data) == b"".join(texts) == gzip.decompress(data)
    assert reader.eof
    assert reader.unused_data == b""


def test_equal_texts_give_equal_bytes() -> None:
    texts = [numbers(20_000, 18)] * 9
    assert compressed(texts) == compressed(texts)


def test_numbers_take_little_more_than_with_one_block() -> None:
    text = numbers(20_000, 18) + numbers(50_000, 1)
    assert len(compressed([text])) < 1.02 * len(gzip.compress(text, 1))


def test_error_of_the_texts_is_raised() -> None:
    def texts() -> Iterator[bytes]:
        yield numbers(20_000, 18)
        raise ValueError("stopped")

    with pytest.raises(ValueError, match="stopped"):
        write_gzip(texts(), io.BytesIO())
