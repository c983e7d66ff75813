"""Publishes a sealed signature in the local store, unless a better one is there.  bucket.py uploads it."""

from pathlib import Path
from typing import IO

from wort_cli.model.accession import parse_name
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job_result import Published
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.model.provenance import Provenance, Trust, trust_to_record
from wort_cli.pipeline.archives.prove import file_sha256
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.signatures import read_own_facts
from wort_cli.stores.local import LocalStore
from wort_cli.system.cancellation import NEVER, Cancellation


def check_may_replace(spec: JobSpec, provenance: Provenance) -> None:
    """Raise JobFailed(conflict) if the catalog has another signature that is worth more, and the job is not forced."""
    trust = Trust.VERIFIED if spec.subject else Trust.UNPROVED if provenance.is_unproved else Trust.COMPUTED
    recorded = spec.recorded
    if recorded is not None and not spec.force and trust_to_record(recorded, provenance.digest, trust) is None:
        known = f"the catalog has digest {recorded.digest}, which is {recorded.trust}"
        raise JobFailed(Reason.CONFLICT, f"{known}; this signature has digest {provenance.digest}, and is {trust}")


def is_sealed_content(sealed: Path, provenance: Provenance, profile: Profile = SRA_V1) -> bool:
    """Return whether a signature that an earlier attempt sealed is the one that its provenance describes."""
    try:
        with sealed.open("rb") as file:
            facts = read_own_facts(file, profile)
    except (Refusal, OSError):
        return False
    found = (facts.name, facts.title, facts.profile, facts.filename, facts.digest)
    made = provenance
    return found == (made.name, made.title, made.profile, made.filename, made.digest)


def publish_locally(
    sealed: Path, provenance: Provenance, store: LocalStore, cancellation: Cancellation = NEVER
) -> Published:
    """Put a signature and its provenance into the local store, and read the file back.

    Raises OSError if it cannot be written, JobFailed(storage-down) if the file differs from the sealed one.
    """
    with sealed.open("rb") as file:
        return publish_open(file, file_sha256(sealed, cancellation), provenance, store, cancellation)


def publish_open(
    sealed: IO[bytes], sha256: str, provenance: Provenance, store: LocalStore, cancellation: Cancellation = NEVER
) -> Published:
    """Like `publish_locally`, for a signature in an open file, whose sum is known."""
    name = parse_name(provenance.name)
    path = store.put_open(sealed, provenance, name)
    if file_sha256(path, cancellation) != sha256:
        raise JobFailed(Reason.STORAGE_DOWN, f"{path} does not contain what was written to it")
    return Published(store.key(name), path.stat().st_size, provenance, sha256=sha256)
