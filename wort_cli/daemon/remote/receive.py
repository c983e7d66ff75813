"""Checks what a worker on another host has sent, before anything of it is recorded.

A signature that came through the queue is read back, and compared with its provenance like one that was sealed here,
and is put into the local store.  One that the worker has published must be at the address that this home publishes to.
"""

import dataclasses
import hashlib
import io
import time
from dataclasses import dataclass

from wort_cli.daemon.remote.wire import Answer
from wort_cli.errors import printable, shown
from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.model.job import Job
from wort_cli.model.job_result import JobResult, Published
from wort_cli.model.profile import Profile
from wort_cli.model.provenance import Provenance, Trust
from wort_cli.model.verdict import Depth
from wort_cli.pipeline.check import failure_from_exception
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.portable_spec import decoded_content
from wort_cli.pipeline.publish import check_may_replace, publish_open
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.signatures import read_facts_of
from wort_cli.settings import Settings
from wort_cli.stores.bucket_layout import signature_key
from wort_cli.stores.local import LocalStore
from wort_cli.system.private_files import make_private

VERDICTS = (Trust.VERIFIED, Trust.MISMATCH, Trust.QUICK_CHECKED, Trust.UNVERIFIABLE)
"""The levels of trust that a verification can find."""
TRUSTS = (Trust.COMPUTED, Trust.UNPROVED, Trust.PUBLISHED, Trust.UNVERIFIED, Trust.VERIFIED)
"""The trust that a job can give a signature."""


@dataclass(frozen=True)
class Received:
    """The answer of a worker about an attempt."""

    result: JobResult
    returned: str = ""
    """Why the worker did not continue; empty if there is a result."""


def receive(data: bytes, job: Job, settings: Settings) -> Received:
    """Return what an answer says, whose signature is now in a store; a failure if anything is wrong with it."""
    try:
        answer = Answer.unpack(data)
    except ValueError as error:
        return Received(invalid_answer(job, str(error)))
    result = answer.result
    if (result.job_id, result.attempt) != (job.id, job.attempt):
        return Received(invalid_answer(job, "it is of another attempt"))
    if answer.returned:
        return Received(result, answer.returned)
    keep_log(answer, job, settings)
    try:
        check_kind(answer, job)
        if result.published is None:
            return Received(result)
        published = received_signature(answer, result.published, job, settings)
    except (JobFailed, OSError) as error:
        return Received(JobResult(job.id, job.attempt, failure=failure_from_exception(error)))
    return Received(dataclasses.replace(result, published=published))


def check_kind(answer: Answer, job: Job) -> None:
    """Raise JobFailed if a job of this kind has no such result: only a verification gives a verdict, and `verified`."""
    found, verdict, published = answer.result, answer.result.verdict, answer.result.published
    if found.failure is not None and (published, verdict) != (None, None):
        raise bad(answer, "it has a failure and a result")
    if (verdict is not None or (published is not None and published.trust is Trust.VERIFIED)) and not job.subject:
        raise bad(answer, "it is a verdict, and nothing was to be verified")
    if verdict is not None and verdict.trust not in VERDICTS:
        raise bad(answer, f"no verification ends with {verdict.trust}")
    if published is None:
        return
    if published.trust not in TRUSTS:
        raise bad(answer, f"no job gives a signature the trust {published.trust}")
    confirmed = verdict is not None and verdict.trust is Trust.VERIFIED and verdict.depth is Depth.FULL
    if job.subject and not (confirmed and published.provenance.digest == job.subject_digest):
        raise bad(answer, "it has a signature that no full verification has confirmed")


