"""PortableSpec: all that a worker on another host must know about a job.

It names no path: the worker has its own workspace, archives, limits and credentials (`spec_on`).  What the signature
depends on comes from the coordinator, so that it is the same on each host.  Specs are read strictly, because every
process with access to the queue can send one.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from wort_cli.errors import WortError
from wort_cli.model.accession import Accession, AssemblyAccession, parse_name
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job import Job, JobKind, JobState, Source
from wort_cli.model.lease import DAEMON
from wort_cli.model.profile import Profile, profile_name
from wort_cli.model.provenance import Recorded, Trust
from wort_cli.model.s3_target import S3Target
from wort_cli.model.verdict import Depth
from wort_cli.pipeline.job_spec import JobSpec, Subject
from wort_cli.setting_fields import DOWNLOADS, ENGINES, QUALITIES
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore
from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.private_files import make_private

MAX_CONTENT = 8_000_000
"""Bytes of a signature that is sent through the queue."""
STORE = "store"
"""The directory of a workspace in which the worker puts the signature, until it is sent."""
SUBJECT = "subject.sig"
"""The file of a workspace that is verified."""


@dataclass(frozen=True)
class PortableSubject:
    """The signature that a job verifies: its bytes in base64, and what was recorded of it."""

    content: str
    digest: str
    sha256: str
    depth: str
    in_store: bool
    """Whether it is the signature of the store; else one that was submitted."""


@dataclass(frozen=True)
class PortableSpec:
    """A job as a worker on another host is given it."""

    job_id: int
    attempt: int
    name: str
    profile: str
    engine: str
    """Empty for the worker's own."""
    priority: int
    quality: str
    download: str
    force: bool
    upload: bool
    accept_unproved: bool
    publish_unproved: bool
    definition: Mapping[str, Any] | None = None
    s3: Mapping[str, Any] | None = None
    public: Mapping[str, Any] | None = None
    recorded: Mapping[str, Any] | None = None
    subject: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, job: Job, settings: Settings) -> Self:
        """Return the portable spec of a job.  Raises JobFailed if it needs files of this host."""
        if job.source.location or not isinstance(job.source.name, Accession | AssemblyAccession):
            raise JobFailed(Reason.LOCAL_FILES, f"{job.source} is on the coordinator's host")
        spec = JobSpec.of(job, settings, jobs=1)
        subject = None
        if spec.subject is not None:
            content = read_small(spec.subject.path)
            subject = {
                "content": base64.b64encode(content).decode(),
                "digest": spec.subject.digest,
                "sha256": spec.subject.sha256,
                "depth": str(spec.subject.depth),
                "in_store": spec.subject.path == LocalStore(spec.store, job.profile).path(job.source.name),
            }
        recorded = job.recorded
        return cls(
            job_id=job.id,
            attempt=job.attempt,
            name=str(job.source.name),
            profile=job.profile,
            engine=job.engine,
            priority=job.priority,
            quality=settings.quality,
            download=settings.download,
            force=job.force,
            upload=job.upload,
            accept_unproved=spec.download.accept_unproved,
            publish_unproved=settings.publish_unproved,
            definition=job.definition.to_json() if job.definition else None,
            s3=settings.s3.to_json() if spec.s3 and settings.s3 else None,
            public=spec.public.to_json() if spec.public else None,
            recorded={"digest": recorded.digest, "trust": str(recorded.trust), "sha256": recorded.sha256}
            if recorded
            else None,
            subject=subject,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON-ready data."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Return the spec from the data of `to_json`.  Raises ValueError, with the first fault, if it is invalid."""
        if not isinstance(data, dict) or set(data) != {item.name for item in fields(cls)}:
            raise ValueError("it does not have exactly the keys of a job")
        for item in fields(cls):
            value, optional = data[item.name], item.default is None
            wanted = dict if optional else KINDS[item.type]
            if type(value) is not wanted and not (optional and value is None):
                raise ValueError(f"{item.name} is not of the type {wanted.__name__}")
        if data["job_id"] < 1 or data["attempt"] < 1 or not -1000 <= data["priority"] <= 1000:
            raise ValueError("jobs and attempts are counted from 1, and priorities are from -1000 to 1000")
        for key, known in (("engine", ("", *ENGINES)), ("quality", QUALITIES), ("download", DOWNLOADS)):
            if data[key] not in known:
                raise ValueError(f"{key} is none of {', '.join(filter(None, known))}")
        made = cls(**data)
        made.check()
        return made

    def check(self) -> None:
        """Raise ValueError if a value cannot be used."""
        try:
            self.job()
            self.targets()
            if self.subject is not None:
                self.subject_content()
        except (KeyError, TypeError, AttributeError, WortError, binascii.Error) as error:
            raise ValueError(f"a value is invalid: {error!r}"[:300]) from None

    def targets(self) -> tuple[S3Target | None, S3Target | None]:
        """Return the bucket and the public signatures."""
        s3 = S3Target.from_json(self.s3).of_profile(self.profile) if self.s3 else None
        return s3, S3Target.from_json(self.public) if self.public else None

    def subject_content(self) -> tuple[PortableSubject, bytes]:
        """Return the subject of a verification, and its bytes."""
        subject = PortableSubject(**(self.subject or {}))
        Depth(subject.depth)
        if any(type(value) is not str for value in (subject.digest, subject.sha256)):
            raise ValueError("the digest of what is verified is not a text")
        return subject, decoded_content(subject.content)

    def job(self) -> Job:
        """Return the job, with what a worker needs of it."""
        name = parse_name(self.name)
        if not isinstance(name, Accession | AssemblyAccession):
            raise ValueError("the name is not an accession")
        recorded = self.recorded
        return Job(
            id=self.job_id,
            source=Source(name),
            profile=profile_name(self.profile),
            state=JobState.RUNNING,
            reason=None,
            message="",
            priority=self.priority,
            groups=(),
            force=self.force,
            engine=self.engine,
            upload=self.upload,
            attempt=self.attempt,
            owner=DAEMON,
            lease_until=None,
            wait_until=None,
            created_at=0.0,
            started_at=None,
            ended_at=None,
            kind=JobKind.VERIFY if self.subject else JobKind.COMPUTE,
            recorded=Recorded(str(recorded["digest"]), Trust(recorded["trust"]), str(recorded["sha256"]))
            if recorded
            else None,
            accept_unproved=self.accept_unproved,
            definition=Profile.from_json(self.profile, self.definition) if self.definition else None,
        )


KINDS: Mapping[Any, type] = {int: int, str: str, bool: bool}


def spec_on(portable: PortableSpec, settings: Settings, jobs: int) -> JobSpec:
    """Return the spec of a job for a worker with these settings, when `jobs` jobs run at a time.

    Its signature goes into a store in the workspace.  Raises OSError if what is verified cannot be written there.
    """
    settings = replace(
        settings,
        quality=portable.quality,
        download=portable.download,
        accept_unproved=portable.accept_unproved,
        publish_unproved=portable.publish_unproved,
    )
    spec = JobSpec.of(portable.job(), settings, jobs=jobs)
    own = settings.s3
    s3, public = portable.targets()
    if s3 is not None and s3.directory is not None and (own is None or own.directory != s3.directory):
        denied = f"the coordinator's store is the directory {s3.directory}, which the settings of this host do not name"
        raise JobFailed(Reason.STORAGE_DENIED, f"{denied} (s3_bucket)")
    spec = replace(spec, store=spec.workspace / STORE, s3=s3, public=public, confirm=True)
    if portable.subject is None:
        return spec
    subject, content = portable.subject_content()
    stored = LocalStore(spec.store, portable.profile).path(spec.source.name)
    path = stored if subject.in_store else spec.workspace / SUBJECT
    make_private(path.parent)
    write_atomically(path, content)
    return replace(spec, subject=Subject(path, subject.digest, Depth(subject.depth), subject.sha256))


def read_small(path: Path) -> bytes:
    """Return the bytes of a signature that is sent through the queue.  Raises JobFailed if it is too large, OSError."""
    size = path.stat().st_size
    if size > MAX_CONTENT:
        limit = f"the queue carries signatures of at most {MAX_CONTENT:,} bytes"
        raise JobFailed(Reason.QUEUE_LIMIT, f"{path.name} has {size:,} bytes, and {limit}")
    return path.read_bytes()


def decoded_content(text: str) -> bytes:
    """Return the bytes of a signature that came through the queue.  Raises ValueError if it cannot be one."""
    if len(text) > MAX_CONTENT * 4 // 3 + 4:
        raise ValueError(f"it has more than {MAX_CONTENT:,} bytes")
    return base64.b64decode(text, validate=True)
