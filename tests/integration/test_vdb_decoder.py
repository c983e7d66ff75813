"""VdbDecoder returns the same reads as fastq-dump, or raises CannotDecode."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.archives import DECODE, LAYOUTS, build, dump, load_illumina
from tests.support.general_loader import TableRows, load_database
from tests.support.loaders import CLIPPED, COLUMNS, ILLUMINA, load_columns, load_fastq
from tests.support.shelf import Shelf, copy_archive
from tests.support.simulated_spots import Read, Spot, odd_spots, pairs, random_bases, singles
from tests.support.tools import run
from wort_cli.pipeline.decoding import vdb_decoder
from wort_cli.pipeline.decoding.blob_checksums import verify_blobs
from wort_cli.pipeline.decoding.vdb_decoder import VdbDecoder
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode, NeedsWholeRun
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.system.cancellation import NEVER


def spots_of(archive: Path) -> int:
    xml = subprocess.run(["sra-stat", "--quick", "--xml", archive], capture_output=True, text=True, check=True).stdout
    return int(xml.split('spot_count="')[1].split('"')[0])


def text_of(archive: Path, part: Slice | None = None) -> tuple[VdbDecoder, bytes]:
    """Decode an archive, or a slice of it, and return the decoder and the text."""
    spots = spots_of(archive)
    reads = VdbDecoder(archive, spots, part or Slice(1, spots))
    return reads, b"".join(bytes(text) for text in reads.texts(NEVER))


def dumped(archive: Path) -> list[tuple[int, bytes]]:
    """Return spot and bases of each read that the recipe's fastq-dump writes, without empty reads."""
    records = dump(archive).stdout.split(b">")[1:]
    titles = [record.split(b"\n", 1) for record in records]
    reads = [(int(title.split(b" ")[0].rsplit(b".", 2)[1]), bases.replace(b"\n", b"")) for title, bases in titles]
    return [(spot, bases) for spot, bases in reads if bases]


