"""Checks the outcome of an attempt: were spots and reads seen, why is a sketch empty, and why did the attempt fail."""

import errno
from collections.abc import Sequence

from wort_cli.errors import NoAnswer
from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.model.provenance import SketchSummary
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.stores.object_store import StoreError

FULL = (errno.ENOSPC, errno.EDQUOT)
FAILING = (
    *(errno.EIO, errno.EROFS, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.EUCLEAN),
    *(errno.ENOTCONN, errno.ESHUTDOWN, errno.EHOSTDOWN, errno.ENOLINK, errno.EREMOTEIO),
    *(errno.ENOLCK, errno.EPROTO, errno.EOPNOTSUPP, errno.ETIMEDOUT),
)
"""Errors of a failing disk, which the kernel may remount read-only, and of a network disk without its server."""
DENIED = (errno.EACCES, errno.EPERM, errno.ENOTDIR)
REASONS = {
    **dict.fromkeys(FULL, Reason.DISK_LOW),
    **dict.fromkeys(FAILING, Reason.DISK_ERROR),
    **dict.fromkeys(DENIED, Reason.STORAGE_DENIED),
}
"""The reason for each errno of a failed file operation."""


def check_has_spots(archive: Archive) -> None:
    """Raise JobFailed if an archive has no spots; fastq-dump exits with 0 and prints nothing then."""
    if archive.spots == 0:
        raise JobFailed(Reason.NO_READS, "the archive has no spots")


def check_has_reads(archive: Archive, bases: int) -> None:
    """Raise JobFailed if no read of the archive passed the filters."""
    if bases == 0:
        raise JobFailed(Reason.NO_READS, f"none of the {archive.spots} spots has a read that passes the filter")


def summarize_sketches(sketches: Sequence[Sketch], longest: int) -> tuple[SketchSummary, ...]:
    """Return a summary of each sketch; that of an empty one has the reason.

    `longest` is the length of the longest read.

    A k-mer needs a read of at least k bases.  If there were such reads, no hash of their k-mers is below the threshold:
    for n distinct k-mers, the probability of that is (1 - 1/scaled)^n.
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
    """Return the failure to store for an exception."""
    if isinstance(error, JobFailed | StoreError):
        return error.failure
    if isinstance(error, NoAnswer):
        return Failure(Reason.DISK_ERROR, error.sentence)
    if isinstance(error, MemoryError):
        return Failure(Reason.MEMORY, "memory ran out")
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return Failure(REASONS.get(error.errno or 0, Reason.TOOL_CRASH), f"{error.strerror or error}{where}")
    return Failure(Reason.TOOL_CRASH, f"an unexpected error, which `wort logs` shows: {error}"[:300])