def received_signature(answer: Answer, published: Published, job: Job, settings: Settings) -> Published:
    """Return the signature as it is stored.  Raises JobFailed or OSError."""
    spec, made = JobSpec.of(job, settings, jobs=1), published.provenance
    if (made.name, made.profile) != (str(job.name), job.profile):
        raise bad(answer, f"it is of {shown(made.name)}, profile {shown(made.profile)}")
    check_facts(answer, published)
    if answer.content:
        return stored(answer, published, spec, settings)
    key = signature_key(job.name)  # type: ignore[arg-type]
    addresses = {target.url(key) for target in (spec.s3, spec.public) if target is not None}
    if published.remote not in addresses:
        raise bad(answer, f"it has neither the signature nor its address in a bucket of this home: {published.remote}")
    return dataclasses.replace(published, path="")


def check_facts(answer: Answer, published: Published) -> None:
    """Raise JobFailed if what an answer says of a signature cannot be true."""
    made, sums = published.provenance, (published.sha256, published.provenance.digest)
    if any(len(text) != 64 or not set(text) <= set("0123456789abcdef") for text in sums):
        raise bad(answer, "its checksums are invalid")
    if type(published.size) is not int or published.size < 1 or not isinstance(published.remote, str):
        raise bad(answer, "the size or the address of the signature is invalid")
    computed = published.trust in (Trust.COMPUTED, Trust.VERIFIED)
    if computed and (made.is_unproved or not made.reads or not made.sketches):
        raise bad(answer, "it was not proved, or no read was seen")


def stored(answer: Answer, published: Published, spec: JobSpec, settings: Settings) -> Published:
    """Put a signature that came with an answer into the local store."""
    made = published.provenance
    try:
        content = decoded_content(answer.content)
    except ValueError as error:
        raise bad(answer, f"the signature cannot be read: {error}") from None
    if (len(content), hashlib.sha256(content).hexdigest()) != (published.size, published.sha256):
        raise bad(answer, "the signature is not the one that was announced")
    check_content(answer, content, made, spec)
    check_may_replace(spec, made)
    store = LocalStore(settings.store_dir, made.profile)
    here = publish_open(io.BytesIO(content), published.sha256, made, store)
    trust = published.trust
    if trust not in (Trust.PUBLISHED, Trust.UNVERIFIED):
        trust = Trust.UNPROVED if made.is_unproved else Trust.COMPUTED
    return dataclasses.replace(here, trust=trust, remote="")


def check_content(answer: Answer, content: bytes, made: Provenance, spec: JobSpec) -> None:
    """Raise JobFailed if a signature is not the one of which the provenance tells: digest, name, profile and counts."""
    profile: Profile = spec.parameters
    try:
        facts = read_facts_of(content, spec.reading, profile)
    except Refusal as refusal:
        raise bad(answer, f"it is not a signature: {refusal.why}") from None
    found = (facts.name, facts.title, facts.profile, facts.filename, facts.digest)
    if found != (made.name, made.title, made.profile, made.filename, made.digest):
        raise bad(
            answer, f"the signature has digest {facts.digest} and name {shown(facts.name)}, not what is announced"
        )
    counted = tuple(dataclasses.replace(each, note="") for each in made.sketches)
    if counted != tuple(sketch.summary() for sketch in facts.sketches):
        raise bad(answer, "the sketches do not have the counts that are announced")


def bad(answer: Answer, why: str) -> JobFailed:
    """Return the failure of an answer that is not used."""
    return JobFailed(Reason.BAD_RESULT, f"the answer of the worker on {shown(answer.host)} was not used: {why}"[:1000])


def invalid_answer(job: Job, why: str) -> JobResult:
    """Return the result for an answer that cannot be read."""
    return JobResult(job.id, job.attempt, failure=Failure(Reason.BAD_RESULT, f"an answer cannot be read: {why}"[:500]))


def keep_log(answer: Answer, job: Job, settings: Settings) -> None:
    """Append the log that came with an answer to the log of the job, which names the host."""
    path = settings.job_log(job.id)
    make_private(path.parent)
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{now} [{job.attempt}] on the host {shown(answer.host, 200)}\n")
        for line in answer.log.splitlines():
            file.write(printable(line) + "\n")
