"""Failures: the stable reasons why a job has no signature, each with a sentence, a hint and a disposition."""

from dataclasses import dataclass
from enum import StrEnum


class Disposition(StrEnum):
    """The consequence of a reason for its job."""

    UNAVAILABLE = "unavailable"
    """Permanent: no signature can be computed from the source."""
    FAILED = "failed"
    """A person has to fix something before the job is retried."""
    RETRY = "retry"
    """Temporary: the job waits and is retried; ledger/retry.py decides how often."""
    NOTE = "note"
    """The job is done; the reason explains something about its signature."""


class Reason(StrEnum):
    """The reasons, as the ledger stores them and `--reason` accepts them."""

    NOT_FOUND = "not-found"
    CONTROLLED = "controlled"
    WITHDRAWN = "withdrawn"
    NO_DATA = "no-data"
    NOT_PUBLISHED = "not-published"
    UNPROVABLE = "unprovable"
    LOCATOR_REFUSED = "locator-refused"
    REFERENCE_MISSING = "reference-missing"
    NO_READS = "no-reads"
    TECHNICAL_READS = "technical-reads"
    READS_SHORTER_THAN_K = "reads-shorter-than-k"
    FEW_KMERS = "few-kmers"
    INCOMPLETE = "incomplete"
    CORRUPT = "corrupt"
    NOT_AN_ARCHIVE = "not-an-archive"
    WRONG_FORMAT = "wrong-format"
    BAD_READS = "bad-reads"
    NOT_ASKED = "not-asked"
    NETWORK = "network"
    RATE_LIMITED = "rate-limited"
    DISK_LOW = "disk-low"
    DISK_ERROR = "disk-error"
    MEMORY = "memory"
    TOOL_MISSING = "tool-missing"
    TOOL_CRASH = "tool-crash"
    MACHINE_ERROR = "machine-error"
    STORAGE_DENIED = "storage-denied"
    STORAGE_CREDENTIALS = "storage-credentials"
    STORAGE_DOWN = "storage-down"
    PARAMS_MISMATCH = "params-mismatch"
    CONFLICT = "conflict"
    INTERRUPTED = "interrupted"
    SET_ASIDE = "set-aside"
    TIMEOUT = "timeout"
    LOCAL_FILES = "local-files"
    QUEUE_LIMIT = "queue-limit"
    BAD_RESULT = "bad-result"

    @property
    def disposition(self) -> Disposition:
        """The disposition of a job that fails for this reason."""
        return TABLE[self][0]

    @property
    def sentence(self) -> str:
        """The reason as a sentence, without capital letter and full stop."""
        return TABLE[self][1]

    @property
    def hint(self) -> str:
        """The next step for the user."""
        return TABLE[self][2]


