"""VdbDecoder returns the same reads as fastq-dump, or raises CannotDecode."""

import subprocess
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tests.support.archives import LAYOUTS, build, dump, load_illumina
from tests.support.loaders import COLUMNS, load_columns, load_fastq
from tests.support.shelf import Shelf, link
from tests.support.simulated_spots import Read, Spot, odd_spots, pairs, singles
from wort_cli.pipeline.decoding.blob_checksums import verify_blobs
from wort_cli.pipeline.decoding.vdb_decoder import VdbDecoder
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.system.cancellation import NEVER

UNSUPPORTED = {
    "lower_case_and_iupac": "CLIP_QUALITY_LEFT",
    "technical_reads": "CLIP_QUALITY_LEFT",
    "clipped": "CLIP_QUALITY_LEFT",
    "zero_spots": "table empty",
    "aligned": "PRIMARY_ALIGNMENT",
}
"""Layouts that only fastq-dump decodes, and a part of the error message for each."""


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


@pytest.mark.parametrize("layout", [layout.name for layout in LAYOUTS if layout.name not in UNSUPPORTED])
def test_reads_equal_those_of_fastq_dump(shelf: Shelf, layout: str) -> None:
    assert_same(shelf.archive(layout))


@pytest.mark.parametrize(("layout", "message"), UNSUPPORTED.items())
def test_other_layouts_are_not_supported(shelf: Shelf, layout: str, message: str) -> None:
    archive = shelf.archive(layout)
    with pytest.raises(CannotDecode, match=message):
        text_of(archive)


@pytest.mark.parametrize("seed", range(12))
def test_random_spots_with_odd_reads(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    assert_same(build(tmp_path / "odd.sra", odd_spots(rng, rng.choice([1, 2, 50, 3000])), load_illumina))


def test_reads_longer_than_text_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    long = [Spot((Read("".join(rng.choice(list("ACGT"), length))),)) for length in (10, 3_000_000, 20, 1_048_576)]
    archive = build(tmp_path / "long.sra", long, load_illumina)
    assert_same(archive)


@pytest.mark.parametrize("platform", ["LS454", "CAPILLARY", "HELICOS"])
def test_other_platforms_are_not_supported(tmp_path: Path, platform: str) -> None:
    def load(spots: Iterable[Spot], database: Path) -> None:
        load_fastq(spots, database, platform=platform)

    archive = build(tmp_path / "other.sra", pairs(Random(1), 5), load)
    with pytest.raises(CannotDecode, match=r"spot 1: .*unknown layout"):
        text_of(archive)


@pytest.mark.parametrize("platform", ["ILLUMINA", "PACBIO", "NANOPORE"])
def test_supported_platforms(tmp_path: Path, platform: str) -> None:
    def load(spots: Iterable[Spot], database: Path) -> None:
        load_fastq(spots, database, platform=platform)

    assert_same(build(tmp_path / "known.sra", singles(Random(1), 500, shortest=20, longest=3000), load))


def test_clips_are_not_supported(tmp_path: Path) -> None:
    archive = build(tmp_path / "clips.sra", pairs(Random(1), 5), load_columns)
    with pytest.raises(CannotDecode, match="CLIP_QUALITY"):
        text_of(archive)


@pytest.mark.parametrize(
    "reads", [(Read("ACGT", technical=True),), (Read(""), Read("ACGT", technical=True)), (Read(""),)]
)
def test_spots_without_a_biological_base_are_not_supported(tmp_path: Path, reads: tuple[Read, ...]) -> None:
    """fastq-dump fails on some of them, with a message of its own."""
    some, none = Spot((Read("ACGT"),)), Spot(reads)
    for spots in ([none, some], [some, none]):
        archive = build(tmp_path / "x.sra", spots, load_illumina)
        with pytest.raises(CannotDecode, match=f"spot {spots.index(none) + 1}: .*unknown layout"):
            text_of(archive)


def test_archive_without_platform_is_not_supported(tmp_path: Path) -> None:
    archive = build(tmp_path / "x.sra", pairs(Random(1), 5), partial(load_columns, columns=COLUMNS))
    with pytest.raises(CannotDecode):
        text_of(archive)


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
    link(shelf.archive(seed=2), tmp_path / archive.name)
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
