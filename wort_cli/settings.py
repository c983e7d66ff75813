"""Settings: environment > config.toml > default (a command's flag comes before all), and where wort keeps its files.

Every setting is one field of `Settings` with its sentence; `wort config show` and the documentation are made of them.
`WORT_HOME` moves everything below one directory.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from wort_cli.errors import SettingsError, StorageProblem
from wort_cli.model.profile import PROFILES, SRA_V1
from wort_cli.model.s3_target import ADDRESSING, S3Target, bucket_name, endpoint_url, key_prefix

ENGINES = ("kernel", "sourmash")
DECODERS = ("auto", "fastq-dump")


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def positive_number(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not 0 < number < 1e9:
        raise ValueError("a positive number is needed")
    return number


def count(value: Any) -> int:
    if isinstance(value, float | bool) or not 1 <= int(value) <= 1024:
        raise ValueError("a whole number from 1 to 1024 is needed")
    return int(value)


def whole_number(value: Any) -> int:
    number = int(value)
    if isinstance(value, float | bool) or not 1 <= number <= 10**15:
        raise ValueError("a positive whole number is needed")
    return number


def number_or_none(value: Any) -> int:
    if isinstance(value, float | bool) or not 0 <= int(value) <= 1024:
        raise ValueError("a whole number from 0 to 1024 is needed")
    return int(value)


def share(value: Any) -> float:
    number = positive_number(value)
    if number > 1:
        raise ValueError("a number above 0 and up to 1 is needed")
    return number


def directories(value: Any) -> tuple[Path, ...]:
    parts = value.split(os.pathsep) if isinstance(value, str) else list(value)
    return tuple(Path(part).expanduser().absolute() for part in parts if part)


def file_path(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("the path of a file is needed")
    return str(Path(value).expanduser().absolute()) if value else ""


def listen_address(value: Any) -> str:
    found = re.fullmatch(r"(?:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):)?(\d{1,5})", str(value)) if str(value) else None
    if str(value) and (isinstance(value, bool) or not found or not 0 < int(found[2]) < 65536):
        raise ValueError("a port, or HOST:PORT, is needed")
    return f"{found[1] or '127.0.0.1'}:{found[2]}" if found else ""


def yes_or_no(value: Any) -> bool:
    words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in words:
        raise ValueError("it must be true or false")
    return words[value.lower()]


def region_name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]{0,60}", value):
        raise ValueError("a region such as us-east-1 is needed")
    return value


def web_address(value: Any) -> str:
    if value != "off" and not re.fullmatch(r"https?://[!-~]+", str(value)):
        raise ValueError("a URL (http:// or https://) or `off` is needed")
    return str(value)


def one_of(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return str(value)

    return parse


def setting(default: Any, parse: Callable[[Any], Any], about: str) -> Any:
    """A field that a person may set; `about` is its sentence in the documentation."""
    return field(default=default, metadata={"parse": parse, "about": about})


@dataclass(frozen=True)
class Settings:
    """All settings, checked."""

    data_dir: Path
    state_dir: Path
    cache_dir: Path
    config_file: Path
    jobs: int = setting(0, count, "jobs at a time (default: the cores there are)")
    threads: int = setting(0, count, "threads that sketch for one job (default: cores / jobs, at least 1)")
    profile: str = setting(SRA_V1.name, one_of(*PROFILES), "the recipe of signatures")
    engine: str = setting("kernel", one_of(*ENGINES), "the code that sketches: wort's own `kernel`, or `sourmash`")
    decoder: str = setting(
        "auto",
        one_of(*DECODERS),
        "what decodes archives: `fastq-dump`, or `auto`, which reads plain ones without it, to the same bytes",
    )
    slice_bases: int = setting(
        75_000_000, whole_number, "bases of the slices in which a run is decoded, at the least; finished ones are kept"
    )
    archives: tuple[Path, ...] = setting(
        (), directories, "directories with archives, as DIR/ACC/ACC.sra or DIR/ACC.sra, that are looked at first"
    )
    resolve_timeout: float = setting(60.0, positive_number, "seconds in which a run must be found")
    stall_timeout: float = setting(300.0, positive_number, "seconds without a new read after which decoding is ended")
    slice_timeout: float = setting(21_600.0, positive_number, "seconds in which a slice must be decoded and sketched")
    hang_timeout: float = setting(
        300.0,
        positive_number,
        "seconds after which a worker is killed whose job gives no sign, or, beyond `stall_timeout`, comes no further",
    )
    lease: float = setting(
        60.0, positive_number, "seconds without a sign of life after which a worker is killed and its job given back"
    )
    retry_delay: float = setting(
        60.0, positive_number, "seconds until a job is tried again whose trouble may pass; doubled each time"
    )
    retry_for: float = setting(
        604_800.0, positive_number, "seconds for which a job is tried again while a network or a store fails it"
    )
    daemon_crashes: int = setting(
        5, count, "crashes of the daemon in a row at which a job is set aside that ran in each and came no further"
    )
    request_interval: float = setting(
        0.34, positive_number, "seconds between requests to a host of the public archives, of all processes together"
    )
    request_pause: float = setting(
        60.0, positive_number, "seconds for which a host is asked nothing that said that it is asked too often"
    )
    disk_reserve: int = setting(
        0, whole_number, "bytes of a disk that are left alone (default: a twentieth of it, at most 1 GB)"
    )
    memory_reserve: int = setting(200_000_000, whole_number, "bytes of memory that are left alone")
    distinct_share: float = setting(
        0.5, share, "the share of a run's k-mers that is taken to be distinct, to estimate what it will need"
    )
    max_load: float = setting(0.0, positive_number, "load from which on no further job begins (default: any)")
    metrics_file: str = setting(
        "", file_path, "a file, such as /var/lib/node_exporter/wort.prom, to which metrics for Prometheus are written"
    )
    metrics_address: str = setting(
        "", listen_address, "PORT or HOST:PORT at which metrics are served; without HOST, to this machine only"
    )
    s3_bucket: str = setting("", bucket_name, "the bucket that signatures are published to; empty for none")
    s3_prefix: str = setting("", key_prefix, "what goes before each key in the bucket")
    s3_endpoint: str = setting("", endpoint_url, "the S3 server's address; empty for AWS")
    s3_region: str = setting("", region_name, "the bucket's region; empty for what the AWS configuration says")
    s3_addressing: str = setting(
        "auto", one_of(*ADDRESSING), "where the bucket's name goes: `path`, `virtual` (host), or `auto`"
    )
    s3_unsigned: bool = setting(False, yes_or_no, "read a public bucket without credentials; nothing is published")
    s3_timeout: float = setting(60.0, positive_number, "seconds without an answer after which a request is given up")
    s3_transfers: int = setting(8, count, "objects that `wort sync` transfers at a time")
    submit_size: int = setting(256_000_000, whole_number, "bytes that a submitted file may have")
    submit_unpacked: int = setting(1_000_000_000, whole_number, "bytes to which a submitted file may unfold")
    submit_memory: int = setting(512_000_000, whole_number, "bytes of memory in which a submitted file must be read")
    submit_seconds: float = setting(8.0, positive_number, "seconds in which a submitted file must be read")
    url_timeout: float = setting(30.0, positive_number, "seconds in which a URL must have answered, all in all")
    lookup_timeout: float = setting(5.0, positive_number, "seconds in which an archive is asked about a run")
    ena_url: str = setting(
        "https://www.ebi.ac.uk/ena/portal/api/filereport", web_address, "ENA's file report; `off` asks it nothing"
    )
    ncbi_url: str = setting(
        "https://trace.ncbi.nlm.nih.gov/Traces/sra-db-be/runinfo", web_address, "NCBI's run info; `off` asks it nothing"
    )
    keep_events: int = setting(100, whole_number, "events that are kept of each job: its first and its newest ones")
    keep_events_in_all: int = setting(
        5_000_000, whole_number, "events that are kept of all jobs; the oldest of jobs that have ended go first"
    )
    keep_logs: float = setting(30.0, positive_number, "days for which the log of a job that has ended is kept")
    keep_sealed: float = setting(
        30.0, positive_number, "days for which a signature is kept that its bucket would not take"
    )
    backups: int = setting(3, number_or_none, "copies of the ledger that the daemon makes and keeps; 0 for none")
    backup_hours: float = setting(24.0, positive_number, "hours from one copy of the ledger to the next")
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Where each setting came from: `default`, the file, or the environment's variable."""

    @property
    def ledger_file(self) -> Path:
        """The ledger."""
        return self.data_dir / "ledger.db"

    @property
    def backup_dir(self) -> Path:
        """Where the daemon keeps copies of the ledger."""
        return self.data_dir / "backups"

    @property
    def store_dir(self) -> Path:
        """The root of the local store."""
        return self.data_dir / "signatures"

    @property
    def queue_file(self) -> Path:
        """Huey's database; holds nothing that is not also in the ledger."""
        return self.state_dir / "queue.db"

    @property
    def lock_file(self) -> Path:
        """Held locked by the daemon as long as it lives."""
        return self.state_dir / "daemon.lock"

    @property
    def health_file(self) -> Path:
        """What the daemon says of itself."""
        return self.state_dir / "health"

    @property
    def log_dir(self) -> Path:
        """The daemon's log and those of jobs."""
        return self.state_dir / "logs"

    @property
    def daemon_log(self) -> Path:
        """The daemon's own log; it rotates."""
        return self.log_dir / "daemon.log"

    @property
    def rates_dir(self) -> Path:
        """When the public archives' hosts were asked last."""
        return self.state_dir / "rates"

    @property
    def work_dir(self) -> Path:
        """Workspaces of jobs."""
        return self.cache_dir / "work"

    @property
    def s3(self) -> S3Target | None:
        """The bucket that signatures are published to, if there is one."""
        if not self.s3_bucket:
            return None
        return S3Target(
            bucket=self.s3_bucket,
            prefix=self.s3_prefix,
            endpoint=self.s3_endpoint,
            region=self.s3_region,
            addressing=self.s3_addressing,
            unsigned=self.s3_unsigned,
            timeout=self.s3_timeout,
        )

    def threads_per_job(self, jobs: int) -> int:
        """Return the sketching threads of each job when `jobs` jobs run at a time."""
        return self.threads or max(1, available_cores() // jobs)

    def workspace(self, job_id: int) -> Path:
        """The workspace of a job."""
        return self.work_dir / str(job_id)

    def job_log(self, job_id: int) -> Path:
        """What the workers told of a job."""
        return self.log_dir / "jobs" / f"{job_id // 1000:06d}" / f"{job_id}.log"

    def make_directories(self) -> None:
        """Make the directories there must be, for this user only (0700); StorageProblem if that can't be."""
        for directory in (self.data_dir, self.state_dir, self.cache_dir, self.log_dir, self.store_dir):
            try:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise StorageProblem(
                    f"{directory} can't be made: {error.strerror}", "check it with `wort doctor`, or set WORT_HOME"
                ) from error


SETTINGS = {item.name: str(item.metadata["about"]) for item in fields(Settings) if "about" in item.metadata}
"""What each setting is about, by its name."""


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this environment; SettingsError names the first one that can't be used."""
    environ = os.environ if environ is None else environ
    settings = where_files_are(environ)
    values, origins = {}, {}
    from_file = read_config(settings.config_file)
    for item in fields(Settings):
        if "parse" not in item.metadata:
            continue
        variable = f"WORT_{item.name.upper()}"
        origin, raw = "default", None
        if item.name in from_file:
            origin, raw = str(settings.config_file), from_file[item.name]
        if environ.get(variable):
            origin, raw = f"${variable}", environ[variable]
        if raw is not None:
            try:
                values[item.name] = item.metadata["parse"](raw)
            except (ValueError, TypeError, RuntimeError) as error:
                raise SettingsError(item.name, origin, str(error)) from None
        origins[item.name] = origin
    unknown = set(from_file) - set(origins)
    if unknown:
        raise SettingsError(min(unknown), str(settings.config_file), "there is no such setting")
    values.setdefault("jobs", available_cores())
    return replace(settings, **values, origins=origins)


def where_files_are(environ: Mapping[str, str]) -> Settings:
    """Settings with the directories alone: below WORT_HOME, else where the platform has such files."""
    home = environ.get("WORT_HOME")
    if home:
        try:
            root = Path(home).expanduser().absolute()
        except RuntimeError as error:  # ~nobody
            raise SettingsError("WORT_HOME", "$WORT_HOME", str(error)) from None
        return Settings(root, root, root, root / "config.toml")
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("wort", appauthor=False)
    return Settings(
        dirs.user_data_path, dirs.user_state_path, dirs.user_cache_path, dirs.user_config_path / "config.toml"
    )


def read_config(path: Path) -> dict[str, Any]:
    """The settings of config.toml, empty if there is none; `bucket` of the table `[s3]` is `s3_bucket`."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        table = found.pop("s3", {})
        if not isinstance(table, dict):
            raise ValueError("s3 is a table: [s3]")
        return {**found, **{f"s3_{key}": value for key, value in table.items()}}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError("config.toml", str(path), str(error)) from None
