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
from wort_cli.profile import PROFILES, SRA_V1

ENGINES = ("kernel", "sourmash")


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


def directories(value: Any) -> tuple[Path, ...]:
    parts = value.split(os.pathsep) if isinstance(value, str) else list(value)
    return tuple(Path(part).expanduser().absolute() for part in parts if part)


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
    slice_bases: int = setting(
        75_000_000, whole_number, "bases of the slices in which a run is decoded, at the least; finished ones are kept"
    )
    archives: tuple[Path, ...] = setting(
        (), directories, "directories with archives, as DIR/ACC/ACC.sra or DIR/ACC.sra, that are looked at first"
    )
    resolve_timeout: float = setting(60.0, positive_number, "seconds in which a run must be found")
    stall_timeout: float = setting(300.0, positive_number, "seconds without a new read after which decoding is ended")
    lease: float = setting(60.0, positive_number, "seconds without a sign of life after which a job is given back")
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
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Where each setting came from: `default`, the file, or the environment's variable."""

    @property
    def ledger_file(self) -> Path:
        """The ledger."""
        return self.data_dir / "ledger.db"

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
    def log_dir(self) -> Path:
        """The daemon's log and those of jobs."""
        return self.state_dir / "logs"

    @property
    def daemon_log(self) -> Path:
        """The daemon's own log; it rotates."""
        return self.log_dir / "daemon.log"

    @property
    def work_dir(self) -> Path:
        """Workspaces of jobs."""
        return self.cache_dir / "work"

    @property
    def threads_per_job(self) -> int:
        """Threads that sketch for one job."""
        return self.threads or max(1, available_cores() // self.jobs)

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
    """The tables of config.toml, empty if there is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError("config.toml", str(path), str(error)) from None
