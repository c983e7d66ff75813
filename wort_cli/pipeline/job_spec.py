"""What a worker is given and what it gives back: JSON documents, for they cross a queue and perhaps a network.

`run_job(spec, watcher) -> result` (pipeline/run.py) is the whole of a worker's interface.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol, Self

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
class FromSettings:
    """A group of settings that a worker needs; each field bears the name of its setting."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Take the fields from the settings of the same names."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


@dataclass(frozen=True)
class Method(FromSettings):
    """What computes the sketches; the signature does not depend on it."""

    engine: str
    decoder: str
    slice_bases: int
    """The least number of bases in a slice."""


@dataclass(frozen=True)
class TimeLimits(FromSettings):
    """Seconds that each step may take."""

    resolve_timeout: float
    stall_timeout: float
    slice_timeout: float = 21_600.0


@dataclass(frozen=True)
class Reserves(FromSettings):
    """What a run must leave free, and what it is estimated to need."""

    disk_reserve: int = 0
    """Bytes of each disk that stay free; 0 for a share of the disk."""
    memory_reserve: int = 0
    """Bytes of memory that stay free."""
    distinct_share: float = 0.5
    """The share of a run's k-mers that is assumed to be distinct."""


@dataclass(frozen=True)
class RequestRate(FromSettings):
    """How often NCBI and ENA may be asked."""

    rates_dir: Path | None = None
    """Where the requests of all processes are counted (system/rate_limit.py); None for no limit."""
    request_interval: float = 0.0
    request_pause: float = 0.0


@dataclass(frozen=True)
class JobSpec:
    """A job as a worker sees it; times are seconds."""

    job_id: int
    attempt: int
    source: Source
    profile: str
    workspace: Path
    """A directory for this job alone; it need not exist."""
    store: Path
    """The root of the local store."""
    log: Path
    """The job's log file."""
    archives: tuple[Path, ...]
    """Directories that are searched for archives before anything else."""
    threads: int
    method: Method
    time_limits: TimeLimits
    reserves: Reserves = Reserves()
    request_rate: RequestRate = RequestRate()
    owner: str = DAEMON
    """Who runs the job: the daemon, or a process of its own."""
    force: bool = False
    """Compute a signature that the bucket already has, and replace one that differs."""
    s3: S3Target | None = None
    """The bucket in which the signature is looked up and published; None for neither."""
    subject: Subject | None = None
    """The signature to verify; None if one is to be computed."""

    @classmethod
    def of(cls, job: Job, settings: Settings, *, jobs: int) -> "JobSpec":
        """Return the spec of a job under these settings, when `jobs` jobs run at a time."""
        method = Method.of(settings)
        return cls(
            job_id=job.id,
            attempt=job.attempt,
            source=job.source,
            profile=job.profile,
            workspace=settings.workspace(job.id),
            store=settings.store_dir,
            log=settings.job_log(job.id),
            archives=settings.archives,
            threads=settings.threads_per_job(jobs),
            method=replace(method, engine=job.engine or method.engine),
            time_limits=TimeLimits.of(settings),
            reserves=Reserves.of(settings),
            request_rate=RequestRate.of(settings),
            owner=job.owner,
            force=job.force,
            s3=settings.s3 if job.upload and not job.source.is_local else None,
            subject=Subject(settings.store_dir / job.subject, job.subject_digest, Depth(job.depth))
            if job.subject
            else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON-ready data."""
        data = asdict(self)
        data["source"] = {"name": self.source.name, "archive": str(self.source.archive or "")}
        data.update({key: str(data[key]) for key in ("workspace", "store", "log")})
        data["archives"] = [str(path) for path in self.archives]
        rates_dir = self.request_rate.rates_dir
        data["request_rate"]["rates_dir"] = str(rates_dir) if rates_dir else None
        data["s3"] = self.s3.to_json() if self.s3 else None
        if self.subject is not None:
            data["subject"]["path"] = str(self.subject.path)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "JobSpec":
        """The inverse of `to_json`; everything is checked, because it comes from outside the process."""
        archive = data["source"]["archive"]
        values = dict(data)
        values["source"] = Source(parse_name(data["source"]["name"]), Path(archive) if archive else None)
        values.update({key: Path(data[key]) for key in ("workspace", "store", "log")})
        values["archives"] = tuple(Path(path) for path in data["archives"])
        values["method"] = Method(**data["method"])
        values["time_limits"] = TimeLimits(**data["time_limits"])
        values["reserves"] = Reserves(**data["reserves"])
        rate = data["request_rate"]
        values["request_rate"] = RequestRate(**{**rate, "rates_dir": rate["rates_dir"] and Path(rate["rates_dir"])})
        values["s3"] = S3Target.from_json(data["s3"]) if data["s3"] else None
        if subject := data["subject"]:
            values["subject"] = Subject(Path(subject["path"]), subject["digest"], Depth(subject["depth"]))
        return cls(**values)


class Watcher(Protocol):
    """What an attempt reports to, and is cancelled by."""

    @property
    def cancellation(self) -> Cancellation:
        """The token of this attempt; the attempt checks it at least every half second."""

    def report(self, progress: Progress) -> None:
        """Record the progress of the attempt; cheap, may be called often."""
