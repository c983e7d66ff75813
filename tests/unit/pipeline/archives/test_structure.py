"""An archive's table of contents is proved by what its sums cover, or the archive is fetched as a whole."""

import hashlib
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.kar_files import kar_archive
from wort_cli.pipeline.archives.checksums import ChecksumError, check_file, read_sums
from wort_cli.pipeline.archives.columns import column_of, select
from wort_cli.pipeline.archives.kar import Extent, KarError, merge_extents, read_header, read_table
from wort_cli.pipeline.archives.structure import StructureError, check_structure, check_tiling

PHAGE = Path(__file__).parents[4] / "demo" / "phage.sra"
SCHEMA = b"table T { column .READ=x; column <U8>.QUALITY; physical column .READ_LEN; }."
"""A table's metadata, of which only the names matter; its length is a multiple of four."""


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def with_sums(files: dict[str, Any]) -> dict[str, Any]:
    """Return a directory with an md5 file as a loader writes it, padded so that archives need no padding."""
    flat = {**files, **({"md/cur": files["md"]["cur"]} if "md" in files else {})}
    lines = [f"{md5(data)} *{name}\n" for name, data in flat.items() if isinstance(data, bytes)]
    return {**files, "md5": "".join(lines).encode()}


def column(size: int = 400) -> dict[str, Any]:
    return with_sums({"data": b"ACGT" * (size // 4), "idx1": b"idx1", "md": {"cur": b"meta"}})


def database(**columns: Any) -> dict[str, Any]:
    chosen = columns or {"READ": column(), "QUALITY": column(4000)}
    return {
        "tbl": {"SEQUENCE": {"col": chosen, **with_sums({"md": {"cur": SCHEMA}})}},
        **with_sums({"md": {"cur": b"meta"}}),
    }


def aligned(tree: Mapping[str, Any]) -> bytes:
    """Return an archive in which each file starts at a multiple of four, as a loader writes it."""
    return kar_archive(tree, alignment=4)


def prove(archive: bytes, decoder: str = "fastq-dump") -> tuple[str, ...]:
    """Check an archive as `obtain` does; return the files that are needed."""

    def read(extent: Extent) -> Iterator[bytes]:
        yield archive[extent.offset : extent.end]

    table = read_table(archive, len(archive))
    sums = read_sums(table, read)
    selection = select(table, decoder)
    for path in selection.files:
        if path in sums:
            check_file(path, table, sums, read)
    check_structure(
        table, read_header(archive).data_offset, len(archive), sums, lambda path: b"".join(read(table[path]))
    )
    return selection.files


def test_archive_of_a_loader_is_proved() -> None:
    assert "tbl/SEQUENCE/col/READ/data" in prove(PHAGE.read_bytes())
    assert "tbl/SEQUENCE/col/READ/data" in prove(aligned(database()))


def test_qualities_are_not_needed_and_unknown_columns_are() -> None:
    archive = aligned(database(READ=column(), QUALITY=column(), READ_LEN=column()))
    files = prove(archive)
    assert {column_of(path) for path in files} == {"", "tbl/SEQUENCE/col/READ", "tbl/SEQUENCE/col/READ_LEN"}


def without_sum_of_data() -> dict[str, Any]:
    files = column()
    return {**files, "md5": b"\n".join(line for line in files["md5"].splitlines() if b"data" not in line) + b"\n"}


UNPROVABLE = {
    "unknown file": (aligned({**database(), "extra": b"1234"}), "extra, which is of no known kind"),
    "unknown table": (aligned({"tbl": {"SEQUENCF": database()["tbl"]["SEQUENCE"]}}), "no known kind"),
    "unknown directory": (aligned({"tbx": database()["tbl"]}), "no known kind"),
    "unknown file of a column": (aligned(database(READ={**column(), "idx9": b"1234"})), "no known kind"),
    "file without sum": (aligned(database(READ=without_sum_of_data())), "no md5 sum of .*READ/data"),
    "sum without file": (
        aligned(database(READ={key: value for key, value in column().items() if key != "idx1"})),
        "sum of .*READ/idx1, but no such file",
    ),
    "column that the schema does not name": (aligned(database(READ=column(), REAE=column())), "REAE"),
    "part of a name": (aligned(database(READ_L=column())), "READ_L"),
    "no metadata": (aligned({"col": {"READ": column()}}), "no md/cur"),
    "bytes behind the last file": (aligned(database()) + b"1234", "belong to no file"),
}


@pytest.mark.parametrize("case", UNPROVABLE)
def test_table_of_contents_that_follows_from_no_sum_is_not_proved(case: str) -> None:
    archive, why = UNPROVABLE[case]
    with pytest.raises(StructureError, match=why):
        prove(archive)


def test_gap_between_files_is_noticed() -> None:
    table = {"a": Extent(100, 10), "b": Extent(112, 8)}
    check_tiling(table, 100, 120)
    for wrong in (table | {"b": Extent(116, 4)}, table | {"a": Extent(104, 6)}, {"a": table["a"]}):
        with pytest.raises(StructureError, match="belong to no file"):
            check_tiling(wrong, 100, 120)


def test_no_damage_to_a_head_changes_what_is_proved() -> None:
    """Every byte of the table of contents and of the sums is changed, by a bit and at random."""
    archive = PHAGE.read_bytes()
    table = read_table(archive, len(archive))
    files = prove(archive)
    rng = random.Random(1)
    head = list(range(read_header(archive).data_offset))
    sums = [byte for path, e in table.items() if path.endswith("md5") for byte in range(e.offset, e.end)]
    survived = 0
    for place in [*head, *rng.sample(sums, 300)]:
        for value in (archive[place] ^ (1 << rng.randrange(8)), rng.randrange(256)):
            damaged = bytearray(archive)
            damaged[place] = value
            try:
                found = prove(bytes(damaged))
            except (KarError, ChecksumError, StructureError):
                continue
            survived += 1
            now = read_table(bytes(damaged), len(damaged))
            assert found == files
            for path in files:
                content = damaged[now[path].offset : now[path].end]
                before = archive[table[path].offset : table[path].end]
                assert content == before or path.endswith("md5")
    assert survived > 0  # times and modes of files may be anything


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("tbl/SEQUENCE/col/READ/data", "tbl/SEQUENCE/col/READ"),
        ("tbl/SEQUENCE/col/READ/md/cur", "tbl/SEQUENCE/col/READ"),
        ("col/READ/idx", "col/READ"),
        ("tbl/SEQUENCE/md/cur", ""),
        ("md/cur", ""),
        ("idx/skey", ""),
        ("lock", ""),
    ],
)
def test_column_of_a_file(path: str, column: str) -> None:
    assert column_of(path) == column


def test_neighbouring_extents_are_fetched_together() -> None:
    extents = [Extent(50, 10), Extent(0, 10), Extent(10, 5), Extent(40, 0)]
    assert merge_extents(extents, gap=0) == [Extent(0, 15), Extent(50, 10)]
    assert merge_extents(extents, gap=35) == [Extent(0, 60)]
    assert merge_extents([Extent(0, 100), Extent(10, 5)], gap=0) == [Extent(0, 100)]
