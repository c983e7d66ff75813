"""Why a job did not end in a signature: stable reasons, each with a sentence, a hint and what becomes of the job."""

from dataclasses import dataclass
from enum import StrEnum


class Disposition(StrEnum):
    """What a reason does to a job."""

    UNAVAILABLE = "unavailable"
    """For good: the source has no signature to give."""
    FAILED = "failed"
    """A person has to mend something first."""
    RETRY = "retry"
    """It may pass: wait, then try again, a bounded number of times."""
    NOTE = "note"
    """The job is done; the reason explains something about its signature."""


class Reason(StrEnum):
    """The reasons, as they stand in the ledger, in tables and in `--reason`."""

    NOT_FOUND = "not-found"
    CONTROLLED = "controlled"
    WITHDRAWN = "withdrawn"
    NO_DATA = "no-data"
    NOT_PUBLISHED = "not-published"
    LOCATOR_REFUSED = "locator-refused"
    NO_READS = "no-reads"
    READS_SHORTER_THAN_K = "reads-shorter-than-k"
    FEW_KMERS = "few-kmers"
    INCOMPLETE = "incomplete"
    CORRUPT = "corrupt"
    NOT_AN_ARCHIVE = "not-an-archive"
    NETWORK = "network"
    RATE_LIMITED = "rate-limited"
    DISK_LOW = "disk-low"
    DISK_ERROR = "disk-error"
    MEMORY = "memory"
    TOOL_MISSING = "tool-missing"
    TOOL_CRASH = "tool-crash"
    STORAGE_DENIED = "storage-denied"
    STORAGE_DOWN = "storage-down"
    PARAMS_MISMATCH = "params-mismatch"
    CONFLICT = "conflict"
    INTERRUPTED = "interrupted"
    SET_ASIDE = "set-aside"
    TIMEOUT = "timeout"

    @property
    def disposition(self) -> Disposition:
        """What becomes of a job that meets this reason."""
        return TABLE[self][0]

    @property
    def sentence(self) -> str:
        """The reason in one sentence, without capital or full stop."""
        return TABLE[self][1]

    @property
    def hint(self) -> str:
        """What a person can do about it."""
        return TABLE[self][2]


