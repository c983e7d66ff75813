"""Errors that commands report: each has a sentence, a hint and an exit code.

Library code raises these errors and never prints or exits.  `cli.main` alone turns an error into a message on stderr
and an exit code.  The failure of a *job* is not an error of the command: it is a `wort_cli.model.failure.Failure`, and
the ledger stores its reason.
"""

import time
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """The exit codes of every command, after sysexits(3) where one fits."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    """Everything that was requested is permanently unavailable; also `daemon status` if the daemon is stopped."""
    NO_DAEMON = 4
    MISMATCH = 5
    NOT_A_SIGNATURE = 6
    TEMPORARY = 75
    INTERRUPTED = 130


def shown(text: str, limit: int = 60) -> str:
    """Return `text` for a message: quoted, control characters escaped, at most `limit` characters of it."""
    return (
        ascii(text if len(text) <= limit else text[:limit] + "…")
        if not text.isprintable() or len(text) > limit
        else f"'{text}'"
    )


def printable(text: str) -> str:
    """Return `text` with its control characters escaped, so that it cannot control a terminal or end a line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def cause_of(error: Exception) -> str:
    """Return what an error says, without the words of Python: numbers of errors and lists of arguments."""
    if (code := getattr(error, "returncode", None)) is not None:  # subprocess is not imported for its two errors
        return f"exit code {code}"
    if (seconds := getattr(error, "timeout", None)) is not None:
        return f"no answer within {seconds:g} seconds"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)


class WortError(Exception):
    """An error with a sentence for the user, a hint how to fix it, and an exit code."""

    exit_code = ExitCode.SOME_FAILED

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


class Terminated(BaseException):
    """This process received a signal to terminate.  Like KeyboardInterrupt, `except Exception` does not catch it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.at = time.monotonic()


class UsageError(WortError):
    """The arguments are invalid; nothing was changed."""

    exit_code = ExitCode.USAGE


class InvalidAccession(UsageError):
    """A text is not the accession of a run, or of something else that is expected."""

    def __init__(self, text: str, hint: str = "", what: str = "a run") -> None:
        super().__init__(
            f"{shown(text)} is not the accession of {what}",
            hint
            or "an accession is SRR, ERR or DRR and 6 to 9 digits, such as SRR139146; for an archive, give its path",
        )
        self.text = text


class InvalidName(UsageError):
    """A text cannot be the name of a signature."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{shown(text)} cannot be the name of a signature",
            "a name has at most 100 letters, digits, '.', '_' and '-', and starts with a letter or digit; "
            "`wort compute --name NAME` sets it",
        )
        self.text = text


class NoSuchFile(UsageError):
    """A given file does not exist or cannot be read."""

    def __init__(self, path: Path, why: str = "no such file") -> None:
        super().__init__(f"{shown(str(path), 200)}: {why[:1].lower()}{why[1:]}")
        self.path = path


class ProfileChanged(UsageError):
    """A profile was used with another definition, and signatures have its name."""

    def __init__(self, name: str, changes: str) -> None:
        super().__init__(
            f"the profile {shown(name)} was used, and its definition has changed since: {changes}",
            "restore its definition (`wort config edit`), and give the new one another name",
        )
        self.name = name


class SettingsError(UsageError):
    """The value of a setting is invalid; `origin` is the file or the environment variable that sets it."""

    def __init__(self, key: str, origin: str, why: str) -> None:
        super().__init__(f"setting {key!r} ({origin}): {why}", "`wort config show` lists all settings")
        self.key = key
        self.origin = origin

    @property
    def effect(self) -> str:
        """The consequence, if the command continues nevertheless."""
        return "its default is used"


class ConfigFileError(SettingsError):
    """The configuration file is not TOML."""

    def __init__(self, path: Path, why: str) -> None:
        self._explain(path, f"is not a configuration file: {why}", "`wort config edit` opens it in an editor")

    def _explain(self, path: Path, problem: str, hint: str) -> None:
        UsageError.__init__(self, f"{shown(str(path), 200)} {problem}", hint)
        self.key, self.origin = path.name, str(path)

    @property
    def effect(self) -> str:
        """The consequence, if the command continues nevertheless."""
        return "none of its settings is used"


