"""Tests of units as text."""

import pytest

from wort_cli.model.units import format_bytes


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1500, "1.5 kB"), (999_949, "999.9 kB"), (999_999, "1.0 MB"),
        (1_000_000, "1.0 MB"), (2_500_000, "2.5 MB"), (126_000_000, "126.0 MB"), (3 * 10**9, "3.0 GB"),
        (10**12, "1.0 TB"), (4.2e12, "4.2 TB"), (10**16, "10000.0 TB"),
    ],
)  # fmt: skip
def test_bytes_are_formatted_in_the_largest_unit_that_fits(number: float, text: str) -> None:
    assert format_bytes(number) == text
