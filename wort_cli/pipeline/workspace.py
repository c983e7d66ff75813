"""A job's workspace: the directory with what its attempts need and what they leave for the next attempt.

work/JOB/slices/          finished slices, kept for the next attempt until the job has ended
work/JOB/archive/         what was downloaded of the run's archive, kept for the next attempt until the job has ended
work/JOB/in-process       exists while an attempt reads the archive in its own process; not empty if it crashed or hung
work/JOB/sealed/          the sealed signature, until it is published: the next attempt only has to publish it
work/JOB/attempt-N/       one attempt's own: where its tools run, its sealed signature, its processes (processes.py)
"""

import contextlib
import shutil
from pathlib import Path

from wort_cli.model.failure import Failure, Reason
from wort_cli.model.provenance import Provenance
from wort_cli.model.read_files import STDIN, ReadFile, is_url
from wort_cli.pipeline.archives.prove import file_sha256
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.reservations import size_of
from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.cancellation import Cancelled
from wort_cli.system.crash_file import crash_files, has_crashed
from wort_cli.system.private_files import PRIVATE, make_private
from wort_cli.system.seals import read_sealed_document, sealed_document
from wort_cli.system.stuck_threads import stuck_threads

PUBLISH_FAILURES = frozenset({Reason.STORAGE_DENIED, Reason.STORAGE_DOWN, Reason.CONFLICT, Reason.PARAMS_MISMATCH})
"""Reasons for which a sealed signature may not have been published."""
SEALED_PARTS = 10**9
"""The number of finished parts of a job that is sealed: more than any run has slices and megabytes."""
MEGABYTE = 1_000_000
PENDING = "facts of a pending signature"
"""The kind of their seal."""
IN_PROCESS = "in-process"
PASS = 0
"""Stands for an attempt where another job's attempt has sketched the reads and sealed the signature."""
ATTEMPT = "attempt-"
"""The prefix of the name of an attempt's directory."""


class Workspace:
    """The workspace of a job, as one attempt sees it."""

    def __init__(self, root: Path, attempt: int, key: bytes = b"") -> None:
        self.root = root
        self.key = key
        """Seals what a later attempt reads back (system/seals.py)."""
        self.parts_key = key
        """Seals finished slices and fetched parts, which another task may take over (unfinished.py)."""
        self.attempt = attempt
        self.attempt_directory = attempt_directory(root, attempt)
        self._in_process = root / IN_PROCESS
        self.crashed_in_process = False
        """Whether an earlier attempt crashed or hung while it read the archive in its own process.

        One that was killed, by the user or because memory ran out, has not crashed.
        """
        self._reads_in_process = False

    def create(self) -> None:
        """Create the directories, which no other user can enter; raise OSError if that fails, or others own them."""
        make_private(self.root)
        self.root.chmod(PRIVATE)
        self.crashed_in_process = has_crashed(self._in_process)
        shutil.rmtree(self.attempt_directory, ignore_errors=True)  # an attempt with this number may have been killed
        make_private(self.run_directory)

    def check_current(self) -> None:
        """Raise Cancelled if a later attempt has started: all except this attempt's own directory belongs to it.

        That happens to a process that was stopped for longer than its lease.
        """
        if self.is_superseded:
            raise Cancelled

    @property
    def is_superseded(self) -> bool:
        """Whether a later attempt has started."""
        names = (path.name.removeprefix(ATTEMPT) for path in self.root.glob(f"{ATTEMPT}*"))
        return any(name.isdecimal() and int(name) > self.attempt for name in names)

    @property
    def run_directory(self) -> Path:
        """The directory that the tools run in; empty at the start."""
        return self.attempt_directory / "run"

    @property
    def sealed(self) -> Path:
        """The signature that this attempt seals."""
        return self.attempt_directory / "sealed.sig"

    @property
    def slices(self) -> Path:
        """The directory of finished slices."""
        return self.root / "slices"

    @property
    def archive_directory(self) -> Path:
        """The directory of a downloaded archive; it outlives its attempt."""
        return self.root / "archive"

    def mark_in_process(self) -> None:
        """Record that this process is about to read the archive itself; raise OSError if that cannot be written."""
        crash_files.add(self._in_process)
        self._reads_in_process = True

    @property
    def pending(self) -> Path:
        """The sealed signature that waits to be published; it outlives its attempt."""
        return self.root / "sealed" / "signature.sig"

    @property
    def _pending_facts(self) -> Path:
        return self.pending.with_name("facts.json")

    def save_pending(self, provenance: Provenance, spec: JobSpec) -> Path:
        """Store the sealed signature for later attempts and remove its slices; return the path of the signature.

        The facts are written last: without them, `load_pending` ignores the signature.  Raises Cancelled if a later
        attempt has started.
        """
        self.check_current()
        make_private(self.pending.parent)
        self._pending_facts.unlink(missing_ok=True)
        facts = {"origin": origin(spec), "sha256": file_sha256(self.sealed), "provenance": provenance.to_json()}
        self.sealed.replace(self.pending)
        write_atomically(self._pending_facts, sealed_document(facts, self.key, PENDING))
        shutil.rmtree(self.slices, ignore_errors=True)
        return self.pending

    def load_pending(self, spec: JobSpec) -> Provenance | None:
        """Return the provenance of the signature at `pending`.

        None if it is missing or damaged, of another job, or not written by this home.
        """
        try:
            facts = read_sealed_document(self._pending_facts, self.key, PENDING)
            if facts["origin"] != origin(spec) or facts["sha256"] != file_sha256(self.pending):
                return None
            provenance = Provenance.from_json(facts["provenance"])
            return provenance if is_source_unchanged(spec, provenance) else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def remove_attempt(self) -> None:
        """Remove the directory of this attempt, and the workspace if nothing else is in it."""
        if not self.is_superseded and not self.crashed_in_process:
            if self._reads_in_process and stuck_threads.exist():
                record_hang(self.root)
            else:
                self._in_process.unlink(missing_ok=True)
        shutil.rmtree(self.attempt_directory, ignore_errors=True)
        with contextlib.suppress(OSError):  # the workspace has slices or a sealed signature
            self.root.rmdir()


