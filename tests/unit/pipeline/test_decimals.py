"""Numbers become the text that Python writes, and are read back, whatever their lengths."""

import numpy as np
import pytest

from wort_cli.pipeline import decimals
from wort_cli.pipeline.decimals import decimal_length, digits_of, number_blocks

BORDERS = sorted({0, 1, 2**64 - 1, *(10**i + d for i in range(1, 20) for d in (-1, 0, 1))})


@pytest.mark.parametrize("values", [[0], [0, 0], [0, 2**64 - 1, 0], BORDERS, BORDERS[::-1]], ids=len)
@pytest.mark.parametrize("block", [1, 2, 1000])
def test_numbers_are_written_as_python_writes_them(
    values: list[int], block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decimals, "BLOCK", block)
    numbers = np.array(values, np.uint64)
    text, digits = (b"".join(parts) for parts in zip(*number_blocks(numbers), strict=True))
    assert text.decode() == ",".join(map(str, values))
    assert digits.decode() == "".join(map(str, values))
    assert decimal_length(numbers) == len(text) + 1
    found = digits_of(text, numbers)
    assert found is not None
    assert found.tobytes() == digits
