"""The local store: signature files, each with its provenance beside it, below one directory.

sigs/SRR139/SRR139146.sig          gzip with mtime 0, so that equal signatures are equal bytes
sigs/SRR139/SRR139146.prov.json    its provenance
sigs/GCA_000/GCA_000005845.2.sig   the same of an assembly
local/NAME.sig                     the signature of a local file; it is never published
profiles/NAME/                     the same, of another profile than `sra-v1`

The mode of the directory decides who may read what is written into it, and no umask.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wort_cli.model.accession import Accession, Name, public_accession
from wort_cli.model.profile import SRA_V1, folder_of, is_listed
from wort_cli.model.provenance import Provenance
from wort_cli.reading.documents import read_provenance
from wort_cli.system.atomic_files import atomic_file
from wort_cli.system.private_files import make_directories

COPY_BLOCK = 1 << 20
"""Bytes that are copied at once."""
DIRECTORY = re.compile(r"[SDE]RR[0-9]{3}|GC[AF]_[0-9]{3}")
"""The directory of signatures: the first three digits of their accessions, and what is before them."""
SUFFIX = re.compile(r"(\.sig|\.prov\.json)((\.[0-9a-f]{8})?\.partial)?$")


def names_in(directory: Path) -> list[str]:
    """Return the names in a directory in order; none if it does not exist, cannot be read, or is no directory."""
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 (Path.iterdir would make an object of each name)
    except OSError:
        return []


def subdirectories(directory: Path) -> Iterator[Path]:
    """Yield the directories of runs below a directory, in order."""
    yield from (directory / name for name in names_in(directory) if DIRECTORY.fullmatch(name))


def directory_of(name: Accession) -> str:
    """Return the directory of the signature of a run or an assembly."""
    found = DIRECTORY.match(name)
    return found[0] if found else name[:6]


def is_in_place(path: Path, name: str) -> bool:
    """Return whether a path is a regular file that belongs to a run or an assembly, in its directory."""
    accession = public_accession(name)
    return accession is not None and path.parent.name == directory_of(accession) and path.is_file()


class LocalStore:
    """The signatures of a profile, below `root`."""

    def __init__(self, root: Path, profile: str = SRA_V1.name) -> None:
        self.root = root
        self.profile = profile
        self.folder = folder_of(profile)
        """The folder of the profile below the root, with a slash; '' for the root itself."""

    def key(self, name: Name) -> str:
        """Return the path of a signature, relative to the root."""
        place = f"sigs/{directory_of(name)}/{name}.sig" if isinstance(name, Accession) else f"local/{name}.sig"
        return self.folder + place

    def path(self, name: Name) -> Path:
        """Return the path of a signature, whether it exists or not."""
        return self.root / self.key(name)

    def provenance_path(self, name: Name) -> Path:
        """Return the path of a signature's provenance."""
        return self.path(name).with_name(f"{name}.prov.json")

    def has(self, name: Name) -> bool:
        """Whether the store has a signature with that name."""
        return self.path(name).is_file()

    def runs(self) -> Iterator[Accession]:
        """Yield the runs and assemblies with a signature, in order; only the names of one directory are in memory."""
        for directory in subdirectories(self.root / self.folder / "sigs"):
            for name in names_in(directory):
                found = public_accession(name.removesuffix(".sig")) if name.endswith(".sig") else None
                if found and is_listed(found, self.profile) and is_in_place(directory / name, found):
                    yield found

    def strays(self) -> Iterator[Path]:
        """Yield what is in the directories of signatures and is not a file of wort's, in order.

        Such files are skipped.
        """
        root, local = self.root / self.folder / "sigs", self.root / self.folder / "local"
        for entry in names_in(root):
            if not DIRECTORY.fullmatch(entry) or not (root / entry).is_dir():
                yield root / entry
                continue
            for name in names_in(root / entry):
                run = SUFFIX.sub("", name)
                if run == name or not is_in_place(root / entry / name, run):
                    yield root / entry / name
        for name in names_in(local):
            if not SUFFIX.search(name) or not (local / name).is_file():
                yield local / name

    def provenance(self, name: Name) -> Provenance:
        """Return the provenance of a signature; raise OSError or ValueError if it cannot be read."""
        with self.provenance_path(name).open("rb") as file:
            return read_provenance(file)

    @contextmanager
    def writing(self, path: Path) -> Iterator[IO[bytes]]:
        """Yield a file of the store for writing, which appears when it is complete; others may read it as the root."""
        mode = 0o700 | (self.root.stat().st_mode & 0o055 if self.root.exists() else 0)
        make_directories(path.parent, mode)
        with atomic_file(path) as file:
            os.fchmod(file.fileno(), mode & 0o666)
            yield file

    def put_provenance(self, provenance: Provenance, name: Name) -> None:
        """Write the provenance of a signature.  Callers write it first, so that no signature is without provenance."""
        with self.writing(self.provenance_path(name)) as file:
            file.write(json.dumps(provenance.to_json(), indent=1).encode() + b"\n")

    def put(self, sealed: Path, provenance: Provenance, name: Name) -> Path:
        """Store a sealed signature and its provenance; return its path.  An old signature is replaced atomically."""
        with sealed.open("rb") as source:
            return self.put_open(source, provenance, name)

    def put_open(self, sealed: IO[bytes], provenance: Provenance, name: Name) -> Path:
        """Like `put`, for a signature in an open file."""
        self.put_provenance(provenance, name)
        path = self.path(name)
        with self.writing(path) as file:
            shutil.copyfileobj(sealed, file, COPY_BLOCK)
        return path
