"""The stages that use the bucket: find a published signature, take a public one, and upload a new one.

Only these load boto3, and only if the job has a bucket.  A server may take minutes to answer a request; a job that is
cancelled meanwhile does not wait for the answer.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from wort_cli.model.accession import Accession, AssemblyAccession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job_result import Published
from wort_cli.model.profile import SRA_V1
from wort_cli.model.provenance import ESTABLISHED, Trust
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.toolkit.tools import TICK
from wort_cli.pipeline.workspace import attempt_directory
from wort_cli.stores.bucket_layout import conflict_error, trust_in
from wort_cli.stores.local import LocalStore
from wort_cli.stores.object_store import StoreError
from wort_cli.stores.opening import open_objects
from wort_cli.stores.recorded import is_recorded_content
from wort_cli.stores.shared import Replacing, SharedStore
from wort_cli.system.cancellation import Cancellation

T = TypeVar("T")
Log = Callable[[str], None]


def find_published(spec: JobSpec, log: Log, cancellation: Cancellation) -> Published | None:
    """Return the signature of a job if it is in the bucket; None if it must be computed.

    Raises StoreError if the bucket has a signature of another profile, so that the job fails before hours of computing,
    not after.
    """
    if spec.s3 is None or spec.force:
        return None
    found = call_cancellable(lambda: find_signature(open_store(spec), spec), cancellation)
    if isinstance(found, str):
        log(f"{found}; the signature is computed")
        return None
    if found is not None:
        log(f"already in the bucket: {found.remote}, digest {found.provenance.digest}")
    return found


def take_public(spec: JobSpec, log: Log, cancellation: Cancellation) -> Published | None:
    """Take the public signature of a job into the local store, if the job accepts one; None if it must be computed.

    It stays `published`: nothing proves that it is of this run.  Whatever prevents that it is taken, the job continues.
    """
    if not accepts_public(spec):
        return None
    from wort_cli.stores import transfer

    name, local = accession_of(spec), LocalStore(spec.store, spec.profile)
    try:
        store = public_store(spec, cancellation)
        taken = call_cancellable(lambda: transfer.pull(name, local, store, spec.recorded), cancellation)
    except StoreError as error:
        log(f"{error.sentence}; the signature is computed")
        return None
    log(f"taken from the public signatures: {taken.remote}, digest {taken.provenance.digest}")
    return taken


def accepts_public(spec: JobSpec) -> bool:
    """Return whether a job takes a public signature in place of computing it; they are those of one profile."""
    return spec.public is not None and not spec.force and spec.profile == SRA_V1.name


def may_be_public(spec: JobSpec, cancellation: Cancellation) -> bool:
    """Return whether a job will probably take a public signature, so that no archive needs to be fetched ahead."""
    if not accepts_public(spec):
        return False
    try:
        store = public_store(spec, cancellation)
        return call_cancellable(lambda: store.find(accession_of(spec)), cancellation) is not None
    except StoreError:
        return False


def public_store(spec: JobSpec, cancellation: Cancellation) -> SharedStore:
    """Return the public signatures.  Raises StoreError if they cannot be reached."""
    from wort_cli.stores.public import open_public

    scratch = attempt_directory(spec.workspace, spec.attempt)
    return open_public(spec.public, spec.reading, scratch, spec.parameters, cancellation=cancellation)


def find_signature(store: SharedStore, spec: JobSpec) -> Published | str | None:
    """Read the object of a job and return it as published by others; None if there is none.

    If it cannot be taken in place of a signature that is computed, returns why.  Raises StoreError(params-mismatch) if
    it is a signature of another profile.
    """
    name, profile = accession_of(spec), spec.profile
    found = store.read(name)
    if found is None:
        return None
    url, facts = store.url(name), found.facts
    if facts is None:
        return f"{url} is not a signature of {name}: {found.why}"
    if facts.profile != profile:
        raise conflict_error(url, facts, name, profile)
    if found.stored.metadata.get("digest", facts.digest) != facts.digest:
        return f"{url} has digest {facts.digest}, which is not the one that it is announced with"
    recorded = spec.recorded
    if recorded is not None and recorded.trust is Trust.MISMATCH and recorded.digest == facts.digest:
        return f"{url} was refuted: its digest is {facts.digest}"
    established = recorded is not None and recorded.trust in ESTABLISHED
    if recorded is not None and established and not is_recorded_content(facts, found.sha256, recorded):
        return f"{url} is not the signature that is recorded as {recorded.trust}"
    provenance = store.provenance_of(name, facts)
    return Published("", found.stored.size, provenance, url, trust_in(found.stored.metadata), found.sha256)


def upload(sealed: Path, published: Published, spec: JobSpec, log: Log, cancellation: Cancellation) -> Published:
    """Upload a published signature to the bucket, if the job has one; raise StoreError if that fails."""
    if spec.s3 is None or spec.s3.unsigned:
        return published
    cancellation.confirm()
    name, provenance = accession_of(spec), published.provenance
    store = call_cancellable(lambda: open_store(spec), cancellation)
    replacing = Replacing.ANYTHING if spec.force else Replacing.GARBAGE
    refuted = spec.recorded.digest if spec.recorded and spec.recorded.trust is Trust.MISMATCH else ""
    outcome = call_cancellable(
        lambda: store.publish(sealed, provenance, name, published.trust, replacing, refuted), cancellation
    )
    log(f"{store.url(name)}: {outcome}")
    return replace(published, remote=store.url(name))


def digest_in_bucket(spec: JobSpec, cancellation: Cancellation) -> str | None:
    """Read a job's object in the bucket and return its digest.

    None if there is no object or no bucket; '' if the object is not a signature of that run.
    """
    if spec.s3 is None:
        return None
    name = accession_of(spec)

    def read() -> str | None:
        store = open_store(spec)
        found = store.read(name)
        if found is None:
            return None if store.find(name) is None else ""
        return found.facts.digest if found.facts else ""

    return call_cancellable(read, cancellation)


def open_store(spec: JobSpec) -> SharedStore:
    """Return the bucket; credentials are looked up each time."""
    if spec.s3 is None:
        raise JobFailed(Reason.STORAGE_DENIED, "no bucket is configured")
    scratch = attempt_directory(spec.workspace, spec.attempt)
    return SharedStore(open_objects(spec.s3), spec.reading, scratch, spec.parameters)


def accession_of(spec: JobSpec) -> Accession:
    """Return the accession of a job; signatures of local files are never uploaded."""
    return Accession.parse(spec.source.name) if not spec.source.is_assembly else AssemblyAccession(spec.source.name)


def call_cancellable(call: Callable[[], T], cancellation: Cancellation) -> T:
    """Return the result of `call`, which runs in a thread; if the job is cancelled, raise Cancelled without waiting."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="bucket", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(TICK)
        cancellation.check()
    if errors:
        raise errors[0]
    return results[0]
