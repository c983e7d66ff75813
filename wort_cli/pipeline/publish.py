"""Publishes a sealed signature: puts it into the store with its provenance."""

from pathlib import Path

from wort_cli.model.accession import parse_name
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job_result import Published
from wort_cli.model.provenance import Provenance
from wort_cli.pipeline.archives.prove import checksum
from wort_cli.stores.local import LocalStore
from wort_cli.system.cancellation import NEVER, Cancellation


def publish(sealed: Path, provenance: Provenance, store: LocalStore, cancellation: Cancellation = NEVER) -> Published:
    """Put the signature into the store and confirm that it stands there; OSError if it can't be written."""
    name = parse_name(provenance.name)
    path = store.put(sealed, provenance, name)
    if checksum(path, cancellation) != checksum(sealed, cancellation):
        raise JobFailed(Reason.STORAGE_DOWN, f"{path} does not hold what was written to it")
    return Published(store.key(name), path.stat().st_size, provenance)
