"""Texts that are compressed in blocks are one gzip member with the same text."""

import gzip
import io
import zlib
from collections.abc import Iterator
from random import Random

import pytest
from isal import isal_zlib

from wort_cli.pipeline.digit_codes import are_random_digits, deflate_digits
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


@pytest.mark.parametrize(
    "text",
    [
        b"1" * 70_000,
        b"," * 10 + b"7" * 70_000,
        numbers(20_000, 18),
        b"".join(b"%d" % (i % 10) * 2**i for i in range(17)),
        b"0123456789," * 9_000,
        *(numbers(5_000, 20) + b"5" * i for i in range(5)),
    ],
    ids=len,
)
def test_digits_are_compressed_by_a_huffman_code(text: bytes) -> None:
    assert are_random_digits(text)
    data = deflate_digits(text)
    for reader in (zlib.decompressobj(-15), isal_zlib.decompressobj(-15)):
        assert reader.decompress(data) == text
        assert not reader.eof
        assert reader.decompress(b"\x03\0") == b""
        assert reader.eof
    assert len(data) < len(text) / 2


@pytest.mark.parametrize("text", [b"12 3", b"1" * 99 + b"-", b"a" + b"1" * 99, b"1" * 99 + b"/:"], ids=len)
def test_other_text_is_not_taken_for_digits(text: bytes) -> None:
    assert not are_random_digits(text)


def test_error_of_the_texts_is_raised() -> None:
    def texts() -> Iterator[bytes]:
        yield numbers(20_000, 18)
        raise ValueError("stopped")

    with pytest.raises(ValueError, match="stopped"):
        write_gzip(texts(), io.BytesIO())
