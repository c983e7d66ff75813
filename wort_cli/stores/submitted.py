"""Stores submitted signatures unchanged, apart from all others: `submitted/DIGEST/NAME.sig` below the store's root.

They are never published: a verification recalculates the signature, and that one is published.
"""

import shutil
from pathlib import Path
from typing import IO

from wort_cli.model.accession import Name
from wort_cli.stores.local import COPY_BLOCK
from wort_cli.system.atomic_files import atomic_file


class SubmittedStore:
    """Submitted files below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def key(self, digest: str, name: Name) -> str:
        """Return the path of a submitted file, relative to the root."""
        return f"submitted/{digest}/{name}.sig"

    def put(self, file: IO[bytes], digest: str, name: Name) -> Path:
        """Store the whole content of an open file; return its path."""
        path = self.root / self.key(digest, name)
        file.seek(0)
        with atomic_file(path) as target:
            shutil.copyfileobj(file, target, COPY_BLOCK)
        return path
