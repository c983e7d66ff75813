"""What the messages of the SRA toolkit mean: one table, a recorded message for each line.

Exit codes alone say little: 3 stands for a missing run, a busy server, a timeout and a truncated file alike, and 64 for
whatever the wrapper could not do (sra-tools, tools/driver-tool).  Earlier lines win.
"""

import re

from wort_cli.failure import Failure, Reason

LOG_PREFIX = re.compile(r"^\d{4}-\d\d-\d\dT\S+ \S+ (?=err|int|sys|warn|fatal)")
"""Time, tool and version before a message."""
LONGEST = 300

MESSAGES: tuple[tuple[str, Reason, str], ...] = (
    # (pattern, reason, an example as it was seen; the first ones are from sra-tools' issues on GitHub)
    (
        r"Access denied - object has not been published|withdrawn|has been suppressed",
        Reason.WITHDRAWN,
        "failed to resolve accession 'ERR6177051' - Access denied - object has not been published. ( 403 )",  # 597
    ),
    (
        r"query unauthorized|Access denied|please request permission",
        Reason.CONTROLLED,
        "query unauthorized while resolving query within virtual file system module - failed to resolve accession "
        "'SRR1219899' - Access denied - please request permission to access phs000710/UR in dbGaP ( 403 )",
    ),
    (
        r"\( ?429 ?\)|Too Many Requests",
        Reason.RATE_LIMITED,
        "error unexpected while resolving query - Too Many Requests ( 429 )",
    ),
    (
        r"Cannot resolve accession|\( ?404 ?\)",
        Reason.NOT_FOUND,
        "name not found while resolving query within virtual file system module - failed to resolve accession "
        "'SRR999999999' - Cannot resolve accession ( 404 )",
    ),
    (
        r"Failed to call external services|within network system module|connection busy|timeout exhausted"
        r"|cannot Get Cloud Location|transfer incomplete",
        Reason.NETWORK,
        "Failed to call external services.",
    ),
    (
        r"while resolving query .*\( ?5\d\d ?\)",  # else the last line below would say that there is no such run
        Reason.NETWORK,
        "error unexpected while resolving query within virtual file system module - failed to resolve accession "
        "'SRR000001' - Internal Server Error ( 500 )",
    ),
    (
        r"storage exhausted|No space left on device|disk quota",
        Reason.DISK_LOW,
        "storage exhausted while writing file within file system module",
    ),
    (
        r"memory exhausted|bad_alloc|Cannot allocate memory",
        Reason.MEMORY,
        "memory exhausted while allocating buffer within runtime module",
    ),
    (
        r"file corrupt|failed MD5 check|checksum|data corrupt",
        Reason.CORRUPT,
        "file corrupt while reading file within file system module - File 'md/cur' of database 'X' failed MD5 check",
    ),
    (
        r"zombie file detected|file incomplete|table of contents incomplete|table incorrect",
        Reason.INCOMPLETE,
        "zombie file detected: '/data/SRR139146.sra/md/cur'",
    ),
    (
        r"item not found .* cannot be opened as database or table",
        Reason.NOT_FOUND,
        "item not found while constructing within virtual database module - the path 'SRR000001' cannot be opened as "
        "database or table",
    ),
)


def explain(tool: str, returncode: int, stderr: str) -> Failure:
    """Why a tool failed, by what it said; tool-crash where no line of the table fits."""
    lines = [LOG_PREFIX.sub("", line).strip() for line in stderr.splitlines() if " info: " not in line]
    for pattern, reason, _ in MESSAGES:
        for line in lines:
            if re.search(pattern, line):
                return Failure(reason, f"{tool}: {line[:LONGEST]}")
    ending = f"was ended by signal {-returncode}" if returncode < 0 else f"ended with exit code {returncode}"
    last = next((line[:LONGEST] for line in reversed(lines) if line), "")
    return Failure(Reason.TOOL_CRASH, f"{tool} {ending}{': ' if last else ''}{last}")
