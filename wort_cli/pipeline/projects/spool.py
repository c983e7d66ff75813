"""The runs that one service lists, in a file, while the lists are compared."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from wort_cli.model.run_metadata import RunMetadata


class Spool:
    """The runs that one service lists, each once; `with` opens the file for `add`."""

    def __init__(self, path: Path, service: str) -> None:
        self.path = path
        self.service = service
        self.sizes: dict[str, int | None] = {}
        """The size of each run's archive."""
        path.write_bytes(b"")

    def __enter__(self) -> Self:
        self._file = self.path.open("r+b")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, run: RunMetadata) -> None:
        """Write a run, unless it was written before."""
        if run.run not in self.sizes:
            self.sizes[run.run] = run.bytes
            self._file.write(json.dumps(run.values()).encode() + b"\n")

    def mark(self) -> tuple[int, int]:
        """Return where the file and the runs end."""
        return self._file.tell(), len(self.sizes)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Remove what was added since `mark`."""
        self._file.seek(mark[0])
        self._file.truncate()
        for run in list(self.sizes)[mark[1] :]:
            del self.sizes[run]

    def clear(self) -> None:
        """Remove all runs."""
        self.path.write_bytes(b"")
        self.sizes.clear()

    def runs(self) -> Iterator[RunMetadata]:
        """Yield the runs."""
        with self.path.open("rb") as file:
            for line in file:
                yield RunMetadata(*json.loads(line))
