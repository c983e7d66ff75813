"""The rules by which an attempt's outcome is judged: was all read, is an empty sketch explained, why did it fail."""

import errno
from collections.abc import Sequence

from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.model.provenance import SketchSummary
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.stores.object_store import StoreError

FULL = (errno.ENOSPC, errno.EDQUOT)
BREAKING = (errno.EIO, errno.EROFS, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.EUCLEAN)
"""What the kernel says of a disk that is breaking; some are mounted anew then, for reading only."""
DENIED = (errno.EACCES, errno.EPERM, errno.ENOTDIR)
ERRORS = {
    **dict.fromkeys(FULL, Reason.DISK_LOW),
    **dict.fromkeys(BREAKING, Reason.DISK_ERROR),
    **dict.fromkeys(DENIED, Reason.STORAGE_DENIED),
}
"""What a file that can't be read or written means for the job."""


def check_has_spots(archive: Archive) -> None:
    """JobFailed if an archive counts no spots; of such a one fastq-dump says nothing at all."""
    if archive.spots == 0:
        raise JobFailed(Reason.NO_READS, "the archive has no spots")


def check_has_reads(archive: Archive, bases: int) -> None:
    """JobFailed if nothing of the archive passed the filters."""
    if bases == 0:
        raise JobFailed(Reason.NO_READS, f"of {archive.spots} spots none has a read that passes the filter")


def summarize_sketches(sketches: Sequence[Sketch], longest: int) -> tuple[SketchSummary, ...]:
    """The sketches in numbers; an empty one gets the reason that explains it.  `longest` are the bases of any read.

    A k-mer needs a read of at least k bases.  Where there were such reads, all of them were hashed, and none of their
    k-mers is below the threshold: of n different k-mers that happens with probability (1 - 1/scaled)^n.
    """

    def note(sketch: Sketch) -> str:
        if len(sketch.hashes):
            return ""
        return Reason.READS_SHORTER_THAN_K if longest < sketch.ksize else Reason.FEW_KMERS

    return tuple(
        SketchSummary(
            sketch.ksize,
            len(sketch.hashes),
            0 if sketch.abundances is None else int(sketch.abundances.sum()),
            sketch.md5sum(),
            note(sketch),
        )
        for sketch in sketches
    )


def failure_from_exception(error: Exception) -> Failure:
    """The failure that an exception stands for."""
    if isinstance(error, JobFailed | StoreError):
        return error.failure
    if isinstance(error, MemoryError):
        return Failure(Reason.MEMORY, "memory ran out")
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return Failure(ERRORS.get(error.errno or 0, Reason.TOOL_CRASH), f"{error.strerror or error}{where}")
    return Failure(Reason.TOOL_CRASH, f"{type(error).__name__}: {error}"[:300])
