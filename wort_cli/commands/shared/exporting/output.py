"""Where `-o` writes signatures, and in which format: one file, a directory, a zip file, or standard output.

The order is: `Output.parse` reads the option, `check` refuses what cannot be written before anything is computed, and
`write` writes.  A file is replaced only if it has nothing but signatures of the same names; `--force` replaces any.
The formats are in `output_formats`.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Self

from wort_cli.errors import ExitCode, StorageProblem, UsageError, WortError, shown
from wort_cli.model.provenance import Provenance
from wort_cli.system.atomic_files import atomic_output
from wort_cli.system.private_files import make_shared

STDOUT = "-"


class Format(StrEnum):
    """The formats of a written signature; sourmash reads each of them."""

    PLAIN = ".sig"
    GZIPPED = ".sig.gz"
    ZIP = ".zip"


@dataclass(frozen=True)
class OutputItem:
    """A signature that is to be written."""

    name: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    """Opens the signature, plain or gzipped."""
    provenance: Provenance | None = None
    """None if it is not known, or if the user wants none."""
    most: int = 1 << 62
    """Bytes of the signature, decompressed, at most."""
    hint: str = "choose another file"
    """A hint for the case that it cannot be written."""


class OutputRefused(WortError):
    """A file that exists would be replaced; it is unchanged."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class Output:
    """The value of the option `-o`."""

    text: str
    """The value of the option, as the user gave it."""
    format: Format
    is_directory: bool = False
    in_place: bool = False
    """Whether it is standard output, a device or a pipe, which is written and not replaced."""
    force: bool = False

    @classmethod
    def parse(cls, text: str, *, force: bool = False) -> Self:
        """Return the target that a text names; UsageError if its suffix is none of a format.

        A text that ends with a slash is a directory, whether it exists or not.
        """
        path = Path(text)
        if text == STDOUT:
            return cls(text, Format.PLAIN, in_place=True, force=force)
        if text.endswith("/") or path.is_dir():
            return cls(text, Format.PLAIN, is_directory=True, force=force)
        if path.exists() and not path.is_file():
            return cls(text, Format.PLAIN, in_place=True, force=force)
        for known in (Format.GZIPPED, Format.PLAIN, Format.ZIP):
            if path.name.endswith(known) and path.name != known:
                return cls(text, known, force=force)
        raise UsageError(
            f"-o {shown(text, 200)}: the suffix chooses the format, and must be .sig, .sig.gz or .zip",
            f"for a directory, add a slash: {shown(text + '/', 200)}",
        )

    @property
    def is_stdout(self) -> bool:
        """Whether it is the standard output, which must have nothing else then."""
        return self.text == STDOUT

    def path(self, name: str) -> Path:
        """Return the file for the signature of a name."""
        return Path(self.text) / f"{name}{self.format}" if self.is_directory else Path(self.text)

    def provenance_path(self, name: str) -> Path:
        """Return the file for its provenance, which lies beside it."""
        path = self.path(name)
        return path.with_name(f"{path.name.removesuffix(self.format)}.prov.json")

    def check(self, names: Sequence[str]) -> None:
        """Raise UsageError unless signatures of these names can be written; change nothing."""
        if len(names) != 1 and not self.is_directory and self.format is not Format.ZIP:
            raise UsageError(
                f"-o {shown(self.text, 200)} is not a directory, and there are {len(names)} signatures",
                "for a directory, add a slash; a .zip file takes several signatures",
            )
        if self.in_place:
            return
        directory = Path(self.text).absolute() if self.is_directory else Path(self.text).absolute().parent
        while self.is_directory and not directory.exists():
            directory = directory.parent
        if self.is_directory and not directory.is_dir():
            raise UsageError(f"-o: {shown(str(directory), 200)} is not a directory")
        check_parent(directory)
        for group in [[name] for name in names] if self.is_directory else [names]:
            self.check_replaceable(self.path(group[0]), group)
            self.check_replaceable(self.provenance_path(group[0]), group)

    def check_replaceable(self, path: Path, names: Sequence[str]) -> None:
        """Raise OutputRefused if a file exists and has something else than signatures or provenance of these names."""
        if self.force or not os.path.lexists(path) or (path.is_symlink() and not path.exists()):
            return
        from wort_cli.commands.shared.exporting.output_formats import names_in_file

        found = names_in_file(path)
        if not found:
            raise OutputRefused(
                f"{shown(str(path), 200)} exists, and is not a signature that wort or sourmash wrote",
                "choose another file, or replace it with --force",
            )
        if others := sorted(found - set(names)):
            raise OutputRefused(
                f"{shown(str(path), 200)} has the signature of {shown(others[0])}",
                "choose another file, or replace it with --force",
            )

    def write(self, items: Iterable[OutputItem]) -> None:
        """Write signatures, each with its provenance beside it.

        Raises OutputRefused if another process has made a file meanwhile, and StorageProblem if a file cannot be
        written.  A zip file has all signatures, and one list of all provenances beside it; without any signature,
        nothing is written.
        """
        if self.format is Format.ZIP and not self.in_place:
            if whole := list(items):
                self._write(whole)
            return
        for item in items:
            self._write([item])

    def _write(self, items: Sequence[OutputItem]) -> None:
        from wort_cli.commands.shared.exporting.output_formats import write_gzipped, write_plain, write_zip

        names = [item.name for item in items]
        path = self.path(names[0])
        provenances = [item.provenance for item in items if item.provenance is not None]
        try:
            if self.is_stdout:
                sys.stdout.flush()
                write_plain(items[0], sys.stdout.buffer)
                sys.stdout.buffer.flush()
                return
            if self.in_place:
                with path.open("wb") as file:
                    write_plain(items[0], file)
                return
            if self.is_directory:
                make_shared(path.parent)

            def write_all(file: IO[bytes]) -> None:
                if self.format is Format.ZIP:
                    write_zip(items, file)
                else:
                    (write_gzipped if self.format is Format.GZIPPED else write_plain)(items[0], file)
                # Now, so that no signature is without its provenance, and no provenance without its signature.
                if provenances:
                    documents = [provenance.to_json() for provenance in provenances]
                    text = json_text(documents if self.format is Format.ZIP else documents[0])
                    self._put(self.provenance_path(names[0]), names, lambda beside: beside.write(text))

            self._put(path, names, write_all)
        except OSError as error:
            raise StorageProblem(
                f"{shown(str(path), 200)} can't be written: {error.strerror}", items[0].hint
            ) from error

    def _put(self, path: Path, names: Sequence[str], write: Callable[[IO[bytes]], object]) -> None:
        """Write one file under its name, when it is complete; follow a symbolic link instead of replacing it."""
        self.check_replaceable(path, names)
        target = path.resolve()
        try:
            with atomic_output(target, replace=self.force or target.exists()) as file:
                write(file)
        except FileExistsError:
            raise OutputRefused(f"{shown(str(path), 200)} was made by another process meanwhile", "try again") from None


def check_parent(directory: Path) -> None:
    """Raise UsageError unless a file can be written into a directory."""
    if not directory.is_dir():
        raise UsageError(f"-o: there is no directory {shown(str(directory), 200)}")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UsageError(f"-o: {shown(str(directory), 200)} can't be written", "check its permissions")


def json_text(document: object) -> bytes:
    """Return a document as it is stored beside a signature."""
    return json.dumps(document, indent=1).encode() + b"\n"
