"""Where `wort export` writes: a collection or a directory, and the table of what is missing beside it."""

import csv
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from wort_cli.commands.shared.exporting.output import check_parent
from wort_cli.errors import UsageError, shown
from wort_cli.model.absence import Absence
from wort_cli.model.profile import DNA
from wort_cli.model.sketch_row import MANIFEST
from wort_cli.upkeep.export.contents import CRATE_METADATA, MISSING, Example
from wort_cli.upkeep.export.directory_target import DirectoryTarget, directory_target
from wort_cli.upkeep.export.earlier import NotOurs, has_crate_metadata
from wort_cli.upkeep.export.zip_target import ZipTarget, zip_target

ENDINGS = (".sig.zip", ".zip")


@dataclass(frozen=True)
class ExportOutput:
    """The value of the option -o of `wort export`."""

    path: Path
    is_directory: bool

    @classmethod
    def parse(cls, text: str) -> "ExportOutput":
        """Return the target that a text names; UsageError if it is neither a .zip file nor a directory."""
        path = Path(text).absolute()
        if text.endswith("/") or path.is_dir():
            return cls(path, is_directory=True)
        if path.name.endswith(".zip") and path.name not in ENDINGS:
            return cls(path, is_directory=False)
        raise UsageError(
            f"-o {shown(text, 200)} is neither a .zip file nor a directory",
            f"for a collection, end it with .sig.zip; for a directory, add a slash: {shown(text + '/', 200)}",
        )

    @property
    def missing(self) -> Path:
        """The table of what is missing."""
        if self.is_directory:
            return self.path / MISSING
        return self.path.with_name(f"{self.stem}.missing.csv")

    @property
    def stem(self) -> str:
        """The name without its ending."""
        ending = "" if self.is_directory else next(end for end in ENDINGS if self.path.name.endswith(end))
        return self.path.name.removesuffix(ending)

    def check(self, *, update: bool, force: bool, ro_crate: bool) -> None:
        """Raise UsageError unless the target can be written; change nothing."""
        if update and force:
            raise UsageError("--update and --force exclude each other", "--update keeps what is there")
        parent = self.path
        while self.is_directory and not parent.exists():
            parent = parent.parent
        if not self.is_directory:
            parent = self.path.parent
        check_parent(parent)
        is_there = any(self.path.iterdir()) if self.path.is_dir() else os.path.lexists(self.path)
        if is_there and not (update or force):
            raise UsageError(
                f"{shown(str(self.path), 200)} exists" + (" and is not empty" if self.is_directory else ""),
                "--update adds what is new to it, --force replaces it",
            )
        if not ro_crate and is_there and (update or self.is_directory) and self.has_crate_metadata():
            raise UsageError(
                f"{shown(str(self.path), 200)} has RO-Crate metadata, which would no longer describe it",
                "add --ro-crate, so that they are written again"
                + (f", or remove {CRATE_METADATA}" * self.is_directory),
            )

    def has_crate_metadata(self) -> bool:
        """Return whether an earlier export has RO-Crate metadata; False if it is not one."""
        if self.is_directory:
            return (self.path / CRATE_METADATA).exists()
        try:
            with self.path.open("rb") as file:
                return has_crate_metadata(file)
        except (OSError, NotOurs):  # opening it says what is wrong
            return False

    def opened(
        self, is_refuted: Callable[[str], bool], *, update: bool, keep_contents: bool = False
    ) -> AbstractContextManager[ZipTarget | DirectoryTarget]:
        """Return the target as a context; it is complete when the context ends without an exception.

        keep_contents: so that `contents.files()` can be called
        """
        open_target = directory_target if self.is_directory else zip_target
        return open_target(self.path, is_refuted, update=update, keep_contents=keep_contents)

    def next_commands(self, example: Example) -> list[str]:
        """Return commands of sourmash that use what was exported; paths below this directory are relative."""
        place = self.path / MANIFEST if self.is_directory else self.path
        file = shlex.quote(str(from_here(place)))
        missing = str(from_here(self.missing))
        stem = shlex.quote(missing.removesuffix(".missing.csv").removesuffix(f"/{MISSING}"))
        row, options = example.row, f"-k {example.row.ksize}"
        if row.moltype != DNA:
            options += f" --{row.moltype.lower()}"
        query = f"--md5 {row.md5[:8]} {file}"
        if self.is_directory:
            query = shlex.quote(str(from_here(self.path / example.location)))
        return [
            f"sourmash sig summarize {file}",
            f"sourmash gather {options} QUERY.sig {file} -o gather.csv",
            f"sourmash sig collect {file} -o {stem}.sqlmf",
            f"sourmash index {options} -F rocksdb {stem}.rocksdb {file}",
            f"sourmash gather {options} {query} GENOMES.zip -o {shlex.quote(example.name)}.csv",
            f"sourmash tax metagenome -g {shlex.quote(example.name)}.csv -t LINEAGES.csv",
        ]


def from_here(path: Path) -> Path:
    """Return a path relative to the current directory if it is below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def read_missing(path: Path) -> Iterator[Absence]:
    """Yield the rows of a table that `missing_file` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Absence(row["accession"], row["state"], row["reason"], row["sentence"], row["md5sum"])