TABLE: dict[Reason, tuple[Disposition, str, str]] = {
    Reason.NOT_FOUND: (
        Disposition.UNAVAILABLE,
        "the archive does not know this run",
        "check the accession; if the SRA configuration allows no network, lay the archive into its repository",
    ),
    Reason.CONTROLLED: (
        Disposition.UNAVAILABLE,
        "access to this run is controlled",
        "it needs a dbGaP permission, which wort does not use",
    ),
    Reason.WITHDRAWN: (
        Disposition.UNAVAILABLE,
        "the run was withdrawn by its submitters",
        "look the run up at NCBI; `wort retry` tries again",
    ),
    Reason.NO_DATA: (
        Disposition.RETRY,
        "NCBI knows the run, but there is no archive of it that can be fetched",
        "new runs get their archive days after their accession; wort looks again automatically",
    ),
    Reason.NOT_PUBLISHED: (
        Disposition.RETRY,
        "the run is not published yet",
        "wort looks again automatically, days apart",
    ),
    Reason.LOCATOR_REFUSED: (
        Disposition.RETRY,
        "NCBI's data locator refuses the request",
        "look at the message in `wort logs`; on a cloud machine check its metadata service, else update wort; "
        "the setting `mirrors` names places that need no locator",
    ),
    Reason.NO_READS: (
        Disposition.UNAVAILABLE,
        "not one read of the run passes the read filter",
        "there is nothing to sketch; `wort logs` shows what was read and written",
    ),
    Reason.READS_SHORTER_THAN_K: (
        Disposition.NOTE,
        "every read is shorter than k, so the sketch is empty",
        "use a sketch with a smaller k",
    ),
    Reason.FEW_KMERS: (
        Disposition.NOTE,
        "no k-mer hashes below the threshold, so the sketch is empty",
        "the run has too few different k-mers for this scaled",
    ),
    Reason.INCOMPLETE: (
        Disposition.RETRY,
        "the reads are not all there",
        "fetch the archive anew (`prefetch`), then `wort retry`",
    ),
    Reason.CORRUPT: (
        Disposition.FAILED,
        "the archive does not match its own checksums",
        "fetch the archive anew (`prefetch`), then `wort retry`",
    ),
    Reason.NOT_AN_ARCHIVE: (
        Disposition.FAILED,
        "the file is not an SRA archive",
        "`vdb-validate FILE` shows what the SRA toolkit makes of it",
    ),
    Reason.NETWORK: (
        Disposition.RETRY,
        "the archive's servers can't be reached",
        "check the network and `vdb-config`; it is tried again by itself",
    ),
    Reason.RATE_LIMITED: (
        Disposition.RETRY,
        "the archive's servers ask for fewer requests",
        "it is tried again by itself; run fewer jobs at once (`wort daemon jobs N`)",
    ),
    Reason.DISK_LOW: (
        Disposition.RETRY,
        "the disk is full, or nearly so",
        "free some space, or lower the setting `disk_reserve`; it is tried again by itself, for as long as that takes",
    ),
    Reason.DISK_ERROR: (
        Disposition.RETRY,
        "a disk can't be read or written",
        "look at the disk and its mount (`dmesg`, `wort doctor`); it is tried again by itself",
    ),
    Reason.MEMORY: (
        Disposition.RETRY,
        "there is not enough memory",
        "run fewer jobs at once (`wort daemon jobs N`), or lower `distinct_share` for runs that repeat themselves; "
        "it is tried again by itself, for as long as that takes",
    ),
    Reason.TOOL_MISSING: (
        Disposition.FAILED,
        "a tool of the SRA toolkit is missing",
        "install it (Debian: `apt install sra-toolkit`), check with `wort doctor`, then `wort retry`",
    ),
    Reason.TOOL_CRASH: (
        Disposition.RETRY,
        "a tool ended in an unexpected way",
        "`wort logs` shows what it said; `wort retry` tries again",
    ),
    Reason.STORAGE_DENIED: (
        Disposition.FAILED,
        "the signature may not be written where it belongs",
        "check the permissions (`wort doctor`), then `wort retry`",
    ),
    Reason.STORAGE_DOWN: (
        Disposition.RETRY,
        "the store can't be reached",
        "it is tried again by itself; the signature is kept meanwhile",
    ),
    Reason.PARAMS_MISMATCH: (
        Disposition.FAILED,
        "what is stored was made by another recipe",
        "use --force to compute it anew",
    ),
    Reason.CONFLICT: (
        Disposition.FAILED,
        "the store has something else under this name",
        "look at both; `wort compute --force` puts the new one there and keeps the old one under replaced/",
    ),
    Reason.INTERRUPTED: (
        Disposition.RETRY,
        "the process that worked on it ended",
        "it is tried again by itself",
    ),
    Reason.SET_ASIDE: (
        Disposition.FAILED,
        "what works on it crashes each time",
        "`wort logs` shows how far it came; `wort retry` tries again, `--force --engine sourmash` goes another way",
    ),
    Reason.TIMEOUT: (
        Disposition.RETRY,
        "a step took longer than it may",
        "it is tried again by itself; the settings `slice_timeout` and `stall_timeout` allow for more",
    ),
}


@dataclass(frozen=True)
class Failure:
    """A reason with the facts of the case; `lasting` says that trying again can't help, whatever the reason's rule."""

    reason: Reason
    detail: str
    lasting: bool = False

    @property
    def disposition(self) -> Disposition:
        """The reason's rule, but a lasting failure is never tried again."""
        rule = self.reason.disposition
        return Disposition.FAILED if self.lasting and rule is Disposition.RETRY else rule


class JobFailed(Exception):
    """Raised inside the pipeline to end a job with a stored reason."""

    def __init__(self, reason: Reason, detail: str, *, lasting: bool = False) -> None:
        super().__init__(detail)
        self.failure = Failure(reason, detail, lasting)