def origin(spec: JobSpec) -> dict[str, str]:
    """Return what determines a job's signature: name, archive and profile."""
    return {"name": spec.source.name, "archive": spec.source.location, "profile": spec.profile}


def is_source_unchanged(spec: JobSpec, provenance: Provenance) -> bool:
    """Return whether the archive on disk that a signature was sealed from still has the recorded bytes.

    A fetched archive cannot be compared.  One that is gone counts as unchanged, unless the job is forced: then the
    signature is computed from what is there now.
    """
    if provenance.files:
        return all(is_file_unchanged(file) for file in provenance.files)
    path = spec.source.archive or (Path(provenance.source) if provenance.source != "remote" else None)
    if path is None:
        return True
    if not path.exists():
        return not spec.force
    now = path.stat()
    if provenance.source_sha256:
        return now.st_size == provenance.source_size and file_sha256(path) == provenance.source_sha256
    return (now.st_size, now.st_mtime) == (provenance.source_size, provenance.source_mtime)


def is_file_unchanged(file: ReadFile) -> bool:
    """Return whether a file of reads still has the size and the time of change that were recorded.

    One that was not on disk cannot be compared.
    """
    if is_url(file.path) or file.path == STDIN:
        return True
    try:
        now = Path(file.path).stat()
    except OSError:
        return False
    return (now.st_size, now.st_mtime) == (file.size, file.mtime)


def attempt_directory(root: Path, attempt: int) -> Path:
    """Return the directory of an attempt in the workspace `root`."""
    return root / f"{ATTEMPT}{attempt}"


def record_hang(root: Path) -> None:
    """Let no later attempt read the archive in its own process, if one did that when it hung."""
    file = root / IN_PROCESS
    with contextlib.suppress(OSError):
        if file.exists():
            file.write_text("hung\n", encoding="ascii")


def count_finished_parts(root: Path) -> int:
    """Return how much work in a workspace the next attempt can use: finished slices and fetched megabytes.

    Returns SEALED_PARTS once the signature is sealed.
    """
    if (root / "sealed").exists():
        return SEALED_PARTS
    slices = 0
    with contextlib.suppress(OSError):
        slices = sum(path.suffix == ".slice" for path in (root / "slices").iterdir())
    return slices + size_of(root / "archive") // MEGABYTE


def remove_workspace(root: Path) -> None:
    """Remove the workspace of a job that has ended."""
    shutil.rmtree(root, ignore_errors=True)


def may_be_published(root: Path, failure: Failure | None) -> bool:
    """Return whether a retry can still publish the signature in the workspace of a job that has failed."""
    return failure is not None and failure.reason in PUBLISH_FAILURES and (root / "sealed").exists()
