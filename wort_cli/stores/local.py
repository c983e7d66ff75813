"""The local store: signature files with their provenance beside them, below one directory.

    sigs/SRR139/SRR139146.sig          gzip inside, mtime 0: equal content is equal bytes
    sigs/SRR139/SRR139146.prov.json
    local/NAME.sig                     of local files; never published as a run's

A file appears under its final name only when it is whole and on the disk: written as `.partial`, fsynced, renamed.
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wort_cli.accession import RUN, Accession, Name
from wort_cli.signature_record import Provenance

COPY = 1 << 20
"""Bytes that are copied together."""


class LocalStore:
    """Signatures below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def key(self, name: Name) -> str:
        """The path of a signature below the root."""
        return f"sigs/{name[:6]}/{name}.sig" if isinstance(name, Accession) else f"local/{name}.sig"

    def path(self, name: Name) -> Path:
        """The path of a signature, which need not exist."""
        return self.root / self.key(name)

    def provenance_path(self, name: Name) -> Path:
        """The path of the document beside a signature."""
        return self.path(name).with_name(f"{name}.prov.json")

    def has(self, name: Name) -> bool:
        """Whether there is a signature of that name."""
        return self.path(name).is_file()

    def runs(self) -> Iterator[Accession]:
        """The runs whose signatures are here, in order; a directory's names at a time."""
        root = self.root / "sigs"
        for directory in sorted(root.iterdir()) if root.is_dir() else ():
            names = (path.name.removesuffix(".sig") for path in directory.iterdir() if path.suffix == ".sig")
            yield from (Accession(name) for name in sorted(names) if RUN.fullmatch(name))

    def provenance(self, name: Name) -> Provenance:
        """How a signature came to be; OSError or ValueError if the document beside it can't be read."""
        try:
            return Provenance.from_json(json.loads(self.provenance_path(name).read_bytes()))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is no provenance: {error}") from None

    def put_provenance(self, provenance: Provenance, name: Name) -> None:
        """Write the document beside a signature; it is first, for a signature never stands without it."""
        write_whole(self.provenance_path(name), json.dumps(provenance.to_json(), indent=1).encode() + b"\n")

    def put(self, sealed: Path, provenance: Provenance, name: Name) -> Path:
        """Keep a sealed signature; one that is there already is replaced at once.  OSError if it can't be written."""
        self.put_provenance(provenance, name)
        with sealed.open("rb") as source, whole_file(self.path(name)) as file:
            shutil.copyfileobj(source, file, COPY)
        return self.path(name)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears under its name only when it is whole and on the disk."""
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write and read, which appears under its name only when it is whole and on the disk.

    After any exception it does not appear.  The `.partial` of a writer that was killed is written over by the next one,
    so that none is left; writers of the same file take turns.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with own_file(partial) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def own_file(path: Path) -> IO[bytes]:
    """An empty file of that name which is nobody else's until it is closed; waits for whoever has it."""
    while True:
        file = open(path, "r+b", opener=made_if_missing)  # noqa: SIM115 (Path.open has no opener)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), os.fstat(file.fileno())):  # else it was renamed while we waited
                    file.truncate(0)
                    return file
        except BaseException:
            file.close()
            raise
        file.close()


def made_if_missing(path: str, flags: int) -> int:
    """Open a file, new or not, without cutting it short; an opener."""
    return os.open(path, flags | os.O_CREAT, 0o666)
