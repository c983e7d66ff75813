"""JobSpec: all that a worker must know about a job.

The interface of a worker is `run_job(spec, watcher) -> result` (run.py).  Spec and result are sent through a queue as
JSON, so a worker may run on another host.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol, Self

from wort_cli.model.accession import parse_name
from wort_cli.model.job import Job, Progress, Source
from wort_cli.model.lease import DAEMON
from wort_cli.model.profile import Profile, profile_named
from wort_cli.model.provenance import Recorded, Trust
from wort_cli.model.s3_target import S3Target
from wort_cli.model.verdict import Depth
from wort_cli.reading.limits import ReadLimits
from wort_cli.settings import Settings
from wort_cli.system.cancellation import Cancellation


@dataclass(frozen=True)
class Subject:
    """The signature that a job verifies: its file, what was recorded of it, and the depth of the verification."""

    path: Path
    digest: str
    depth: Depth
    sha256: str = ""
    """The sha256 of the file; empty if an earlier version recorded the signature."""


@dataclass(frozen=True)
class FromSettings:
    """A group of settings that a worker needs; each field has the name of its setting."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the group with the values of these settings."""
        return cls(**{each.name: getattr(settings, each.name) for each in fields(cls)})


@dataclass(frozen=True)
class Method(FromSettings):
    """Settings of the computation that do not change the signature."""

    engine: str
    decoder: str
    slice_bases: int
    """The minimum number of bases in a slice."""
    vdb_library: str = ""
    """The file of libncbi-vdb; empty for the one that the linker finds."""

    @property
    def decodes_in_process(self) -> bool:
        """Whether archives are decoded in process where that is possible."""
        return (self.decoder, self.engine) == ("auto", "kernel")


@dataclass(frozen=True)
class TimeLimits(FromSettings):
    """Seconds that each step may take."""

    resolve_timeout: float
    stall_timeout: float
    slice_timeout: float = 21_600.0


@dataclass(frozen=True)
class Reserves(FromSettings):
    """The disk and memory that a run must leave free, and the assumption from which its need is estimated."""

    disk_reserve: int = 0
    """Bytes to leave free on each disk; 0 for a share of the disk."""
    memory_reserve: int = 0
    """Bytes of memory to leave free."""
    distinct_share: float = 0.5
    """The share of a run's k-mers that is assumed to be distinct."""


@dataclass(frozen=True)
class RequestRate(FromSettings):
    """The rate limit of requests to NCBI and ENA."""

    rates_dir: Path | None = None
    """The directory in which all processes count their requests (system/rate_limit.py); None for no limit."""
    request_interval: float = 0.0
    request_pause: float = 0.0


@dataclass(frozen=True)
class Download(FromSettings):
    """Settings of the fetch of an archive that is not on disk."""

    download: str = "columns"
    quality: str = "prefer-normalized"
    locator_url: str = "off"
    genomes_url: str = "off"
    mirrors: tuple[str, ...] = ()
    prefer_mirrors: bool = False
    connections: int = 4
    accept_unproved: bool = False
    """Read archives on disk that nothing proves."""
    publish_unproved: bool = False


@dataclass(frozen=True)
class Cache(FromSettings):
    """Where fetched archives are kept for later jobs."""

    archive_cache_dir: Path | None = None
    """None to keep none."""
    cache_bytes: int = 0


@dataclass(frozen=True)
class Keeping(FromSettings):
    """Settings of the work that a task which is asked to end leaves in the store for the next one (unfinished.py)."""

    keep_slices: bool = False
    keep_slices_key: str = ""
    """The file of the key that seals it; empty for the key of the home."""
    keep_slices_bytes: int = 0
    keep_slices_seconds: float = 20.0


@dataclass(frozen=True)
class References(FromSettings):
    """Where the reference sequences of aligned runs are kept for all jobs."""

    references_dir: Path | None = None
    """None for a directory of the job alone."""
    reference_bytes: int = 0
    """Bytes above which those that no job uses are removed."""


@dataclass(frozen=True)
class Slot:
    """The slots of jobs that use the processor (system/slots.py): those whose archive is proved and sketched."""

    directory: Path
    number: int
    """The number of slots when the job starts."""
    place: str
    """The place of the job among those that wait for a slot: by priority, then by age."""

    @classmethod
    def of(cls, job: Job, settings: Settings, number: int) -> "Slot":
        """Return the slot that a job of the daemon needs."""
        return cls(settings.slots_dir, number, f"{2**32 - job.priority:010d}-{job.id:012d}-{job.attempt}")


