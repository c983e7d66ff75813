"""The stages that speak to the bucket: is the signature there already, and see that it stands there.

Only these load boto3, and only for a job that has a bucket.  A server may keep a request waiting for minutes; a job
that is called off meanwhile does not wait with it.
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
    """The signature of a job if it stands in the bucket; None if it must be computed.

    StoreError if something else stands there: better known before hours of computing than after.
    """
    if spec.s3 is None or spec.force:
        return None
    found = call_cancellable(lambda: find(open_store(spec.s3), accession_of(spec), spec.profile), cancellation)
    if found is not None:
        log(f"it stands in the bucket: {found.remote}, digest {found.provenance.digest}")
    return found


def find(store: SharedStore, name: Accession, profile: str) -> Published | None:
    """What stands under the key of a run, if it is of the profile; None if nothing does, or an empty object."""
    there = store.find(name)
    if there is None or there.size == 0:
        return None
    identity = store.identify(name, there)
    if identity is None or identity.profile != profile:
        raise conflict_error(store.url(name), identity, name, profile)
    provenance, trust = store.provenance_and_trust(name, identity)
    return Published("", there.size, provenance, store.url(name), trust)


def upload(sealed: Path, published: Published, spec: JobSpec, log: Log, cancellation: Cancellation) -> Published:
    """See that a signature that the local store has stands in the bucket too; StoreError says why it does not."""
    if spec.s3 is None or spec.s3.unsigned:
        return published
    name, provenance = accession_of(spec), published.provenance
    store = call_cancellable(lambda: open_store(spec.s3), cancellation)
    outcome = call_cancellable(lambda: store.publish(sealed, provenance, name, replace=spec.force), cancellation)
    log(f"{store.url(name)}: {outcome}")
    return replace(published, remote=store.url(name))


def digest_in_bucket(spec: JobSpec, cancellation: Cancellation) -> str | None:
    """The digest of what stands in the bucket for a job, by reading all of it.

    None if nothing stands there, or there is no bucket; '' if what stands there is no signature of that run.
    """
    if spec.s3 is None:
        return None
    name = accession_of(spec)

    def read() -> str | None:
        store = open_store(spec.s3)
        there = store.find(name)
        if there is None:
            return None
        identity = store.identify_by_content(name, there)
        return identity.digest if identity else ""

    return call_cancellable(read, cancellation)


def open_store(target: S3Target | None) -> SharedStore:
    """The bucket; credentials are looked for anew."""
    from wort_cli.stores.s3 import S3Store

    if target is None:
        raise JobFailed(Reason.STORAGE_DENIED, "there is no bucket")
    return SharedStore(S3Store(target))


def accession_of(spec: JobSpec) -> Accession:
    """The run that a job is of; a local file's signature is never published."""
    return Accession.parse(spec.source.name)


def call_cancellable(call: Callable[[], T], cancellation: Cancellation) -> T:
    """What `call` returns or raises; Cancelled at once if the job is.  Then nobody waits for the call any more."""
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
