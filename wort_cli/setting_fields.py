"""The fields of the settings: the type, the default and the description of each.

`wort config show` and docs/commands.md are made from them.  The checks of values are in `setting_types`, and
`settings` loads them.
"""

from dataclasses import dataclass
from pathlib import Path

from wort_cli.model import s3_target
from wort_cli.model.home_paths import HomePaths
from wort_cli.model.profile import SRA_V1, profile_name
from wort_cli.model.queue_address import LOCAL, queue_url
from wort_cli.model.s3_target import ACLS, ADDRESSING, ENCRYPTIONS
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
    listen_host,
    one_of,
    port_number,
    positive_integer,
    positive_number,
    region_name,
    root_path,
    setting,
    url_or_off,
    url_templates,
)  # fmt: skip

ENGINES = ("kernel", "sourmash")
DECODERS = ("auto", "fastq-dump")
DOWNLOADS = ("columns", "whole", "toolkit")
QUALITIES = ("prefer-normalized", "normalized", "lite")


@dataclass(frozen=True)
class SettingFields(HomePaths):
    """The settings that have a value in config.toml or in the environment."""

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
    queue: str = setting(
        LOCAL,
        queue_url,
        "Queue of the jobs: `local`, for workers on this machine, or the URL of a PostgreSQL or Redis server, for "
        "workers on other hosts.",
    )
    queue_password_file: str = setting("", file_path, "File with the password for `queue`; empty if it needs none.")
    queue_key_file: str = setting(
        "", file_path, "File with a key that all hosts share, which authenticates what is sent through `queue`."
    )
    worker_lease: float = setting(
        900.0, positive_number, "Seconds without a sign of a worker on another host after which its jobs are requeued."
    )
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
    keep_slices: bool = setting(
        False,
        boolean,
        "Leave finished slices and fetched parts in the bucket when a task is asked to end, for the next task.",
    )
    keep_slices_key: str = setting(
        "", file_path, "File with the key that seals them, which is made if it is missing; empty for the home's own."
    )
    keep_slices_bytes: int = setting(2_000_000_000, positive_integer, "Bytes of a run that are left at most.")
    keep_slices_seconds: float = setting(20.0, positive_number, "Seconds within which they are left.")
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
    serve: bool = setting(False, boolean, "Start the HTTP server with the daemon, as `wort daemon start --serve` does.")
    serve_host: str = setting("127.0.0.1", listen_host, "Address at which the HTTP server listens.")
    serve_port: int = setting(8082, port_number, "Port at which the HTTP server listens; 0 for any free one.")
    serve_root_path: str = setting("", root_path, "Path below which a reverse proxy shows the HTTP server.")
    serve_read_only: bool = setting(False, boolean, "Let the HTTP server refuse every request that changes something.")
    serve_behind_proxy: bool = setting(
        False,
        boolean,
        "All connections to the HTTP server come from a reverse proxy, which encrypts and names the client.",
    )
    serve_reading: str = setting(
        "open",
        one_of("open", "token"),
        "Who may read through `wort serve`: everybody (`open`), or clients with a `token` that has the right `read`.",
    )
    serve_rate: int = setting(
        500, integer_or_zero, "Requests a second of one address to the HTTP server; 0 for any number."
    )
    serve_certificate: str = setting(
        "", file_path, "Certificate chain, in PEM, with which the HTTP server encrypts; empty for none."
    )
    serve_key: str = setting("", file_path, "Key of that certificate, in PEM.")