def assert_same(archive: Path) -> None:
    """Assert that reads and counts equal those of fastq-dump, for the whole archive and for a slice."""
    expected = dumped(archive)
    reads, text = text_of(archive)
    assert text == b"".join(bases + b"N" for _, bases in expected)
    assert (reads.stats.reads, reads.stats.bases) == (len(expected), sum(len(bases) for _, bases in expected))
    assert reads.stats.spots == len({spot for spot, _ in expected})
    assert reads.stats.longest == max((len(bases) for _, bases in expected), default=0)
    spots = spots_of(archive)
    done = reads.finish(NEVER)
    assert (done.read, done.written) == (spots, reads.stats.spots)
    third = Slice(spots // 3 + 1, 2 * spots // 3 + 1)
    part, text = text_of(archive, third)
    assert text == b"".join(bases + b"N" for spot, bases in expected if third.first <= spot <= third.last)
    assert part.finish(NEVER).read == third.spots


@pytest.mark.parametrize("layout", [layout.name for layout in LAYOUTS if layout.name != "zero_spots"])
def test_reads_equal_those_of_fastq_dump(shelf: Shelf, layout: str) -> None:
    assert_same(shelf.archive(layout))


def test_table_without_rows_is_not_supported(shelf: Shelf) -> None:
    with pytest.raises(CannotDecode):
        text_of(shelf.archive("zero_spots"), Slice(1, 0))


@pytest.mark.parametrize("seed", range(12))
def test_random_spots_with_odd_reads(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    assert_same(build(tmp_path / "odd.sra", odd_spots(rng, rng.choice([1, 2, 50, 3000])), load_illumina))


def test_reads_longer_than_text_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    long = [Spot((Read("".join(rng.choice(list("ACGT"), length))),)) for length in (10, 3_000_000, 20, 1_048_576)]
    archive = build(tmp_path / "long.sra", long, load_illumina)
    assert_same(archive)


@pytest.mark.parametrize(
    "platform", ["ILLUMINA", "PACBIO", "NANOPORE", "LS454", "CAPILLARY", "HELICOS", "COMPLETE_GENOMICS"]
)
def test_platforms_whose_reads_are_letters(tmp_path: Path, platform: str) -> None:
    def load(spots: Iterable[Spot], database: Path) -> None:
        load_fastq(spots, database, platform=platform)

    assert_same(build(tmp_path / "known.sra", singles(Random(1), 100, shortest=20, longest=3000), load))


def test_blobs_are_released_when_a_slice_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[int] = []
    library = SimpleNamespace(VBlobRelease=lambda blob: released.append(blob.value or 0))
    monkeypatch.setattr(vdb_decoder, "load_library", lambda: library)
    with pytest.raises(CannotDecode), vdb_decoder.work_arrays() as arrays:
        arrays[0][1:3, vdb_decoder.BLOB] = 11, 12
        raise CannotDecode("a cell has an unknown layout")
    assert sorted(released) == [11, 12]


def test_archive_without_platform(tmp_path: Path) -> None:
    assert_same(build(tmp_path / "x.sra", pairs(Random(1), 5), partial(load_columns, columns=COLUMNS)))


def spots_of_many_reads(rng: Random, spots: int) -> Iterator[Spot]:
    """Yield spots of 1 to 20 reads, some technical, some rejected; the first read is biological."""
    for _ in range(spots):
        reads = (Read(random_bases(rng, rng.randint(1, 60)), rng.random() < 0.8, rng.random() < 0.2)
                 for _ in range(rng.randint(0, 19)))  # fmt: skip
        yield Spot((Read(random_bases(rng, 30)), *reads), (rng.choice([0, 10]), rng.choice([0, 0, 300])))


@pytest.mark.parametrize("columns", [ILLUMINA, COLUMNS, CLIPPED], ids=["illumina", "no platform", "clips"])
def test_reads_after_the_eighth_of_a_spot_are_left_out(tmp_path: Path, columns: Mapping[str, str]) -> None:
    archive = build(tmp_path / "x.sra", spots_of_many_reads(Random(3), 200), partial(load_columns, columns=columns))
    assert_same(archive)
    reads, _ = text_of(archive)
    assert reads.stats.left_out > 100


def test_reads_that_are_left_out_are_counted(tmp_path: Path) -> None:
    kept, technical, rejected, empty = Read("ACGT"), Read("ACGT", technical=True), Read("ACGT", passes=False), Read("")
    spots = [
        Spot((kept,) * 8),
        Spot((kept,) * 11),
        Spot((technical,) * 4 + (kept,) * 6),  # technical reads count
        Spot((kept,) * 8 + (technical, rejected, empty)),
        Spot((rejected,) * 8 + (kept,) * 2),
    ]
    archive = build(tmp_path / "x.sra", spots, load_illumina)
    assert_same(archive)
    assert text_of(archive)[0].stats.left_out == 3 + 2 + 2


def test_rna_has_u_for_t_as_fastq_dump_writes_it(tmp_path: Path) -> None:
    def load(spots: Iterable[Spot], database: Path) -> None:
        load_illumina(spots, database)
        run(["kdbmeta", "-T", "SEQUENCE", database, "RNA_FLAG=1"])

    archive = build(tmp_path / "x.sra", [Spot((Read("ACGTRYKMN" * 20), Read("TT")))], load)
    assert_same(archive)
    assert b"ACGU" in text_of(archive)[1]


def test_pacbio_has_no_limit_of_eight_reads(tmp_path: Path) -> None:
    pacbio = partial(load_columns, columns=ILLUMINA, platform=6)
    archive = build(tmp_path / "x.sra", spots_of_many_reads(Random(4), 50), pacbio)
    assert_same(archive)
    assert text_of(archive)[0].stats.left_out == 0


@pytest.mark.parametrize("where", ["rejected spot", "technical read", "clipped base", "read after the eighth"])
def test_invalid_base_code_that_is_not_written_needs_the_whole_run(tmp_path: Path, where: str) -> None:
    spots = [Spot((Read("ACGTN"),)), odd_base_spot(where), Spot((Read("ACGTA"),))]
    assert_same(build(tmp_path / "valid.sra", spots, partial(load_codes, highest=15)))
    archive = build(tmp_path / "invalid.sra", spots, partial(load_codes, highest=16))
    assert subprocess.run([*DECODE, archive], capture_output=True, check=False).returncode == 3
    with pytest.raises(NeedsWholeRun, match="spot 2"):
        text_of(archive)


def odd_base_spot(where: str) -> Spot:
    """Return a spot with an N that is not written."""
    odd, plain = Read("ACGTN"), Read("ACGT")
    return {
        "rejected spot": Spot((odd._replace(passes=False),)),
        "technical read": Spot((odd._replace(technical=True), plain)),
        "clipped base": Spot((odd,), (0, 4)),
        "read after the eighth": Spot((plain,) * 8 + (odd,)),
    }[where]


def load_codes(spots: Sequence[Spot], database: Path, *, highest: int) -> None:
    """Load spots whose N are stored as the code 15, those of the second as `highest`."""
    load_columns(spots, database, columns={**CLIPPED, **ILLUMINA})
    schema, codes = database.with_name("codes.vschema"), database.with_name("codes")
    schema.write_text(
        "version 1;\ninclude 'vdb/vdb.vschema';\ntable TEST:codes:tbl #1 { column < U8 > zip_encoding ALTREAD; };\n"
        "database TEST:codes:db #1 { table TEST:codes:tbl #1 CODES; };\n"
    )
    rows = []
    for number, spot in enumerate(spots):
        bases = "".join(read.bases for read in spot.reads)
        rows.append({"ALTREAD": [(highest if number == 1 else 15) * (base == "N") for base in bases]})
    load_database(schema, "TEST:codes:db", [TableRows("CODES", {"(U8)ALTREAD": "B"}, rows)], codes)
    column = database / "tbl" / "SEQUENCE" / "col" / "ALTREAD"
    run(["chmod", "-R", "u+w", database])
    shutil.rmtree(column)
    shutil.copytree(codes / "tbl" / "CODES" / "col" / "ALTREAD", column)


def test_spots_without_labels_are_left_out_by_fastq_dump(tmp_path: Path) -> None:
    spots = list(pairs(Random(1), 5))
    archive = build(tmp_path / "all.sra", spots, partial(load_labels, labelled=5))
    assert len(dumped(archive)) == 10
    assert_same(archive)
    archive = build(tmp_path / "some.sra", spots, partial(load_labels, labelled=2))
    assert len(dumped(archive)) == 4
    with pytest.raises(CannotDecode, match="row not found"):
        text_of(archive)


def load_labels(spots: Sequence[Spot], database: Path, *, labelled: int) -> None:
    """Load spots with a column LABEL_START that has the first rows only."""
    load_columns(spots, database)
    schema, labels = database.with_name("labels.vschema"), database.with_name("labels")
    schema.write_text(
        "version 1;\ninclude 'vdb/vdb.vschema';\n"
        "table TEST:labels:tbl #1 { column < U32 > izip_encoding LABEL_START; };\n"
        "database TEST:labels:db #1 { table TEST:labels:tbl #1 LABELS; };\n"
    )
    rows = [{"LABEL_START": [number] * len(spot.reads)} for number, spot in enumerate(spots[:labelled])]
    load_database(schema, "TEST:labels:db", [TableRows("LABELS", {"(U32)LABEL_START": "I"}, rows)], labels)
    run(["chmod", "-R", "u+w", database])
    column = "col/LABEL_START"
    shutil.copytree(labels / "tbl" / "LABELS" / column, database / "tbl" / "SEQUENCE" / column)


def test_colour_space_is_not_supported(tmp_path: Path) -> None:
    archive = build(tmp_path / "x.sra", pairs(Random(1), 5), partial(load_columns, columns=ILLUMINA, platform=3))
    with pytest.raises(CannotDecode, match="colour space"):
        text_of(archive)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("reads", [1, 3])
def test_spot_with_technical_reads_only_needs_the_whole_run(tmp_path: Path, first: bool, reads: int) -> None:
    some, none = Spot((Read("ACGT"),)), Spot((Read("ACGT", technical=True),) * reads)
    archive = build(tmp_path / "x.sra", [none, some] if first else [some, none], load_illumina)
    with pytest.raises(NeedsWholeRun, match="spot 1 has no biological" if first else "spot 2 has no biological"):
        text_of(archive)


@pytest.mark.parametrize("reads", [(Read("ACGT", technical=True, passes=False),), ()])
def test_spot_that_is_not_read_and_has_no_biological_read_needs_the_whole_run(
    tmp_path: Path, reads: tuple[Read, ...]
) -> None:
    """The library gives the spots after it the part that --clip leaves of a spot before it."""
    spots = [Spot((Read("ACGT"),)), Spot(reads), Spot((Read("ACGTA"),))]
    archive = build(tmp_path / "x.sra", spots, partial(load_columns, columns={**CLIPPED, **ILLUMINA}))
    with pytest.raises(NeedsWholeRun, match="spot 2 has no biological read"):
        text_of(archive)


@pytest.mark.parametrize("reads", [(Read(""), Read("ACGT", technical=True)), (Read(""),)])
def test_spots_without_a_base(tmp_path: Path, reads: tuple[Read, ...]) -> None:
    for spots in ([Spot(reads), Spot((Read("ACGT"),))], [Spot((Read("ACGT"),)), Spot(reads)]):
        assert_same(build(tmp_path / "x.sra", spots, load_illumina))


def test_file_that_is_not_an_archive_is_not_supported(tmp_path: Path, shelf: Shelf) -> None:
    for content in (b"", b"NCBI.sra", b"<html>", shelf.archive().read_bytes()[:5000]):
        path = tmp_path / "x.sra"
        path.write_bytes(content)
        with pytest.raises(CannotDecode):
            VdbDecoder(path, 5, Slice(1, 5)).texts(NEVER).__next__()


def test_different_spot_count_is_not_supported(shelf: Shelf) -> None:
    reads = VdbDecoder(shelf.archive(), 1999, Slice(1, 1999))
    with pytest.raises(CannotDecode, match="its spots are 1 to 2000, not 1 to 1999"):
        next(reads.texts(NEVER))


def test_file_of_the_same_name_in_the_current_directory_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shelf: Shelf
) -> None:
    archive = shelf.archive()
    copy_archive(shelf.archive(seed=2), tmp_path / archive.name)
    monkeypatch.chdir(tmp_path)
    _, text = text_of(archive)
    assert text == b"".join(bases + b"N" for _, bases in dumped(archive))


def test_slice_with_verified_blobs_is_decoded_correctly_from_a_damaged_archive(shelf: Shelf, tmp_path: Path) -> None:
    archive = shelf.archive("paired_illumina")
    good, spots, random = archive.read_bytes(), spots_of(archive), Random(7)
    part = Slice(spots // 3, spots // 2)
    expected = text_of(archive, part)[1]
    damaged, outcomes = tmp_path / "damaged.sra", set()
    for _ in range(150):
        place = random.randrange(len(good))
        flipped = bytearray(good)
        flipped[place] ^= 1 << random.randrange(8)
        damaged.write_bytes(flipped)
        try:
            verify_blobs(damaged, [part])
            text = b"".join(bytes(text) for text in VdbDecoder(damaged, spots, part).texts(NEVER))
        except CannotDecode:
            outcomes.add("not supported")
            continue
        assert text == expected, f"byte {place}"
        outcomes.add("correct")
    assert outcomes == {"not supported", "correct"}
