"""The local store: signature files with their provenance beside them, below one directory.

sigs/SRR139/SRR139146.sig          gzip inside, mtime 0: equal content is equal bytes
sigs/SRR139/SRR139146.prov.json
local/NAME.sig                     of local files; never published as a run's
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from wort_cli.model.accession import RUN, Accession, Name
from wort_cli.model.provenance import Provenance
from wort_cli.system.atomic_files import atomic_file, write_atomically

COPY_BLOCK = 1 << 20
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
        write_atomically(self.provenance_path(name), json.dumps(provenance.to_json(), indent=1).encode() + b"\n")

    def put(self, sealed: Path, provenance: Provenance, name: Name) -> Path:
        """Keep a sealed signature; one that is there already is replaced at once.  OSError if it can't be written."""
        self.put_provenance(provenance, name)
        with sealed.open("rb") as source, atomic_file(self.path(name)) as file:
            shutil.copyfileobj(source, file, COPY_BLOCK)
        return self.path(name)
