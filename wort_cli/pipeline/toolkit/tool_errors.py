"""Maps exit codes and messages of the SRA toolkit to reasons: one table, with a recorded example in each row.

Exit codes are ambiguous: 3 means a missing run, a busy server, a timeout or a truncated file, and 64 means any error of
the wrapper (sra-tools, tools/driver-tool).  Therefore most rows match the message, and some only with certain exit
codes.  The first row that matches wins, wherever in stderr its message is.
"""

import re
import signal
from collections.abc import Container
from dataclasses import dataclass

from wort_cli.model.failure import Failure, Reason

LOG_PREFIX = re.compile(r"^\d{4}-\d\d-\d\dT\S+ \S+ (?=err|int|sys|warn|fatal)")
"""The time, tool and version before a message."""
ERROR_MARKS = ("err: ", "int: ", "sys: ", "fatal: ")
"""The marks of an error line, after its prefix."""
INFO_MARK = " info: "
"""Marks a message that reports no error."""
RATE_LIMIT_LINE = re.compile(r"info: HTTP read failure: .* status=429\b")
LONGEST = 300
"""Characters of a message that are kept."""
ANY = range(-64, 256)
"""All exit codes; -9 means killed by signal 9."""
BY_SIGNAL = range(-64, 0)
BY_SIGNAL_IN_A_SHELL = range(128 + signal.SIGHUP, 128 + 65)
"""The exit codes of a shell script whose command was killed by a signal."""
NONZERO = range(1, 256)
"""Network rows require it: a tool that exits with 0 may have logged network errors that it recovered from."""


@dataclass(frozen=True)
class Meaning:
    """A row: a tool that exits with one of `codes` and whose message matches `pattern` fails for `reason`.

    `code` and `example` were recorded together; a number after an example is an sra-tools issue on GitHub.
    """

    pattern: str
    reason: Reason
    code: int
    example: str
    codes: Container[int] = ANY


MEANINGS: tuple[Meaning, ...] = (
    Meaning(
        r"memory exhausted|bad_alloc|Cannot allocate memory",
        Reason.MEMORY,
        3,
        "memory exhausted while allocating buffer within runtime module",
    ),
    # A signal explains the end of a tool, whatever it logged before.
    Meaning(r"", Reason.TOOL_CRASH, -signal.SIGKILL, "timeout exhausted, retrying", BY_SIGNAL),
    Meaning(r"", Reason.TOOL_CRASH, 128 + signal.SIGSEGV, "Segmentation fault", BY_SIGNAL_IN_A_SHELL),
    Meaning(
        r"data not found while searching function within short read archive module",
        Reason.TECHNICAL_READS,
        3,
        "data not found while searching function within short read archive module - failed /data/SRR000001.sra",
        NONZERO,
    ),
    Meaning(
        r"can't open \S+ as a RefSeq or as a WGS",
        Reason.REFERENCE_MISSING,
        3,
        "directory not found while opening manager within virtual file system module - can't open NC_000005.8 as a "
        "RefSeq or as a WGS",
        NONZERO,
    ),
    Meaning(
        r"Access denied - object has not been published|withdrawn|has been suppressed",
        Reason.WITHDRAWN,
        3,
        "failed to resolve accession 'ERR6177051' - Access denied - object has not been published. ( 403 )",  # 597
    ),
    Meaning(
        r"query unauthorized|Access denied|please request permission",
        Reason.CONTROLLED,
        3,
        "query unauthorized while resolving query within virtual file system module - failed to resolve accession "
        "'SRR1219899' - Access denied - please request permission to access phs000710/UR in dbGaP ( 403 )",
    ),
    Meaning(
        r"\( ?429 ?\)|Too Many Requests",
        Reason.RATE_LIMITED,
        3,
        "error unexpected while resolving query - Too Many Requests ( 429 )",
    ),
    Meaning(
        r"Cannot resolve accession|\( ?404 ?\)",
        Reason.NOT_FOUND,
        3,
        "name not found while resolving query within virtual file system module - failed to resolve accession "
        "'SRR999999999' - Cannot resolve accession ( 404 )",
    ),
    Meaning(
        r"Failed to call external services|cannot Get Cloud Location",
        Reason.NETWORK,
        64,
        "Failed to call external services.",
        NONZERO,
    ),
    Meaning(
        r"within network system module|connection busy|timeout exhausted|transfer incomplete|\( ?50[0234] ?\)",
        Reason.NETWORK,
        3,
        "timeout exhausted while reading file within network system module",
        NONZERO,
    ),
    Meaning(
        r"storage exhausted|No space left on device|disk quota",
        Reason.DISK_LOW,
        3,
        "storage exhausted while writing file within file system module",
    ),
    Meaning(
        r"file corrupt|failed MD5 check|checksum error|data corrupt|contains bad data",
        Reason.CORRUPT,
        3,
        "file corrupt while reading file within file system module - File 'md/cur' of database 'X' failed MD5 check",
    ),
    Meaning(
        r"binary large object corrupt",
        Reason.CORRUPT,
        3,
        "binary large object corrupt while validating binary large object within database module - Database 'flip.sra' "
        "check failed",
    ),
    Meaning(
        r"zombie file detected|file incomplete",
        Reason.INCOMPLETE,
        3,
        "zombie file detected: '/data/SRR139146.sra/md/cur'",
    ),
    Meaning(
        r"table of contents incomplete|table incorrect",
        Reason.INCOMPLETE,
        3,
        "file system table of contents incomplete while parsing archive file within file system module - './b.sra'",
    ),
    Meaning(
        r"item not found .* cannot be opened as database or table",
        Reason.NOT_FOUND,
        3,
        "item not found while constructing within virtual database module - the path 'SRR000001' cannot be opened as "
        "database or table",
        (3,),
    ),
    Meaning(
        r"directory not found while opening manager",
        Reason.NOT_FOUND,
        3,
        "directory not found while opening manager within virtual file system module - 'SRR999999'",
        (3,),
    ),
)


CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
"""The signals of a process that made an error; others come from outside."""
CRASH_LINE = re.compile(r" fatal: SIGNAL - ")
"""The line of a tool that such a signal ended; its wrapper exits with code 1 (sra-tools tools/driver-tool)."""


def is_crash(returncode: int, stderr: str) -> bool:
    """Return whether a tool ended by an error of its own, such as a segmentation fault."""
    by_signal = any(returncode in (-number, 128 + number) for number in CRASHES)
    return by_signal or (returncode != 0 and CRASH_LINE.search(stderr) is not None)


def explain(tool: str, returncode: int, stderr: str) -> Failure:
    """Return why a tool failed, from its exit code and its stderr; tool-crash if no row of the table matches."""
    lines = [LOG_PREFIX.sub("", line).strip() for line in stderr.splitlines() if INFO_MARK not in line]
    for meaning in MEANINGS:
        if returncode in meaning.codes and meaning.pattern:
            for line in lines:
                if re.search(meaning.pattern, line):
                    return Failure(meaning.reason, f"{tool}: {line[:LONGEST]}")
        elif returncode in meaning.codes:
            return Failure(meaning.reason, describe_exit(tool, returncode, lines))
    return Failure(Reason.TOOL_CRASH, describe_exit(tool, returncode, lines))


def contains_url(line: str) -> bool:
    """Return whether an info message contains a URL, which may be presigned; such lines are neither kept nor logged."""
    return INFO_MARK in line and "://" in line


def is_rate_limit_line(line: str) -> bool:
    """Return whether a message, with `-L info`, reports status 429.  If the toolkit retries, no other message does.

    For example:
    fastq-dump.3.0.3 info: HTTP read failure: URL="http://127.0.0.1/sdl/2/retrieve" status=429; tried 1/6 times for 0
    milliseconds total
    """
    return RATE_LIMIT_LINE.search(line) is not None


def describe_exit(tool: str, returncode: int, lines: list[str]) -> str:
    """Return a sentence with the exit code of a tool and its last error; its last message if it reported none.

    The wrapper of a tool writes a line after the tool's own.
    """
    ending = f"was killed by signal {-returncode}" if returncode < 0 else f"exited with code {returncode}"
    errors = [line for line in lines if line.startswith(ERROR_MARKS)]
    last = next((line[:LONGEST] for line in reversed(errors or lines) if line), "")
    return f"{tool} {ending}{': ' if last else ''}{last}"
