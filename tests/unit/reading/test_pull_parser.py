"""The JSON pull parser: wherever the pieces are cut, it returns what `json` returns, and it names invalid numbers."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wort_cli.reading.pull_parser import BadNumber, JsonPullParser, parse_numbers
from wort_cli.reading.refusal import Refusal

u64 = st.integers(0, 2**64 - 1)


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@given(st.lists(u64, max_size=40), st.integers(1, 50), st.sampled_from([None, 0, 3]))
def test_lists_of_numbers_equal_those_of_json(numbers: list[int], size: int, indent: int | None) -> None:
    data = json.dumps(numbers, indent=indent).encode()
    pull = JsonPullParser(cut(data, size))
    assert pull.numbers("x", ascending=False).tolist() == numbers
    pull.end()


@given(st.lists(u64, min_size=2, max_size=40), st.integers(1, 50))
def test_first_number_that_does_not_ascend_is_named(numbers: list[int], size: int) -> None:
    pull = JsonPullParser(cut(json.dumps(numbers).encode(), size))
    not_above = [n for n in range(1, len(numbers)) if numbers[n] <= numbers[n - 1]]
    if not not_above:
        assert pull.numbers("x", ascending=True).tolist() == numbers
        return
    with pytest.raises(Refusal, match=rf"^x\[{not_above[0]}\] is {numbers[not_above[0]]}, not above"):
        pull.numbers("x", ascending=True)


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.integers(1, 20), st.booleans())
def test_texts_equal_those_of_json(value: str, size: int, escaped: bool) -> None:
    pull = JsonPullParser(cut(json.dumps(value, ensure_ascii=escaped).encode() + b",", size))
    if value.isprintable():
        assert pull.text("x", 60) == value
        pull.expect(b",")
        return
    with pytest.raises(Refusal, match="control characters"):
        pull.text("x", 60)


@pytest.mark.parametrize(
    "text", [b"1.0", b"-1", b"1e3", b"01", b"00", b"", b"x", b"1 2", b"+1", b"18446744073709551616", b"9" * 21, b"1_0"]
)
def test_invalid_number_is_named(text: bytes) -> None:
    with pytest.raises(BadNumber) as caught:
        parse_numbers(b"1,2," + text + b",4", ascending=False, before=-1)
    assert caught.value.index == 2


def test_largest_unsigned_number_is_valid() -> None:
    assert parse_numbers(b"0,18446744073709551615", ascending=True, before=-1).tolist() == [0, 2**64 - 1]


def test_numbers_must_ascend_across_pieces() -> None:
    pull = JsonPullParser([b"[1,2,", b"3,4,", b"4,5]"])
    with pytest.raises(Refusal, match=r"^x\[4\] is 4, not above the number before it, 4$"):
        pull.numbers("x", ascending=True)
