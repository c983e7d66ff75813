"""Keeps what was handed in, byte for byte and apart: `submitted/DIGEST/NAME.sig` below the store's root.

Nothing of it is ever published: what is published after a verification was computed here.
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
        """The path of a submitted file below the root."""
        return f"submitted/{digest}/{name}.sig"

    def put(self, file: IO[bytes], digest: str, name: Name) -> Path:
        """Keep the whole content of an open file; OSError if it can't be written."""
        path = self.root / self.key(digest, name)
        file.seek(0)
        with atomic_file(path) as kept:
            shutil.copyfileobj(file, kept, COPY_BLOCK)
        return path
