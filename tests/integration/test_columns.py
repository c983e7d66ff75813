"""An archive gives the same reads from disk, fetched by columns, and fetched whole, with either decoder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.damages.network import Host, MemoryClient, Network
from tests.damages.subjects import Subject, subject_at
from tests.integration.test_vdb_decoder import dumped, text_of
from tests.support.archives import with_consensus
from tests.support.locator_answers import answer, file_entry, run_entry
from tests.support.shelf import WITH_READS, Shelf
from wort_cli.model.accession import Accession
from wort_cli.pipeline.archives import head, obtain
from wort_cli.pipeline.archives.columns import FASTQ_DUMP, UNNEEDED, VDB, column_of
from wort_cli.pipeline.archives.obtain import Obtainer, ProvedBy
from wort_cli.pipeline.archives.offer import Wish
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode
from wort_cli.system.cancellation import NEVER

RUN = Accession("SRR000001")


@pytest.fixture(autouse=True)
def _fetch_as_little_as_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    """These archives are small; a real one is so large that nothing more than the needed columns is fetched."""
    monkeypatch.setattr(head, "HEAD_SIZE", 1 << 12)
    monkeypatch.setattr(obtain, "GAP", 0)
    monkeypatch.setattr(obtain, "MAX_SHARE", 2.0)


def fetched(subject: Subject, directory: Path, decoder: str, *, whole: bool = False) -> tuple[Path, ProvedBy]:
    """Fetch an archive from a network in memory; return its file, which has the name of the original."""
    network = Network({"a": Host(subject.data)}, answer(run_entry(RUN, file_entry(RUN, subject.data, ["https://a/x"]))))
    obtainer = Obtainer(MemoryClient(network), Politeness(directory / "rates"), NEVER, lambda text: None)
    wish = Wish(RUN, decoder, whole=whole, locator_url="https://locator/sdl")
    obtained = obtainer.obtain(wish, directory / decoder)
    return obtained.path.rename(obtained.path.with_name(subject.name)), obtained.proof.by


def read_by_library(path: Path) -> bytes | None:
    """Return what the in-process decoder reads; None if it leaves the archive to fastq-dump."""
    try:
        return text_of(path)[1]
    except CannotDecode:
        return None


def skipped_files(subject: Subject, decoder: str) -> Iterator[str]:
    """Yield the large files that a decoder does not need."""
    for path, extent in subject.table.items():
        if column_of(path).rpartition("/")[2] in UNNEEDED[decoder] and extent.size > 1 << 13:
            yield path


def subject_of(layout: str, shelf: Shelf, directory: Path) -> Subject:
    """Return an archive of a layout."""
    if layout == "qualities":
        return subject_at(shelf.with_qualities(4_000))
    if layout == "consensus":
        archive = shelf.archive("paired_illumina")
        return subject_at(with_consensus(archive, archive, directory / "consensus.sra"))
    return subject_at(shelf.archive(layout))


@pytest.mark.parametrize("layout", [*WITH_READS, "qualities", "consensus"])
def test_reads_are_the_same_from_disk_by_columns_and_whole(layout: str, shelf: Shelf, tmp_path: Path) -> None:
    subject = subject_of(layout, shelf, tmp_path)
    expected, in_process = dumped(subject.path), read_by_library(subject.path)
    whole, proved_by = fetched(subject, tmp_path / "whole", FASTQ_DUMP, whole=True)
    assert proved_by is ProvedBy.ARCHIVE_SUM
    assert whole.read_bytes() == subject.data
    for decoder in (FASTQ_DUMP, VDB):
        path, proved_by = fetched(subject, tmp_path, decoder)
        assert proved_by is ProvedBy.COLUMN_SUMS
        content = path.read_bytes()
        for name in skipped_files(subject, decoder):
            extent = subject.table[name]
            assert not any(content[extent.offset + (1 << 12) : extent.end]), name
        if decoder == FASTQ_DUMP:
            assert dumped(path) == expected
        assert read_by_library(path) == in_process
