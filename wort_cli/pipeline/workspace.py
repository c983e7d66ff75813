"""A job's directory: finished slices, which outlive an attempt, and what each attempt has for itself.

work/JOB/slices/          for the next attempt, if this one does not end the job
work/JOB/in-process       as long as an attempt reads the archive in its own process
work/JOB/attempt-N/       where its tools run, and where its signature is sealed
"""

import contextlib
import shutil
from pathlib import Path


class Workspace:
    """The directory of a job, as one attempt sees it."""

    def __init__(self, root: Path, attempt: int) -> None:
        self.root = root
        self._own = root / f"attempt-{attempt}"
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

    def leave(self) -> None:
        """Remove what is the attempt's own."""
        self._in_process.unlink(missing_ok=True)
        shutil.rmtree(self._own, ignore_errors=True)
        with contextlib.suppress(OSError):  # there are slices in it
            self.root.rmdir()


def remove_workspace(root: Path) -> None:
    """Remove all that is left of a job that has ended."""
    shutil.rmtree(root, ignore_errors=True)
