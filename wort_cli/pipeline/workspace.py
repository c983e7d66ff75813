"""A job's directory: finished slices, which outlive an attempt, and what each attempt has for itself.

work/JOB/slices/          for the next attempt, if this one does not end the job
work/JOB/in-process       as long as an attempt reads the archive in its own process
work/JOB/sealed/          the signature, until it stands in the bucket: the next attempt has only to publish it
work/JOB/attempt-N/       where its tools run, where its signature is sealed, and who works on it (processes.py)
"""

import contextlib
import json
import shutil
from pathlib import Path

from wort_cli.model.failure import Failure, Reason
from wort_cli.model.provenance import Provenance
from wort_cli.pipeline.archives.prove import checksum
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.system.atomic_files import write_atomically

UNPUBLISHED = frozenset({Reason.STORAGE_DENIED, Reason.STORAGE_DOWN, Reason.CONFLICT, Reason.PARAMS_MISMATCH})
"""Why a sealed signature may not have been published."""


class Workspace:
    """The directory of a job, as one attempt sees it."""

    def __init__(self, root: Path, attempt: int) -> None:
        self.root = root
        self._own = attempt_directory(root, attempt)
        self._in_process = root / "in-process"
        self.died_in_process = False
        """Whether an earlier attempt ended, without a word, while it read the archive in its own process."""

    def make(self) -> None:
        """Make the directories, for this user only; OSError if that can't be."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.died_in_process = self._in_process.exists()
        shutil.rmtree(self._own, ignore_errors=True)  # of a process that was killed and has taken up the number again
        self.run_directory.mkdir(mode=0o700, parents=True)

    @property
    def own(self) -> Path:
        """The directory of this attempt."""
        return self._own

    @property
    def run_directory(self) -> Path:
        """An empty directory for tools to run in."""
        return self._own / "run"

    @property
    def sealed(self) -> Path:
        """The sealed signature."""
        return self._own / "sealed.sig"

    @property
    def slices(self) -> Path:
        """Finished slices."""
        return self.root / "slices"

    def begin_in_process(self) -> None:
        """Note that the archive is going to be read in this process; OSError if that can't be written."""
        self._in_process.touch()

    @property
    def kept(self) -> Path:
        """The sealed signature that outlives its attempt."""
        return self.root / "sealed" / "signature.sig"

    @property
    def _kept_facts(self) -> Path:
        return self.kept.with_name("facts.json")

    def keep_sealed(self, provenance: Provenance, spec: JobSpec) -> Path:
        """Keep the sealed signature for attempts to come, and let go of the slices it was made of; return its path.

        The facts are last: what has none is passed over.
        """
        self.kept.parent.mkdir(mode=0o700, exist_ok=True)
        self._kept_facts.unlink(missing_ok=True)
        facts = {"origin": origin(spec), "sha256": checksum(self.sealed), "provenance": provenance.to_json()}
        self.sealed.replace(self.kept)
        write_atomically(self._kept_facts, json.dumps(facts).encode())
        shutil.rmtree(self.slices, ignore_errors=True)
        return self.kept

    def sealed_before(self, spec: JobSpec) -> Provenance | None:
        """How the signature at `kept` came to be; None if there is none, or none to be trusted for this job."""
        try:
            facts = json.loads(self._kept_facts.read_bytes())
            if facts["origin"] != origin(spec) or facts["sha256"] != checksum(self.kept):
                return None
            provenance = Provenance.from_json(facts["provenance"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return provenance if is_as_it_was(spec.source.archive, provenance) else None

    def leave(self) -> None:
        """Remove what is the attempt's own."""
        self._in_process.unlink(missing_ok=True)
        shutil.rmtree(self._own, ignore_errors=True)
        with contextlib.suppress(OSError):  # there are slices in it
            self.root.rmdir()


def origin(spec: JobSpec) -> dict[str, str]:
    """What a job's signature is made of."""
    return {"name": spec.source.name, "archive": str(spec.source.archive or ""), "profile": spec.profile}


def is_as_it_was(archive: Path | None, provenance: Provenance) -> bool:
    """Whether an archive that a person named is still the file that was read, or gone."""
    if archive is None:
        return True
    try:
        now = archive.stat()
    except OSError:
        return True
    return (now.st_size, now.st_mtime) == (provenance.source_size, provenance.source_mtime)


def attempt_directory(root: Path, attempt: int) -> Path:
    """What an attempt has for itself, in the workspace of its job."""
    return root / f"attempt-{attempt}"


def finished_work(root: Path) -> int:
    """How much of a job is done for good: its finished slices, and more than any of them once it is sealed."""
    if (root / "sealed").exists():
        return 1_000_000
    try:
        return sum(path.suffix == ".slice" for path in (root / "slices").iterdir())
    except OSError:
        return 0


def remove_workspace(root: Path) -> None:
    """Remove all that is left of a job that has ended."""
    shutil.rmtree(root, ignore_errors=True)


def tidy(root: Path, failure: Failure | None) -> None:
    """Remove what is left of a job that has ended, but for a signature that could not be published: retry does that."""
    if failure is None or failure.reason not in UNPUBLISHED or not (root / "sealed").exists():
        remove_workspace(root)
