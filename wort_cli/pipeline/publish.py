"""Publishes a sealed signature in the local store.  bucket.py uploads it."""

from pathlib import Path

from wort_cli.model.accession import parse_name
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job_result import Published
from wort_cli.model.provenance import Provenance
from wort_cli.pipeline.archives.prove import file_sha256
from wort_cli.stores.local import LocalStore
from wort_cli.system.cancellation import NEVER, Cancellation


def publish_locally(
    sealed: Path, provenance: Provenance, store: LocalStore, cancellation: Cancellation = NEVER
) -> Published:
    """Put a signature and its provenance into the local store, and read the file back.

    Raises OSError if it cannot be written, JobFailed(storage-down) if the file differs from the sealed one.
    """
    name = parse_name(provenance.name)
    path = store.put(sealed, provenance, name)
    if file_sha256(path, cancellation) != file_sha256(sealed, cancellation):
        raise JobFailed(Reason.STORAGE_DOWN, f"{path} does not contain what was written to it")
    return Published(store.key(name), path.stat().st_size, provenance)
