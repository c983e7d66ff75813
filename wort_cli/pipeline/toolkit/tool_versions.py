"""The versions of tools, by the identity of their files, so that a tool is asked for its version only once.

They are remembered by the process, and in a sealed file of the home.  If the file is missing, damaged, or not of this
home, the tools are asked again.
"""

import contextlib
from pathlib import Path

from wort_cli.system.atomic_files import atomic_file
from wort_cli.system.seals import read_sealed_document, sealed_document

FILE = "tool-versions.json"
SEALED = "versions of tools"
"""The kind of its seal."""
MOST = 20
"""Tools in the file, at most; the newest are kept."""

versions_by_file: dict[object, str] = {}
"""The versions that this process knows, by file identity."""


class ToolVersions:
    """The versions in memory and in a file; only in memory if there is no file, or no key to seal it with."""

    def __init__(self, file: Path | None = None, key: bytes = b"") -> None:
        self._file = file if key else None
        self._key = key

    def get(self, program: str | None) -> str | None:
        """Return the version of a program; None if it is unknown.  Raises OSError if there is no such file."""
        identity = file_identity(program)
        if identity not in versions_by_file and program is not None:
            stored = self._read().get(program)
            if stored is not None and stored[:-1] == list(map(str, identity)):
                versions_by_file[identity] = stored[-1]
        return versions_by_file.get(identity)

    def put(self, program: str, version: str) -> None:
        """Remember the version of a program.  A file that cannot be written is left as it is."""
        identity = file_identity(program)
        versions_by_file[identity] = version
        if self._file is None:
            return
        stored = {name: entry for name, entry in self._read().items() if name != program}
        kept = dict([*stored.items()][-MOST + 1 :])
        document = {"versions": {**kept, program: [*map(str, identity), version]}}
        with contextlib.suppress(OSError), atomic_file(self._file, durable=False) as file:
            file.write(sealed_document(document, self._key, SEALED))

    def _read(self) -> dict[str, list[str]]:
        if self._file is None:
            return {}
        try:
            found: dict[str, list[str]] = read_sealed_document(self._file, self._key, SEALED)["versions"]
        except (OSError, ValueError, KeyError, RecursionError):
            return {}
        return found


def file_identity(program: str | None) -> tuple[object, ...]:
    """Return a value that changes when the program is replaced, for example by an upgrade."""
    if program is None:
        return ()
    file = Path(program).stat()
    return program, file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns
