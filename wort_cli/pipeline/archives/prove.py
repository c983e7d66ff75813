"""Proves that an archive is undamaged before it is decoded, because fastq-dump verifies no checksums.

A downloaded archive is proved already (obtain.py).  One on disk is proved by the md5 sums that it has of its own
columns (column_proof.py); where these cannot prove it, by vdb-validate.

Measured on 320 archives with one flipped bit: fastq-dump decoded 149 of them with exit code 0, the right counts and
wrong bases.  vdb-validate detected all 320.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.pipeline.archives.checksums import ChecksumError, md5_of
from wort_cli.pipeline.archives.column_proof import NotProvable, prove_columns, reader_of
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.fetch_record import FetchRecord, has_only_columns, is_ours, read_record
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.locator import RunFile
from wort_cli.pipeline.archives.obtain import ProvedBy
from wort_cli.pipeline.toolkit.tool_errors import explain
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.system.cancellation import NEVER, Cancellation
from wort_cli.system.file_state import FileState

BLOCK = 1 << 22
VDB_VALIDATE = "vdb-validate"
SLOW_DISK = 5_000_000
"""Bytes per second; a slow disk reads ten times as fast."""
FOUND_ERROR = 3
"""The exit code of vdb-validate if it could read the archive and found an error in it."""


@dataclass(frozen=True)
class Origin:
    """Where an archive was fetched from."""

    identified: bool = False
    """Whether the locator confirmed that this is the archive of the run."""
    url: str = ""
    """Without its query; empty if unknown."""
    md5: str = ""
    """The locator's md5 of the whole archive; empty if it did not state one."""


@dataclass(frozen=True)
class ArchiveProof:
    """The proof of an archive, and the state of its file then; all empty if the toolkit streams the run."""

    proved_by: str = ""
    """A value of ProvedBy, or `vdb-validate`; empty if nothing proved it."""
    proof: str = ""
    """The md5 of the archive, or the sha256 of the list of md5 sums that were compared."""
    sha256: str = ""
    """The sha256 of the whole file; empty if it was downloaded or has only some columns."""
    state: FileState | None = None
    origin: Origin = Origin()

    @property
    def mtime(self) -> float:
        """When the file was changed last, in seconds since 1970."""
        return self.state.mtime if self.state else 0.0

    @property
    def is_checked(self) -> bool:
        """Whether the archive is fit to be decoded in this process: proved, or free of errors for vdb-validate."""
        return bool(self.proved_by)

    @property
    def recorded_as(self) -> str:
        """The proof of the archive, as the provenance records it.

        vdb-validate proves nothing: it misses damage to metadata, and to blobs without checksums.
        """
        return self.proved_by if self.proved_by in (ProvedBy.COLUMN_SUMS, ProvedBy.ARCHIVE_SUM) else ProvedBy.NOTHING

    def check_unchanged(self, archive: Archive) -> None:
        """Raise JobFailed if the file was changed since: the reads may not be those of the file that was proved."""
        if archive.path is None or archive.fetched is not None:  # a download belongs to this job alone
            return
        now = FileState.of(archive.path)
        if now != self.state or now.size != archive.size:
            raise JobFailed(Reason.INCOMPLETE, f"{archive.path} was changed while it was read")


def validation_timeout(archive: Archive, stall_timeout: float) -> float:
    """Return the seconds that vdb-validate may run: the stall timeout plus the time that SLOW_DISK needs."""
    return stall_timeout + archive.size / SLOW_DISK


def prove_archive(archive: Archive, tools: ToolGroup, stall_timeout: float) -> ArchiveProof:
    """Prove an archive; of a file on disk, also compute the sha256.  Raises JobFailed if it is damaged.

    Reads are not proved if they are completed from references that are not.
    """
    return with_references(prove_file(archive, tools, stall_timeout), archive)


def with_references(proof: ArchiveProof, archive: Archive) -> ArchiveProof:
    """Return the proof of an archive's file as that of its reads: none, if their references are not proved."""
    return proof if archive.proves_references else replace(proof, proved_by="", proof="")


def prove_file(archive: Archive, tools: ToolGroup, stall_timeout: float) -> ArchiveProof:
    """Prove the file of an archive."""
    if archive.path is None:
        return ArchiveProof()
    state = FileState.of(archive.path)
    if archive.fetched is not None:
        proof = archive.fetched.obtained.proof
        return ArchiveProof(proof.by, proof.sums, state=state)
    record = read_record(archive.path)
    if has_only_columns(archive.path):
        return prove_fetched_columns(archive.path, record, state, tools.cancellation)
    origin = Origin()
    if record is not None and is_ours(archive.path):
        origin = origin_in(record, archive.path, file_md5(archive.path, tools.cancellation))
    with ThreadPoolExecutor(1) as executor:
        sha256 = executor.submit(file_sha256, archive.path, tools.cancellation)
        sums = prove_by_columns(archive.path, tools.cancellation, tools.log)
        if origin.md5:
            return ArchiveProof(ProvedBy.ARCHIVE_SUM, origin.md5, sha256.result(), state, origin)
        if not sums:
            run_vdb_validate(archive.path, tools, validation_timeout(archive, stall_timeout))
        by = ProvedBy.COLUMN_SUMS if sums else VDB_VALIDATE
        return ArchiveProof(by, sums, sha256.result(), state, origin)