class UnreadableConfigFile(ConfigFileError):
    """The configuration file cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        self._explain(path, f"can't be read: {why[:1].lower()}{why[1:]}", "check the file and its permissions")


class NotPrivate(WortError):
    """Another user may have written the home or the configuration."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} {why}, so wort does not use it",
            "if it is yours and its content is right, `wort doctor --repair` corrects its permissions; "
            "else set WORT_HOME to a directory of your own",
        )
        self.path = path


class NoSuchJob(UsageError):
    """The ledger has no such job or name."""

    def __init__(self, what: str, sentence: str = "", hint: str = "`wort status` lists the jobs") -> None:
        super().__init__(sentence or f"{shown(what)} is unknown", hint)
        self.what = what


class LedgerTooNew(WortError):
    """A later version of wort wrote the ledger; it is not changed."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"the ledger {path} has version {found}; this version of wort supports versions up to {known}",
            "use the newer version of wort that wrote it, or another WORT_HOME",
        )
        self.found = found
        self.known = known


class MigrationFailed(WortError):
    """A ledger could not be upgraded; it is not changed."""

    def __init__(self, path: Path, found: int, wanted: int, copy: Path, detail: str) -> None:
        super().__init__(
            f"the ledger {path} cannot be upgraded from version {found} to {wanted}: {detail}",
            f"nothing was changed; use the version of wort that wrote it, and report the error with the copy {copy}",
        )


class LedgerDamaged(WortError):
    """A file is damaged or is not a ledger; it is not changed."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(
            f"the ledger {path} cannot be read: {detail}",
            "restore a backup (`wort doctor --repair`), or move the file away to start with an empty ledger",
        )
        self.path = path


class StorageProblem(WortError):
    """A directory or disk cannot be written; trying again later may help."""

    exit_code = ExitCode.TEMPORARY


class NoAnswer(StorageProblem):
    """A path is on a network file system that does not answer."""

    def __init__(self, path: Path, kind: str, mount: str, seconds: float) -> None:
        super().__init__(
            f"{shown(str(path), 200)} does not answer within {seconds:g} s: "
            f"it is on the file system {shown(mount, 200)} ({shown(kind)})",
            "check the mount and its server; the setting `answer_timeout` allows for a slow one",
        )
        self.path = path


class DaemonNotRunning(WortError):
    """The command needs the daemon, which is not running."""

    exit_code = ExitCode.NO_DAEMON

    def __init__(self, what: str = "no daemon is running", hint: str = "") -> None:
        super().__init__(what, hint or "start it with `wort daemon start`, or compute in this process with `--now`")


class DaemonAlreadyRunning(WortError):
    """The daemon of this home is already running."""

    exit_code = ExitCode.OK

    def __init__(self, pid: int, where: str = "") -> None:
        super().__init__(f"the daemon is already running (process {pid}{f' {where}' if where else ''})")
        self.pid = pid


class DaemonElsewhere(WortError):
    """The daemon cannot be signalled from here."""

    def __init__(self, pid: int, host: str, where: str) -> None:
        super().__init__(
            f"the daemon (process {pid}) runs {where}, and cannot be controlled from here",
            f"run this command where the daemon runs: {host}",
        )


class QueueUnavailable(StorageProblem):
    """The server of the queue cannot be used."""


class LedgerReplaced(StorageProblem):
    """Another file took the place of the ledger while the daemon uses it."""

    def __init__(self, path: Path, how: str) -> None:
        super().__init__(
            f"the ledger {path} was {how} while the daemon runs, so no job starts; "
            "stop the daemon, then put the right file in place with `wort backup --restore FILE`",
        )


class HomeLost(WortError):
    """The daemon has lost its home, and ends."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "start the daemon again with `wort daemon start`")


class NotASignature(WortError):
    """A file is not a sourmash signature."""

    exit_code = ExitCode.NOT_A_SIGNATURE

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(
            f"{shown(str(path), 200)} is not a signature: {why}",
            "a signature is a JSON file written by sourmash, with or without gzip",
        )
        self.path = path


class ContentMismatch(WortError):
    """A file or an object is not the signature that the catalog records; it was not used."""

    exit_code = ExitCode.MISMATCH

    def __init__(self, where: str, hint: str) -> None:
        super().__init__(f"{shown(where, 200)} is not the recorded signature", hint)
