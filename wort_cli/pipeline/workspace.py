"""An attempt's directory: where its tools run, and where its signature is sealed before it is published."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Workspace:
    """The directory of an attempt, which has it for itself; `remove` it when the attempt has ended."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self) -> None:
        """Make the directory, for this user only; OSError if that can't be."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def sealed(self) -> Path:
        """The sealed signature."""
        return self.root / "sealed.sig"

    @contextmanager
    def private_directory(self) -> Iterator[Path]:
        """An empty directory for tools to run in, gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.root, prefix="run-", ignore_cleanup_errors=True) as name:
            yield Path(name)

    def remove(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.root, ignore_errors=True)
