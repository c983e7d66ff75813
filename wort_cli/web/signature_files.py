"""Finds the file of a signature that may be served, and proves that it is the recorded one.

A signature is served if the catalog has it, it was not refuted, and its archive was proved, or the setting
`publish_unproved` allows others.  Its bytes are compared with the catalog before they are first sent, and again when
the file has changed.
"""

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name
from wort_cli.model.provenance import Recorded, Trust
from wort_cli.reading.limits import ReadLimits
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore
from wort_cli.stores.recorded import is_recorded_file, sha256_of
from wort_cli.web.databases import Database

MAX_REMEMBERED = 100_000
"""Files that are remembered as compared."""

State = tuple[int, int, int, int, int]
"""The state of a file: device, inode, size, and the times of its last changes."""


@dataclass(frozen=True)
class CatalogEntry:
    """The catalog's record of a signature that may be sent."""

    name: Name
    recorded: Recorded
    size: int
    created_at: float
    remote: str


@dataclass(frozen=True)
class ServedFile:
    """A file that was compared with the catalog."""

    path: Path
    state: State
    sha256: str


def state_of(found: os.stat_result) -> State:
    """Return the state of a file."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def refused_trust(settings: Settings) -> frozenset[Trust]:
    """Return the levels of trust of signatures that are not served."""
    return frozenset({Trust.MISMATCH} if settings.publish_unproved else {Trust.MISMATCH, Trust.UNPROVED})


class SignatureFiles:
    """The signatures of a database; all threads of a server use one object."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._store = LocalStore(settings.store_dir, database.profile.name)
        self._root = str(settings.store_dir)
        self._limits = ReadLimits.of(settings)
        self._trusts = database.trusts - refused_trust(settings)
        self._compared: OrderedDict[tuple[str, State, str, str], str] = OrderedDict()
        self._lock = threading.Lock()

    def is_served(self, trust: str | None) -> bool:
        """Return whether signatures of a trust are served; None stands for no signature."""
        return trust in self._trusts

    def entry(self, ledger: Ledger, name: str) -> CatalogEntry | None:
        """Return the catalog's record of an id; None if it has no signature that may be served."""
        found = self._database.parse(name)
        if found is None:
            return None
        row = ledger.storage.row("served_signature", name=name, profile=self._database.profile.name)
        if row is None or not self.is_served(row["trust"]):
            return None
        recorded = Recorded(row["digest"], Trust(row["trust"]), row["sha256"])
        return CatalogEntry(found, recorded, row["size"], row["created_at"], row["remote"])

    def remembered(self, entry: CatalogEntry) -> ServedFile | None:
        """Return the file of an entry if it was compared and has not changed since.  Reads no file."""
        path = f"{self._root}/{self._store.key(entry.name)}"
        try:
            state = state_of(os.stat(path))  # noqa: PTH116 (for each request, and a third of the time of Path.stat)
        except OSError:
            return None
        key = entry.name, state, entry.recorded.digest, entry.recorded.sha256
        with self._lock:
            sha256 = self._compared.get(key)
            if sha256 is not None:
                self._compared.move_to_end(key)
        return ServedFile(Path(path), state, sha256) if sha256 is not None else None

    def compared(self, entry: CatalogEntry) -> ServedFile | None:
        """Return the file of an entry, after its bytes were compared; None if there is none, or it has others."""
        try:
            with self._store.path(entry.name).open("rb") as file:
                return self._compare(file, entry)
        except OSError:
            return None

    def _compare(self, file: IO[bytes], entry: CatalogEntry) -> ServedFile | None:
        path, state = self._store.path(entry.name), state_of(os.fstat(file.fileno()))
        if not is_recorded_file(file, entry.name, entry.recorded, self._limits):
            return None
        sha256 = entry.recorded.sha256 or sha256_of(file)
        if state != state_of(os.fstat(file.fileno())):
            return None
        with self._lock:
            self._compared[entry.name, state, entry.recorded.digest, entry.recorded.sha256] = sha256
            while len(self._compared) > MAX_REMEMBERED:
                self._compared.popitem(last=False)
        return ServedFile(path, state, sha256)

    def opened(self, served: ServedFile) -> IO[bytes] | None:
        """Return the open file; None if it has changed since it was compared."""
        try:
            file = served.path.open("rb")
        except OSError:
            return None
        if state_of(os.fstat(file.fileno())) == served.state:
            return file
        file.close()
        return None
