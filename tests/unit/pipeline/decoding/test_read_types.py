"""Lines of vdb-dump are counted, wherever its output is cut."""

import pytest

from wort_cli.pipeline.decoding.read_types import count_spots

OUTPUT = (
    b"SRA_READ_TYPE_TECHNICAL, SRA_READ_TYPE_BIOLOGICAL\n"
    b"SRA_READ_TYPE_BIOLOGICAL|SRA_READ_TYPE_REVERSE\n"
    b"\n"
    b"SRA_READ_TYPE_TECHNICAL|SRA_READ_TYPE_FORWARD\n"
)


@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 1000])
def test_spots_with_a_biological_read_are_counted(chunk: int) -> None:
    chunks = [OUTPUT[start : start + chunk] for start in range(0, len(OUTPUT), chunk)]
    assert count_spots(iter(chunks)) == (4, 2)


@pytest.mark.parametrize(
    ("output", "counts"), [(b"", (0, 0)), (b"SRA_READ_TYPE_BIOLOGICAL", (1, 1)), (b"\n", (1, 0))], ids=repr
)
def test_output_may_be_cut_short(output: bytes, counts: tuple[int, int]) -> None:
    assert count_spots(iter([output])) == counts
