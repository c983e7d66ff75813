"""The stages that use the bucket: find a published signature, and upload a new one.

Only these load boto3, and only if the job has a bucket.  A server may take minutes to answer a request; a job that is
cancelled meanwhile does not wait for the answer.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job_result import Published
from wort_cli.model.s3_target import S3Target
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.toolkit.tools import TICK
from wort_cli.stores.bucket_layout import conflict_error
from wort_cli.stores.shared import SharedStore
from wort_cli.system.cancellation import Cancellation

T = TypeVar("T")
Log = Callable[[str], None]


def find_published(spec: JobSpec, log: Log, cancellation: Cancellation) -> Published | None:
    """Return the signature of a job if it is in the bucket; None if it must be computed.

    Raises StoreError if another object has its key, so that the job fails before hours of computing, not after.
    """
    if spec.s3 is None or spec.force:
        return None
    found = call_cancellable(
        lambda: find_signature(open_store(spec.s3), accession_of(spec), spec.profile), cancellation
    )
    if found is not None:
        log(f"already in the bucket: {found.remote}, digest {found.provenance.digest}")
    return found


def find_signature(store: SharedStore, name: Accession, profile: str) -> Published | None:
    """Return the signature of a run in the bucket; None if there is no object, or an empty one.

    Raises StoreError(conflict) if the object is not a signature of that run and profile.
    """
    stored = store.find(name)
    if stored is None or stored.size == 0:
        return None
    identity = store.identify(name, stored)
    if identity is None or identity.profile != profile:
        raise conflict_error(store.url(name), identity, name, profile)
    provenance, trust = store.provenance_and_trust(name, identity)
    return Published("", stored.size, provenance, store.url(name), trust)


def upload(sealed: Path, published: Published, spec: JobSpec, log: Log, cancellation: Cancellation) -> Published:
    """Upload a published signature to the bucket, if the job has one; raise StoreError if that fails."""
    if spec.s3 is None or spec.s3.unsigned:
        return published
    name, provenance = accession_of(spec), published.provenance
    store = call_cancellable(lambda: open_store(spec.s3), cancellation)
    outcome = call_cancellable(lambda: store.publish(sealed, provenance, name, replace=spec.force), cancellation)
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
        store = open_store(spec.s3)
        stored = store.find(name)
        if stored is None:
            return None
        identity = store.identify_by_content(name, stored)
        return identity.digest if identity else ""

    return call_cancellable(read, cancellation)


def open_store(target: S3Target | None) -> SharedStore:
    """Return the bucket; credentials are looked up each time."""
    from wort_cli.stores.s3 import S3Store

    if target is None:
        raise JobFailed(Reason.STORAGE_DENIED, "no bucket is configured")
    return SharedStore(S3Store(target))


def accession_of(spec: JobSpec) -> Accession:
    """Return the accession of a job; signatures of local files are never uploaded."""
    return Accession.parse(spec.source.name)


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
