"""The outcome of an attempt is checked, and every error becomes a reason."""

import errno
import os
from pathlib import Path

import pytest

from tests.support.builders import sketch
from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.check import check_has_reads, check_has_spots, failure_from_exception, summarize_sketches
from wort_cli.pipeline.sketching.python_fasta import PythonFastaReader
from wort_cli.pipeline.sketching.slice_decoder import DecoderCounts, check_slice_complete


def archive(spots: int) -> Archive:
    return Archive("SRR139146", None, spots, 100 * spots, 100)


def arrived(spots: int, bases: str = "ACGT") -> PythonFastaReader:
    reads = PythonFastaReader()
    for spot in range(1, spots + 1):
        reads.feed(f">{spot}.1\n{bases}\n".encode())
    reads.finish()
    return reads


def test_archive_without_spots_has_no_reads() -> None:
    check_has_spots(archive(1))
    with pytest.raises(JobFailed) as failure:
        check_has_spots(archive(0))
    assert failure.value.failure.reason is Reason.NO_READS


@pytest.mark.parametrize(("decoder", "reads"), [(DecoderCounts(5, 3), arrived(3)), (DecoderCounts(5, 0), arrived(0))])
def test_decoding_is_complete_if_all_counts_agree(decoder: DecoderCounts, reads: PythonFastaReader) -> None:
    check_slice_complete(5, reads.stats, decoder)


@pytest.mark.parametrize(
    ("counted", "decoder", "reads"),
    [
        (5, DecoderCounts(4, 3), arrived(3)),
        (5, DecoderCounts(6, 3), arrived(3)),
        (5, DecoderCounts(5, 3), arrived(2)),
        (5, DecoderCounts(5, 3), arrived(4)),
        (5, DecoderCounts(5, 1), arrived(0)),
        (5, DecoderCounts(5, 0), arrived(1)),
        (5, DecoderCounts(0, 0), arrived(0)),
    ],
)
def test_missing_spots_fail_the_job(counted: int, decoder: DecoderCounts, reads: PythonFastaReader) -> None:
    with pytest.raises(JobFailed) as failure:
        check_slice_complete(counted, reads.stats, decoder)
    assert failure.value.failure.reason is Reason.INCOMPLETE
    assert failure.value.failure.lasting is False


@pytest.mark.parametrize("reads", [arrived(0), arrived(2, "")])
def test_run_without_bases_has_no_reads(reads: PythonFastaReader) -> None:
    with pytest.raises(JobFailed) as failure:
        check_has_reads(archive(5), reads.stats.bases)
    assert failure.value.failure.reason is Reason.NO_READS
    assert failure.value.failure.lasting is False


def test_run_with_one_base_has_reads() -> None:
    check_has_reads(archive(5), arrived(1, "A").stats.bases)


@pytest.mark.parametrize(
    ("longest", "notes"),
    [
        (20, ["reads-shorter-than-k"] * 2),
        (21, ["few-kmers", "reads-shorter-than-k"]),
        (30, ["few-kmers", "reads-shorter-than-k"]),
        (31, ["few-kmers"] * 2),
        (150, ["few-kmers"] * 2),
    ],
)
def test_empty_sketch_is_explained_by_the_longest_read(longest: int, notes: list[str]) -> None:
    empty = (sketch([], [], ksize=21), sketch([], [], ksize=31))
    assert [summary.note for summary in summarize_sketches(empty, longest)] == notes


def test_summary_has_the_numbers_of_a_sketch() -> None:
    made = sketch([1, 2, 3], [4, 5, 6])
    (summary,) = summarize_sketches([made], 10)
    assert (summary.ksize, summary.hashes, summary.abundance_sum, summary.note) == (21, 3, 15, "")
    assert summary.md5 == made.md5sum()


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (JobFailed(Reason.NETWORK, "no route"), Reason.NETWORK, "no route"),
        (MemoryError(), Reason.MEMORY, "memory ran out"),
        (OSError(errno.ENOSPC, "No space left", "/x"), Reason.DISK_LOW, "No space left (/x)"),
        (OSError(errno.EDQUOT, "Quota"), Reason.DISK_LOW, "Quota"),
        (PermissionError(errno.EACCES, "Denied", "/x"), Reason.STORAGE_DENIED, "Denied (/x)"),
        (OSError(errno.EROFS, "Read-only"), Reason.DISK_ERROR, "Read-only"),
        (OSError(errno.EIO, "Input/output error"), Reason.DISK_ERROR, "Input/output error"),
        (OSError(errno.ENOLCK, "No locks", "/x"), Reason.DISK_ERROR, "No locks (/x)"),
        (TimeoutError(errno.ETIMEDOUT, "locked for 60 s", "/x"), Reason.DISK_ERROR, "locked for 60 s (/x)"),
        (NotADirectoryError(errno.ENOTDIR, "No directory"), Reason.STORAGE_DENIED, "No directory"),
        (OSError(errno.ENAMETOOLONG, "Too long"), Reason.TOOL_CRASH, "Too long"),
        (OSError("just text"), Reason.TOOL_CRASH, "just text"),
        (ZeroDivisionError("by zero"), Reason.TOOL_CRASH, "an unexpected error, which `wort logs` shows: by zero"),
        (ValueError("x" * 1000), Reason.TOOL_CRASH, f"an unexpected error, which `wort logs` shows: {'x' * 254}"),
    ],
)
def test_every_exception_maps_to_a_reason(error: Exception, reason: Reason, detail: str) -> None:
    assert failure_from_exception(error) == Failure(reason, detail)


def test_real_os_error_maps_to_a_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file") as error:
        os.stat(tmp_path / "file" / "x")  # noqa: PTH116 (what a stage may do)
    assert failure_from_exception(error.value).reason is Reason.STORAGE_DENIED