@dataclass(frozen=True)
class Other:
    """Another job for the same source, whose signature is sealed in the same pass; its own attempt publishes it."""

    profile: Profile
    workspace: Path

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        profile = {"name": self.profile.name, "definition": self.profile.to_json()}
        return {"profile": profile, "workspace": str(self.workspace)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return it from the data of `to_json`."""
        found = data["profile"]
        return cls(Profile.from_json(found["name"], found["definition"]), Path(data["workspace"]))


@dataclass(frozen=True)
class JobSpec:
    """A job as a worker sees it."""

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
    """Directories that are searched for archives first."""
    threads: int
    method: Method
    time_limits: TimeLimits
    reserves: Reserves = Reserves()
    request_rate: RequestRate = RequestRate()
    download: Download = Download()
    cache: Cache = Cache()
    references: References = References()
    keeping: Keeping = Keeping()
    owner: str = DAEMON
    """The owner of the job: the daemon, or a process run with --now."""
    slot: Slot | None = None
    """The slot that the job needs to use the processor; None if it may do so at once."""
    force: bool = False
    """Compute a signature that the bucket already has, and replace one that differs."""
    s3: S3Target | None = None
    """The bucket in which the signature is looked up and published; None for no bucket."""
    public: S3Target | None = None
    """The public signatures, of which the job takes one in place of computing it; None to compute it."""
    subject: Subject | None = None
    """The signature to verify; None to compute one."""
    key_file: Path | None = None
    """The key of the home, with which the workspace's files are sealed; None for no key."""
    recorded: Recorded | None = None
    """The recorded signature of this name and profile, which a lesser one must not replace; None if there is none."""
    reading: ReadLimits = field(default_factory=ReadLimits)
    """The limits within which a signature of others is read."""
    definition: Profile | None = None
    """The profile, if it is not built in."""
    others: tuple[Other, ...] = ()
    """Other jobs that are sketched in the same pass."""
    confirm: bool = False
    """Whether the worker asks whether its attempt is still the current one before it publishes the signature."""

    @property
    def parameters(self) -> Profile:
        """The profile.  Raises UsageError if it is neither built in nor defined in the spec."""
        return self.definition or profile_named(self.profile)

    @classmethod
    def of(cls, job: Job, settings: Settings, *, jobs: int) -> "JobSpec":
        """Return the spec of a job under these settings, when `jobs` jobs run at a time."""
        method, download = Method.of(settings), Download.of(settings)
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
            download=replace(download, accept_unproved=job.accept_unproved or download.accept_unproved),
            cache=Cache.of(settings),
            references=References.of(settings),
            keeping=Keeping.of(settings),
            owner=job.owner,
            key_file=settings.key_file,
            slot=Slot.of(job, settings, jobs) if job.owner == DAEMON else None,
            force=job.force,
            s3=settings.s3.of_profile(job.profile) if settings.s3 and job.upload and not job.source.is_local else None,
            public=settings.public if job.accept_public and not (job.subject or job.source.is_local) else None,
            subject=Subject(settings.store_dir / job.subject, job.subject_digest, Depth(job.depth), job.subject_sha256)
            if job.subject
            else None,
            recorded=job.recorded,
            reading=ReadLimits.of(settings),
            definition=job.definition,
            others=tuple(Other(profile, settings.workspace(number)) for number, profile in job.others),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON-ready data."""
        data = asdict(self)
        data["source"] = {"name": self.source.name, "location": self.source.location}
        data.update({key: str(data[key]) for key in ("workspace", "store", "log")})
        data["archives"] = [str(path) for path in self.archives]
        rates_dir = self.request_rate.rates_dir
        data["request_rate"]["rates_dir"] = str(rates_dir) if rates_dir else None
        references_dir = self.references.references_dir
        data["references"]["references_dir"] = str(references_dir) if references_dir else None
        if self.slot is not None:
            data["slot"]["directory"] = str(self.slot.directory)
        cache_dir = self.cache.archive_cache_dir
        data["cache"]["archive_cache_dir"] = str(cache_dir) if cache_dir else None
        data["s3"] = self.s3.to_json() if self.s3 else None
        data["public"] = self.public.to_json() if self.public else None
        data["others"] = [other.to_json() for other in self.others]
        data["definition"] = self.definition.to_json() if self.definition else None
        data["key_file"] = str(self.key_file) if self.key_file else None
        if self.subject is not None:
            data["subject"]["path"] = str(self.subject.path)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "JobSpec":
        """Return the spec from the data of `to_json`; everything is checked, because it comes from another process."""
        values = dict(data)
        values["source"] = Source.at(parse_name(data["source"]["name"]), data["source"]["location"])
        values.update({key: Path(data[key]) for key in ("workspace", "store", "log")})
        values["archives"] = tuple(Path(path) for path in data["archives"])
        values["method"] = Method(**data["method"])
        values["time_limits"] = TimeLimits(**data["time_limits"])
        values["reserves"] = Reserves(**data["reserves"])
        rate = data["request_rate"]
        values["request_rate"] = RequestRate(**{**rate, "rates_dir": rate["rates_dir"] and Path(rate["rates_dir"])})
        values["download"] = Download(**{**data["download"], "mirrors": tuple(data["download"]["mirrors"])})
        kept = data["references"]
        values["references"] = References(
            **{**kept, "references_dir": kept["references_dir"] and Path(kept["references_dir"])}
        )
        if slot := data["slot"]:
            values["slot"] = Slot(Path(slot["directory"]), slot["number"], slot["place"])
        cache = data["cache"]
        values["cache"] = Cache(
            **{**cache, "archive_cache_dir": cache["archive_cache_dir"] and Path(cache["archive_cache_dir"])}
        )
        values["keeping"] = Keeping(**data.get("keeping", {}))
        values["key_file"] = data["key_file"] and Path(data["key_file"])
        values["s3"] = S3Target.from_json(data["s3"]) if data["s3"] else None
        values["public"] = S3Target.from_json(data["public"]) if data.get("public") else None
        if subject := data["subject"]:
            values["subject"] = Subject(**{**subject, "path": Path(subject["path"]), "depth": Depth(subject["depth"])})
        if recorded := data.get("recorded"):
            values["recorded"] = Recorded(**{**recorded, "trust": Trust(recorded["trust"])})
        values["reading"] = ReadLimits(**data.get("reading", {}))
        values["others"] = tuple(map(Other.from_json, data.get("others", ())))
        if definition := data.get("definition"):
            values["definition"] = Profile.from_json(data["profile"], definition)
        return cls(**values)


class Watcher(Protocol):
    """Receives the progress of an attempt, and can cancel it."""

    @property
    def cancellation(self) -> Cancellation:
        """The token of this attempt; the attempt checks it at least every half second."""

    def report(self, progress: Progress) -> None:
        """Record the progress of the attempt.  Must be cheap, because it is called often."""