TABLE: dict[Reason, tuple[Disposition, str, str]] = {
    Reason.NOT_FOUND: (
        Disposition.UNAVAILABLE,
        "neither NCBI nor this machine has it",
        "check the accession; if the SRA configuration forbids the network, put the archive into a directory of "
        "the setting `archives`",
    ),
    Reason.CONTROLLED: (
        Disposition.UNAVAILABLE,
        "access to the run is controlled",
        "the run needs a dbGaP permission, which wort does not use",
    ),
    Reason.WITHDRAWN: (
        Disposition.UNAVAILABLE,
        "it was withdrawn, or NCBI has suppressed it",
        "look it up at NCBI; if it is public again, use `wort retry`",
    ),
    Reason.NO_DATA: (
        Disposition.RETRY,
        "its data can't be fetched from NCBI yet",
        "new runs and assemblies get their files days after their accession; wort retries automatically",
    ),
    Reason.NOT_PUBLISHED: (
        Disposition.RETRY,
        "the run is not published yet",
        "wort retries automatically, days apart",
    ),
    Reason.UNPROVABLE: (
        Disposition.RETRY,
        "nothing can prove that the archive or file is undamaged",
        "neither the archive nor NCBI's locator has its md5 sums; for an archive on disk, `wort compute "
        "--accept-unproved` (setting `accept_unproved`) computes a signature that is marked as unproved",
    ),
    Reason.LOCATOR_REFUSED: (
        Disposition.RETRY,
        "the data locator of NCBI refuses the request",
        "`wort logs` shows NCBI's message; on a cloud machine, check its metadata service; otherwise update wort; "
        "mirrors (setting `mirrors`) need no locator",
    ),
    Reason.REFERENCE_MISSING: (
        Disposition.RETRY,
        "a reference sequence that the run is aligned to is missing",
        "wort retries automatically; without a network, put the reference beside the archive (`prefetch` does), or "
        "into the refseq directory of the SRA configuration",
    ),
    Reason.NO_READS: (
        Disposition.UNAVAILABLE,
        "no read of the run passes the read filter",
        "there is nothing to sketch; `wort logs` shows how many spots were read and written",
    ),
    Reason.TECHNICAL_READS: (
        Disposition.UNAVAILABLE,
        "a spot has only technical reads, and fastq-dump fails on it",
        "the recipe cannot be applied to the run; `fastq-dump` without `--clip` decodes it",
    ),
    Reason.READS_SHORTER_THAN_K: (
        Disposition.NOTE,
        "every read is shorter than k, so the sketch is empty",
        "use a sketch with a smaller k",
    ),
    Reason.FEW_KMERS: (
        Disposition.NOTE,
        "no k-mer has a hash below the threshold, so the sketch is empty",
        "the run has too few distinct k-mers for this value of scaled",
    ),
    Reason.INCOMPLETE: (
        Disposition.RETRY,
        "reads are missing",
        "fetch the archive again (`prefetch`), then use `wort retry`",
    ),
    Reason.CORRUPT: (
        Disposition.FAILED,
        "the archive or file does not match its checksums",
        "fetch the archive again (`wort fetch`), then use `wort retry`; if NCBI's own copy is damaged, report it to "
        "NCBI",
    ),
    Reason.NOT_AN_ARCHIVE: (
        Disposition.FAILED,
        "the file is not an SRA archive",
        "check the file with `vdb-validate FILE`",
    ),
    Reason.WRONG_FORMAT: (
        Disposition.FAILED,
        "the archive is in a format that the setting `quality` does not allow",
        "name another archive of the run, or change the setting `quality` (WORT_QUALITY), then use `wort retry`",
    ),
    Reason.BAD_READS: (
        Disposition.FAILED,
        "a file of reads is damaged, or is not valid FASTA or FASTQ",
        "look at the line that `wort logs` names; copy or download the file again, then use `wort retry`",
    ),
    Reason.NOT_ASKED: (
        Disposition.FAILED,
        "it is not on this machine, and the settings disable the servers that may have it",
        "enable `locator_url` or `genomes_url`, or put the archive into a directory of the setting `archives`, and a "
        "missing reference beside it; then use `wort retry`",
    ),
    Reason.NETWORK: (
        Disposition.RETRY,
        "the servers of NCBI cannot be reached",
        "check the network and the proxy variables (`https_proxy`); wort retries automatically",
    ),
    Reason.RATE_LIMITED: (
        Disposition.RETRY,
        "the servers of NCBI get too many requests",
        "wort retries automatically; if it happens often, raise the setting `request_interval`",
    ),
    Reason.DISK_LOW: (
        Disposition.RETRY,
        "the disk is full or nearly full",
        "free some space or lower the setting `disk_reserve`; wort retries automatically until there is enough space",
    ),
    Reason.DISK_ERROR: (
        Disposition.RETRY,
        "a disk cannot be read or written",
        "check the disk and its mount (`dmesg`, `wort doctor`); wort retries automatically",
    ),
    Reason.MEMORY: (
        Disposition.RETRY,
        "there is not enough memory",
        "run fewer jobs at the same time (`wort daemon jobs N`), or lower `distinct_share` if the run is repetitive; "
        "wort retries automatically until there is enough memory",
    ),
    Reason.TOOL_MISSING: (
        Disposition.FAILED,
        "a tool of the SRA toolkit is missing",
        "install it (Debian: `apt install sra-toolkit`), check with `wort doctor`, then use `wort retry`",
    ),
    Reason.TOOL_CRASH: (
        Disposition.RETRY,
        "a tool failed unexpectedly",
        "`wort logs` shows the tool's messages; `wort retry` tries again",
    ),
    Reason.MACHINE_ERROR: (
        Disposition.RETRY,
        "this machine computes wrong results",
        "test its memory and processor; meanwhile compute on another machine",
    ),
    Reason.STORAGE_DENIED: (
        Disposition.FAILED,
        "wort is not permitted to write the signature to the store",
        "check the permissions (`wort doctor`), then use `wort retry`",
    ),
    Reason.STORAGE_CREDENTIALS: (
        Disposition.RETRY,
        "the credentials for the bucket are missing or have expired",
        "renew them (for example `aws sso login`); wort retries automatically and does not compute the signature again",
    ),
    Reason.STORAGE_DOWN: (
        Disposition.RETRY,
        "the store cannot be reached",
        "wort retries automatically and does not compute the signature again",
    ),
    Reason.PARAMS_MISMATCH: (
        Disposition.FAILED,
        "the stored signature has a different profile",
        "use `wort compute --force` to compute it again",
    ),
    Reason.CONFLICT: (
        Disposition.FAILED,
        "the store has a different object under this name",
        "compare the two; `wort compute --force` publishes the new signature and moves the old object to replaced/",
    ),
    Reason.INTERRUPTED: (
        Disposition.RETRY,
        "the process that ran the job stopped",
        "wort retries automatically",
    ),
    Reason.SET_ASIDE: (
        Disposition.FAILED,
        "the worker died repeatedly while it ran the job, or memory ran out and the daemon died",
        "`wort logs` shows the progress of each attempt; `wort retry` tries again, "
        "`wort compute --force --engine sourmash` uses a different engine",
    ),
    Reason.TIMEOUT: (
        Disposition.RETRY,
        "a step took too long",
        "wort retries automatically; raise the setting `slice_timeout` or `stall_timeout` if a step needs more time",
    ),
    Reason.LOCAL_FILES: (
        Disposition.FAILED,
        "its files are on this host, and workers on other hosts cannot read them",
        "compute it here with `--now`",
    ),
    Reason.QUEUE_LIMIT: (
        Disposition.FAILED,
        "the signature is too large to be sent through the queue",
        "set a bucket (`s3_bucket`), to which workers publish, then use `wort retry`; or use `--now`",
    ),
    Reason.BAD_RESULT: (
        Disposition.RETRY,
        "a worker on another host sent an invalid result",
        "look at the host that `wort logs` names, and at `wort worker list`; wort retries automatically",
    ),
}


@dataclass(frozen=True)
class Failure:
    """A reason with details; `lasting` means that retrying cannot help, even if the reason is usually temporary."""

    reason: Reason
    detail: str
    lasting: bool = False

    @property
    def disposition(self) -> Disposition:
        """The disposition of the reason, but a lasting failure is never retried."""
        usual = self.reason.disposition
        return Disposition.FAILED if self.lasting and usual is Disposition.RETRY else usual


class JobFailed(Exception):
    """Raised in the pipeline to end an attempt with a failure, which the ledger stores."""

    def __init__(self, reason: Reason, detail: str, *, lasting: bool = False) -> None:
        super().__init__(detail)
        self.failure = Failure(reason, detail, lasting)
