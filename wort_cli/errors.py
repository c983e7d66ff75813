"""What can go wrong in front of a person: each error knows its sentence, its hint and its exit code.

Library code raises these and never prints or exits; `cli.main` is the one place that turns an error into a line
on stderr and an exit code.  What goes wrong with a *job* is not an error of the command: it is a
`wort_cli.model.failure.Failure` with a stored reason.
"""

from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """The exit codes of every command, after sysexits(3) where one fits."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    """Everything asked for is unavailable for good; `daemon status` gives it when the daemon is stopped."""
    NO_DAEMON = 4
    MISMATCH = 5
    NOT_A_SIGNATURE = 6
    TEMPORARY = 75
    INTERRUPTED = 130


def shown(text: str, limit: int = 60) -> str:
    """`text` as it may be shown in a message: quoted, control characters escaped, of bounded length."""
    return (
        ascii(text if len(text) <= limit else text[:limit] + "…")
        if not text.isprintable() or len(text) > limit
        else f"'{text}'"
    )


class WortError(Exception):
    """An error with a sentence for a person, a hint how to mend it, and an exit code."""

    exit_code = ExitCode.SOME_FAILED

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


class Terminated(BaseException):
    """Somebody ends this process by a signal; like KeyboardInterrupt, not to be caught by `except Exception`."""


class UsageError(WortError):
    """What was asked for makes no sense; nothing was changed."""

    exit_code = ExitCode.USAGE


class InvalidAccession(UsageError):
    """Text that is not the accession of a run."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(
            f"{shown(text)} is not the accession of a run",
            hint or "a run is SRR, ERR or DRR and 6 to 9 digits, such as SRR139146; an archive is given by its path",
        )
        self.text = text


class InvalidName(UsageError):
    """Text that can't name a signature."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{shown(text)} can't name a signature",
            "give one with --name: letters, digits, '.', '_' and '-', at most 100, the first one a letter or digit",
        )
        self.text = text


class NoSuchFile(UsageError):
    """A file that was named and is not there, or can't be read."""

    def __init__(self, path: Path, why: str = "there is no such file") -> None:
        super().__init__(f"{shown(str(path), 200)}: {why}")
        self.path = path


class SettingsError(UsageError):
    """A setting that can't be used; says where it came from."""

    def __init__(self, key: str, origin: str, why: str) -> None:
        super().__init__(f"setting {key!r} ({origin}): {why}", "see `wort config show` for all settings")
        self.key = key
        self.origin = origin


class NoSuchJob(UsageError):
    """A job or accession that the ledger doesn't know."""

    def __init__(self, what: str) -> None:
        super().__init__(f"nothing is known of {shown(what)}", "see `wort status` for the jobs there are")
        self.what = what


class LedgerTooNew(WortError):
    """A ledger written by a later version of wort; it is not touched."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"the ledger {path} is of version {found}, this wort knows versions up to {known}",
            "use the newer wort that wrote it, or another WORT_HOME",
        )
        self.found = found
        self.known = known


class LedgerDamaged(WortError):
    """A file that is not a ledger, or no longer one; it is not touched."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(
            f"the ledger {path} can't be read: {detail}",
            "put back a copy, or move the file away to begin with an empty ledger (signatures are kept)",
        )
        self.path = path


class StorageProblem(WortError):
    """A directory or disk that can't be written; trying again later may help."""

    exit_code = ExitCode.TEMPORARY


class DaemonNotRunning(WortError):
    """Something needs the daemon, and none is running."""

    exit_code = ExitCode.NO_DAEMON

    def __init__(self, what: str = "no daemon is running") -> None:
        super().__init__(what, "start it with `wort daemon start`, or use `--now` to compute in this process")


class DaemonAlreadyRunning(WortError):
    """There is one daemon for a home, and it is running."""

    exit_code = ExitCode.OK

    def __init__(self, pid: int) -> None:
        super().__init__(f"the daemon is running already (process {pid})")
        self.pid = pid


class NotASignature(WortError):
    """A file that is not a sourmash signature."""

    exit_code = ExitCode.NOT_A_SIGNATURE

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{shown(str(path), 200)} is not a signature: {why}", "a signature is sourmash's JSON, gzip or not"
        )
        self.path = path