def prove_fetched_columns(
    path: Path, record: FetchRecord | None, state: FileState, cancellation: Cancellation
) -> ArchiveProof:
    """Prove a file with the needed columns of an archive, which `wort fetch` wrote with a record."""
    if record is None:
        raise JobFailed(Reason.NOT_AN_ARCHIVE, f"{path} has only some columns of an archive, and no record says which")
    try:
        with path.open("rb") as file:
            sums = prove_columns(path.stat().st_size, reader_of(file), FASTQ_DUMP, cancellation)
    except (NotProvable, ChecksumError) as error:
        raise JobFailed(Reason.CORRUPT, f"{path}: {error}; `wort fetch` fetches it again") from error
    return ArchiveProof(ProvedBy.COLUMN_SUMS, sums, "", state, origin_in(record, path, sums))


def origin_in(record: FetchRecord, path: Path, proof: str) -> Origin:
    """Return where an archive came from, as its record says, if `proof` ties the record to the file.

    Raises JobFailed(corrupt) if the record is of other bytes.  A record that another user can have written is not
    believed.
    """
    if record.file_proof != proof:
        raise JobFailed(Reason.CORRUPT, f"{path} does not have the bytes that its record describes; fetch it again")
    if not is_ours(path):
        return Origin()
    return Origin(record.identified, record.url, record.md5 if record.identified else "")


def prove_by_columns(path: Path, cancellation: Cancellation, log: Callable[[str], None]) -> str:
    """Return the digest of the md5 sums that prove an archive on disk; '' if its sums cannot prove it.

    Raises JobFailed(corrupt) if a needed file does not match its sum.
    """
    try:
        with path.open("rb") as file:
            return prove_columns(path.stat().st_size, reader_of(file), FASTQ_DUMP, cancellation)
    except NotProvable as why:
        log(f"vdb-validate has to prove the archive: {why}")
        return ""
    except ChecksumError as error:
        raise JobFailed(Reason.CORRUPT, str(error)) from error


def run_vdb_validate(path: Path, tools: ToolGroup, timeout: float) -> None:
    """Raise JobFailed unless vdb-validate reports that an archive is consistent.

    Exit code 0 is not enough: for an empty file vdb-validate prints nothing and exits with 0.
    """
    try:
        run = tools.run(["vdb-validate", str(path)], timeout, offline=True)
    except TimeoutError:
        raise JobFailed(Reason.TIMEOUT, f"vdb-validate did not finish within {timeout:.0f} seconds") from None
    if run.returncode == 0 and "is consistent" in run.stderr:
        return
    failure = explain("vdb-validate", run.returncode, run.stderr)
    found_error = run.returncode in (0, FOUND_ERROR)
    if found_error and failure.reason not in (Reason.CORRUPT, Reason.INCOMPLETE, Reason.MEMORY, Reason.DISK_LOW):
        failure = Failure(Reason.CORRUPT, failure.detail)
    if run.returncode < 0:
        failure = explain("vdb-validate", run.returncode, "")
    raise JobFailed(failure.reason, failure.detail, lasting=failure.reason is Reason.INCOMPLETE)


def listed_md5(files: Sequence[RunFile], path: Path, size: int, cancellation: Cancellation) -> str:
    """Return the md5 of a file of `size` bytes if the locator lists it among the archives of a run; '' if not.

    Raises Cancelled, or OSError if the file cannot be read.
    """
    sums = {file.md5 for file in files if file.size == size and file.md5}
    md5 = file_md5(path, cancellation) if sums else ""
    return md5 if md5 in sums else ""


def file_sha256(path: Path, cancellation: Cancellation = NEVER) -> str:
    """Return the sha256 of a file in hexadecimal; raise Cancelled if the job is cancelled."""
    total = hashlib.sha256()
    for block in blocks_of(path, cancellation):
        total.update(block)
    return total.hexdigest()


def file_md5(path: Path, cancellation: Cancellation = NEVER) -> str:
    """Return the md5 of a file in hexadecimal; raise Cancelled if the job is cancelled."""
    return md5_of(blocks_of(path, cancellation))


def blocks_of(path: Path, cancellation: Cancellation) -> Iterator[bytes]:
    """Yield the content of a file."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
            cancellation.check()
