"""The process that reads an untrusted file: `python -I -m wort_cli.submission.reader_process LIMITS < FILE`.

LIMITS is JSON: memory and file sizes in bytes, seconds of the processor.  They are set before anything is read.  The
answer is one JSON document on stdout, and the exit code 0: what the signature is, or what is wrong with it.  Whatever
else happens, the process ends; sandbox.py makes a sentence of that.
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

GRACE = 2
"""Seconds of the processor between the signal that can be caught and the one that can't."""


def limit(limits: dict[str, int]) -> None:
    """Have the kernel hold this process to its limits."""
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory"], limits["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"], limits["seconds"] + GRACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes to a pipe, and to nothing else


def answer(unpacked: int) -> dict[str, Any]:
    """What is on standard input."""
    from wort_cli.submission.refusal import Refusal
    from wort_cli.submission.strict import check_signature

    try:
        checked = check_signature(sys.stdin.buffer, unpacked=unpacked)
    except Refusal as refusal:
        return {"why": refusal.why, "where": refusal.where, "hint": refusal.hint}
    document = checked.document
    return {
        "profile": checked.profile.name,
        "name": document.name,
        "filename": document.filename,
        "digest": document.digest,
        "hashes": [len(sketch.hashes) for sketch in document.sketches],
    }


def main() -> None:
    """See above."""
    limits = json.loads(sys.argv[1])
    os.chdir(Path("/"))
    limit(limits)
    try:
        said = answer(limits["unpacked"])
    except MemoryError:
        said = {
            "why": f"reading it takes more than {limits['memory']:,} bytes of memory",
            "where": "",
            "hint": "the setting `submit_memory` allows more",
        }
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    os._exit(0)  # there is nothing to tidy up, and perhaps no memory to do it in


if __name__ == "__main__":
    main()
