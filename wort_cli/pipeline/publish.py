"""Publishes a sealed signature: puts it into the store with its provenance."""

from collections.abc import Callable
from pathlib import Path

from wort_cli.accession import parse_name
from wort_cli.failure import JobFailed, Reason
from wort_cli.pipeline.validate import checksum
from wort_cli.signature_record import Provenance
from wort_cli.stores.local import LocalStore
from wort_cli.work import Published


def publish(
    sealed: Path, provenance: Provenance, store: LocalStore, called_off: Callable[[], bool] = lambda: False
) -> Published:
    """Put the signature into the store and confirm that it stands there; OSError if it can't be written."""
    name = parse_name(provenance.name)
    path = store.put(sealed, provenance, name)
    if checksum(path, called_off) != checksum(sealed, called_off):
        raise JobFailed(Reason.STORAGE_DOWN, f"{path} does not hold what was written to it")
    return Published(store.key(name), path.stat().st_size, provenance)
