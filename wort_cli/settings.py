"""Settings: a flag of a command overrides an environment variable, which overrides config.toml, then the default.

Every setting is one field of `Settings` with its description; `wort config show` and docs/commands.md are made from
them.  `WORT_HOME` moves all of wort's files below one directory.  The checks of values are in `setting_types`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from wort_cli.errors import NotPrivate, SettingsError, StorageProblem
from wort_cli.model import s3_target
from wort_cli.model.home_paths import HomePaths
from wort_cli.model.profile import SRA_V1, Profile, profile_name
from wort_cli.model.s3_target import ACLS, ADDRESSING, ENCRYPTIONS, S3Target
from wort_cli.setting_types import (
    boolean,
    count,
    count_or_zero,
    directories,
    file_path,
    fraction,
    integer_or_zero,
    key_name,
    listen_address,
    one_of,
    positive_integer,
    positive_number,
    profiles_in,
    region_name,
    setting,
    url_or_off,
    url_templates,
)  # fmt: skip
from wort_cli.system.config_file import PROFILES_TABLE, read_config
from wort_cli.system.machine import available_cores
from wort_cli.system.network_disks import check_answers, wait_for_answers
from wort_cli.system.private_files import make_private, not_ours

ENGINES = ("kernel", "sourmash")
DECODERS = ("auto", "fastq-dump")
DOWNLOADS = ("columns", "whole", "toolkit")
QUALITIES = ("prefer-normalized", "normalized", "lite")


@dataclass(frozen=True)
class Settings(HomePaths):
    """All settings, checked, and the paths of wort's files."""

    jobs: int = setting(0, count, "Number of jobs that are sketched at the same time.", "the number of cores")
    threads: int = setting(0, count, "Threads that sketch for one job.", "cores / `jobs`, at least 1")
    profile: str = setting(SRA_V1.name, profile_name, "Profile of new signatures.")
    engine: str = setting("kernel", one_of(*ENGINES), "Code that sketches: wort's own `kernel`, or `sourmash`.")
    decoder: str = setting(
        "auto",
        one_of(*DECODERS),
        "Decoder of archives: `fastq-dump`, or `auto`, which decodes plain archives faster, with the same result.",
    )
    vdb_library: str = setting(
        "", file_path, "File of libncbi-vdb, with which `auto` decodes; empty for the one that the linker finds."
    )
    slice_bases: int = setting(
        75_000_000,
        positive_integer,
        "Minimum number of bases in a slice. An interrupted job continues after its last finished slice.",
    )
    archives: tuple[Path, ...] = setting(
        (), directories, "Directories that are searched first for archives, such as DIR/ACC/ACC.sra or DIR/ACC.sra."
    )
    download: str = setting(
        "columns",
        one_of(*DOWNLOADS),
        "Download of a run that is not on disk: the needed `columns` of its archive, the `whole` archive, or no file: "
        "the SRA `toolkit` streams the reads, unproved.",
    )
    quality: str = setting(
        "prefer-normalized",
        one_of(*QUALITIES),
        "Format of archives that are read: only `normalized`, only `lite`, or the normalized one if there is one.",
    )
    locator_url: str = setting(
        "https://locate.ncbi.nlm.nih.gov/sdl/2/retrieve", url_or_off, "URL of NCBI's data locator; `off` disables it."
    )
    mirrors: tuple[str, ...] = setting(
        ("https://sra-pub-run-odp.s3.amazonaws.com/sra/{run}/{run}",),
        url_templates,
        "URLs at which archives are looked for after the locator's; `{run}` stands for the accession.",
    )
    prefer_mirrors: bool = setting(
        False,
        boolean,
        "Fetch from the mirrors first, and from the locator's locations only the heads of archives, which tell whether "
        "a mirror has the same archive.",
    )
    connections: int = setting(4, count, "Connections to one host at the same time, over all processes.")
    reference_bytes: int = setting(
        20_000_000_000,
        positive_integer,
        "Bytes of reference sequences of aligned runs that are kept for later jobs; the least recently used go first.",
    )
    fetch_ahead: int = setting(
        2, count_or_zero, "Number of jobs whose archives are fetched while `jobs` others are sketched; 0 for none."
    )
    cache_bytes: int = setting(
        0, integer_or_zero, "Bytes of fetched archives that are kept for later jobs of the same runs; 0 keeps none."
    )
    accept_unproved: bool = setting(
        False,
        boolean,
        "Read archives on disk that nothing proves, because neither they nor NCBI's locator have md5 sums of them; "
        "their signatures are marked `unproved`.",
    )
    publish_unproved: bool = setting(
        False, boolean, "Publish signatures of archives that were not proved, such as those that the toolkit streamed."
    )
    resolve_timeout: float = setting(60.0, positive_number, "Seconds within which a run must be located.")
    answer_timeout: float = setting(10.0, positive_number, "Seconds within which a network file system must answer.")
    stall_timeout: float = setting(
        300.0, positive_number, "Seconds without a new read after which decoding is stopped."
    )
    slice_timeout: float = setting(
        21_600.0, positive_number, "Seconds within which a slice must be decoded and sketched."
    )
    hang_timeout: float = setting(
        300.0,
        positive_number,
        "Seconds after which a worker is killed if its job does not respond, or, on top of `stall_timeout`, if its "
        "job makes no progress.",
    )
    lease: float = setting(
        60.0, positive_number, "Seconds without a heartbeat after which a worker is killed and its job is requeued."
    )
    retry_delay: float = setting(
        60.0, positive_number, "Seconds before the first retry of a failed job; doubled for each further retry."
    )
    retry_for: float = setting(
        604_800.0, positive_number, "Seconds during which a job is retried while a network or a store is unavailable."
    )
    daemon_crashes: int = setting(
        5,
        count,
        "Consecutive deaths of the daemon after which a job that ran in each without progress is tried alone, or set"
        " aside if it ran alone and memory ran out.",
    )
    request_interval: float = setting(
        0.34, positive_number, "Seconds between two requests to the same host (ENA or NCBI), over all processes."
    )
    request_pause: float = setting(
        60.0, positive_number, "Seconds without requests to a host that has asked for fewer requests."
    )
    disk_reserve: int = setting(
        0, positive_integer, "Bytes of each disk that stay free.", "5 % of the disk, at most 1 GB"
    )
    memory_reserve: int = setting(200_000_000, positive_integer, "Bytes of memory that stay free.")
    distinct_share: float = setting(
        0.5, fraction, "Share of a run's k-mers that is assumed to be distinct, to estimate the space a job needs."
    )
    max_load: float = setting(0.0, positive_number, "System load at which no further job starts.", "no limit")
    metrics_file: str = setting(
        "", file_path, "File to which metrics for Prometheus are written, such as /var/lib/node_exporter/wort.prom."
    )
    metrics_address: str = setting(
        "", listen_address, "PORT or HOST:PORT at which metrics are served; a port alone serves this machine only."
    )
    s3_bucket: str = setting(
        "", s3_target.bucket_or_directory, "Bucket or `file:///DIRECTORY` for signatures; empty for none."
    )
    s3_preset: str = setting(
        s3_target.WORT_PUBLIC,
        s3_target.preset_name,
        "Public signatures that are read where `s3_bucket` is empty: `wort-public`, the URL of a mirror, or `off`.",
    )
    s3_prefix: str = setting("", s3_target.key_prefix, "Prefix of all keys in the bucket.")
    s3_endpoint: str = setting("", s3_target.endpoint_url, "URL of the S3 server; empty for AWS.")
    s3_region: str = setting("", region_name, "Region of the bucket; empty for the region of the AWS configuration.")
    s3_addressing: str = setting(
        "auto", one_of(*ADDRESSING), "Position of the bucket's name in URLs: `path`, `virtual` (host name) or `auto`."
    )
    s3_unsigned: bool = setting(False, boolean, "Read a public bucket without credentials; nothing is published.")
    s3_timeout: float = setting(60.0, positive_number, "Seconds without a response after which a request fails.")
    s3_encryption: str = setting(
        "", one_of(*ENCRYPTIONS), "Encryption that the server uses: `AES256` or `aws:kms`; empty for the bucket's own."
    )
    s3_kms_key: str = setting("", key_name, "Key for `aws:kms`: its id, alias or ARN; empty for the default key.")
    s3_acl: str = setting("", one_of(*ACLS), "Canned ACL of what is published, such as `bucket-owner-full-control`.")
    s3_requester_pays: bool = setting(False, boolean, "Pay for requests to a bucket whose owner does not.")
    s3_transfers: int = setting(8, count, "Number of objects that `wort sync` transfers at the same time.")
    serve_reading: str = setting(
        "open",
        one_of("open", "token"),
        "Who may read through `wort serve`: everybody (`open`), or clients with a `token` that has the right `read`.",
    )
    submit_size: int = setting(256_000_000, positive_integer, "Maximum size of a submitted file, in bytes.")
    submit_unpacked: int = setting(
        1_000_000_000, positive_integer, "Maximum size of a submitted file after decompression, in bytes."
    )
    submit_memory: int = setting(
        512_000_000, positive_integer, "Bytes of memory that reading a submitted file may use."
    )
    submit_seconds: float = setting(8.0, positive_number, "Seconds that reading a submitted file may take.")
    url_timeout: float = setting(30.0, positive_number, "Seconds that a download from a URL may take in total.")
    lookup_timeout: float = setting(5.0, positive_number, "Seconds within which ENA or NCBI must answer about a run.")
    ena_url: str = setting(
        "https://www.ebi.ac.uk/ena/portal/api/filereport", url_or_off, "URL of ENA's file report; `off` disables it."
    )
    ncbi_url: str = setting(
        "https://trace.ncbi.nlm.nih.gov/Traces/sra-db-be/runinfo",
        url_or_off,
        "URL of NCBI's run info; `off` disables it.",
    )
    entrez_url: str = setting(
        "https://eutils.ncbi.nlm.nih.gov/entrez/eutils",
        url_or_off,
        "URL of NCBI's E-utilities, which list the runs of a project beside ENA; `off` disables them.",
    )
    genomes_url: str = setting(
        "https://ftp.ncbi.nlm.nih.gov/genomes", url_or_off, "URL of NCBI's assemblies; `off` disables them."
    )
    listing_hours: float = setting(24.0, positive_number, "Hours for which the list of a project's runs is used again.")
    follow_hours: float = setting(24.0, positive_number, "Hours between two looks for new runs of what is followed.")
    lookup_pause: float = setting(
        1.0, positive_number, "Seconds after which a failed request to ENA or NCBI about a project is sent again."
    )
    keep_events: int = setting(
        100, positive_integer, "Number of events that are retained of each job: the first and the newest ones."
    )
    keep_events_in_all: int = setting(
        5_000_000,
        positive_integer,
        "Number of events that are retained of all jobs; the oldest events of ended jobs are pruned first.",
    )
    keep_logs: float = setting(30.0, positive_number, "Days after which the log of an ended job is removed.")
    keep_sealed: float = setting(
        30.0, positive_number, "Days after which a signature that could not be published is removed."
    )
    backups: int = setting(3, count_or_zero, "Number of ledger backups that the daemon retains; 0 makes none.")
    backup_hours: float = setting(24.0, positive_number, "Hours between two backups of the ledger.")
    profiles: Mapping[str, Profile] = field(default_factory=dict, compare=False, repr=False)
    """The profiles that config.toml defines, by their names."""
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """The origin of each setting: `default`, the path of config.toml, or `$` and the environment variable."""

    @property
    def s3(self) -> S3Target | None:
        """The bucket to which signatures are published; None if none is set."""
        values = {key: getattr(self, f"s3_{key}") for key in s3_target.FROM_SETTINGS}
        return S3Target(**values) if self.s3_bucket else None

    @property
    def public(self) -> S3Target | None:
        """The public signatures; None if they are switched off."""
        return s3_target.public_target(self.s3_preset, self.s3_timeout)

    def threads_per_job(self, jobs: int) -> int:
        """Return the sketching threads of each job when `jobs` jobs run at a time."""
        return self.threads or max(1, available_cores() // jobs)

    @property
    def directories(self) -> tuple[Path, ...]:
        """The directories that every program needs."""
        return self.data_dir, self.state_dir, self.cache_dir, self.log_dir, self.store_dir

    def make_directories(self) -> None:
        """Create the directories, with mode 0700.  Raises StorageProblem if one cannot be created."""
        for directory in self.directories:
            try:
                make_private(directory)
            except OSError as error:
                raise StorageProblem(
                    f"cannot create {directory}: {error.strerror}", "check it with `wort doctor`, or set WORT_HOME"
                ) from error


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"WORT_{name.upper()}"


def load_usable_settings(environ: Mapping[str, str] | None = None) -> tuple[Settings, list[SettingsError]]:
    """Load the settings that can be used, and return why others cannot; those have their default.

    For commands that must work with any configuration.  Raises NotPrivate, and SettingsError for WORT_HOME.
    """
    faults: list[SettingsError] = []
    return load_settings(environ, faults.append), faults


def raise_fault(fault: SettingsError) -> None:
    """Raise an error."""
    raise fault


def load_settings(
    environ: Mapping[str, str] | None = None, refuse: Callable[[SettingsError], None] = raise_fault
) -> Settings:
    """Load the settings.

    `refuse` is called with each error of a setting that cannot be used: by default, the first is raised.
    Raises NotPrivate if others can have written the home.
    """
    environ = os.environ if environ is None else environ
    settings = default_settings(environ)
    check_answers(settings.roots)
    for path, why in not_ours(settings.roots, settings.inside):
        raise NotPrivate(path, why)
    values, origins, from_file = {}, {}, dict[str, Any]()
    try:
        from_file = read_config(settings.config_file)
    except SettingsError as fault:
        refuse(fault)
    profiles = profiles_in(from_file.pop(PROFILES_TABLE, {}), settings.config_file, refuse)
    for item in fields(Settings):
        if "parse" not in item.metadata:
            continue
        variable = variable_of(item.name)
        given = item.name in from_file
        origin, raw = (str(settings.config_file), from_file[item.name]) if given else ("default", None)
        if environ.get(variable):
            origin, raw = f"${variable}", environ[variable]
        if raw is not None:
            try:
                values[item.name] = item.metadata["parse"](raw)
            except (ValueError, TypeError, RuntimeError) as error:
                refuse(SettingsError(item.name, origin, str(error)))
                origin = "default"
        origins[item.name] = origin
    if unknown := set(from_file) - set(origins):
        refuse(SettingsError(min(unknown), str(settings.config_file), "no such setting"))
    values.setdefault("jobs", available_cores())
    wait_for_answers(values.get("answer_timeout", settings.answer_timeout))
    return replace(settings, **values, profiles=profiles, origins=origins)


def default_settings(environ: Mapping[str, str]) -> Settings:
    """Return the default settings, with directories below WORT_HOME or else in the platform's directories (XDG)."""
    home = environ.get("WORT_HOME")
    if home:
        try:
            root = Path(home).expanduser().absolute()
        except RuntimeError as error:  # there is no such user
            raise SettingsError("WORT_HOME", "$WORT_HOME", str(error)) from None
        return Settings(root, root, root, root / "config.toml")
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("wort", appauthor=False)
    return Settings(
        dirs.user_data_path, dirs.user_state_path, dirs.user_cache_path, dirs.user_config_path / "config.toml"
    )
