"""What a worker is given and what it gives back: JSON documents, for they cross a queue and perhaps a network.

`run_job(spec, watcher) -> result` (pipeline/run.py) is the whole of a worker's interface.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from wort_cli.model.accession import parse_name
from wort_cli.model.job import Job, Progress, Source
from wort_cli.model.lease import DAEMON
from wort_cli.model.s3_target import S3Target
from wort_cli.model.verdict import Depth
from wort_cli.settings import Settings
from wort_cli.system.cancellation import Cancellation


@dataclass(frozen=True)
class Subject:
    """The signature that a job verifies: its file, the digest that is recorded of it, and how it is to be verified."""

    path: Path
    digest: str
    depth: Depth


@dataclass(frozen=True)
class JobSpec:
    """A job as a worker sees it; times are seconds."""

    job_id: int
    attempt: int
    source: Source
    profile: str
    workspace: Path
    """A directory of the job's own; it need not exist."""
    store: Path
    """The root of the local store."""
    log: Path
    """Where the worker tells what it does."""
    archives: tuple[Path, ...]
    """Directories in which archives of runs are looked for first."""
    engine: str
    decoder: str
    threads: int
    slice_bases: int
    """Bases of a slice, at the least."""
    resolve_timeout: float
    stall_timeout: float
    slice_timeout: float = 21_600.0
    rates: Path | None = None
    """Where the requests to the public archives' hosts are counted (host_rate.py); None if they are not."""
    request_interval: float = 0.0
    request_pause: float = 0.0
    owner: str = DAEMON
    """Who works on it: the daemon, or a process by itself."""
    disk_reserve: int = 0
    """Bytes of a disk that are left alone; 0 for a share of it."""
    memory_reserve: int = 0
    """Bytes of memory that are left alone."""
    distinct_share: float = 0.5
    """The share of a run's k-mers that is taken to be distinct."""
    force: bool = False
    """Compute what is in the bucket already, and put it in the place of what differs."""
    s3: S3Target | None = None
    """The bucket in which the signature is looked for, and to which it is published; None for neither."""
    subject: Subject | None = None
    """What is to be verified; None if a signature is to be computed."""

    @classmethod
    def of(cls, job: Job, settings: Settings) -> "JobSpec":
        """The work that `job` is, done as `settings` say."""
        return cls(
            job_id=job.id,
            attempt=job.attempt,
            source=job.source,
            profile=job.profile,
            workspace=settings.workspace(job.id),
            store=settings.store_dir,
            log=settings.job_log(job.id),
            archives=settings.archives,
            engine=job.engine or settings.engine,
            decoder=settings.decoder,
            threads=settings.threads_per_job,
            slice_bases=settings.slice_bases,
            resolve_timeout=settings.resolve_timeout,
            stall_timeout=settings.stall_timeout,
            slice_timeout=settings.slice_timeout,
            rates=settings.rates_dir,
            request_interval=settings.request_interval,
            request_pause=settings.request_pause,
            owner=job.owner,
            disk_reserve=settings.disk_reserve,
            memory_reserve=settings.memory_reserve,
            distinct_share=settings.distinct_share,
            force=job.force,
            s3=settings.s3 if job.upload and not job.source.is_local else None,
            subject=Subject(settings.store_dir / job.subject, job.subject_digest, Depth(job.depth))
            if job.subject
            else None,
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        data = asdict(self)
        data["source"] = {"name": self.source.name, "archive": str(self.source.archive or "")}
        data.update({key: str(data[key]) for key in ("workspace", "store", "log")})
        data["archives"] = [str(path) for path in self.archives]
        data["rates"] = str(self.rates) if self.rates else None
        data["s3"] = self.s3.to_json() if self.s3 else None
        if self.subject is not None:
            data["subject"]["path"] = str(self.subject.path)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "JobSpec":
        """The inverse of `to_json`; everything is checked anew, for it comes from outside the process."""
        archive = data["source"]["archive"]
        fields = dict(data)
        fields["source"] = Source(parse_name(data["source"]["name"]), Path(archive) if archive else None)
        fields.update({key: Path(data[key]) for key in ("workspace", "store", "log")})
        fields["rates"] = Path(data["rates"]) if data["rates"] else None
        fields["archives"] = tuple(Path(path) for path in data["archives"])
        fields["s3"] = S3Target.from_json(data["s3"]) if data["s3"] else None
        if subject := data["subject"]:
            fields["subject"] = Subject(Path(subject["path"]), subject["digest"], Depth(subject["depth"]))
        return cls(**fields)


class Watcher(Protocol):
    """What an attempt reports to, and is cancelled by."""

    @property
    def cancellation(self) -> Cancellation:
        """The token of this attempt; the attempt checks it at least every half second."""

    def report(self, progress: Progress) -> None:
        """Record the progress of the attempt; cheap, may be called often."""
