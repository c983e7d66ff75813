"""The process that reads an untrusted file: `python -I -m wort_cli.reading.reader_process LIMITS < FILE`.

LIMITS is a JSON object: `memory` and `unpacked` in bytes, `seconds` of CPU time, whether any parameters are accepted,
and the profile that the signature may be of.  The limits are set before anything is read.  The answer is one JSON
document on stdout, with exit code 0: the facts of the signature, or its first fault.  Anything else means that the
reader crashed; sandbox.py reports that.

If LIMITS has `signatures`, the file may have that many, and the answer has their hashes (signature_stream.py).
"""

import json
import os
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wort_cli.reading.refusal import Refusal

GRACE = 2
"""Seconds of CPU time between SIGXCPU, which can be caught, and SIGKILL."""


def set_limits(limits: dict[str, Any]) -> None:
    """Set the resource limits of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory"], limits["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"], limits["seconds"] + GRACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes to a pipe only


def read_signature(
    max_unpacked: int, profile: dict[str, Any] | None = None, *, any_parameters: bool = False
) -> dict[str, Any]:
    """Read the signature on standard input; return the answer."""
    from wort_cli.model.profile import SRA_V1, Profile
    from wort_cli.reading.facts import SignatureFacts
    from wort_cli.reading.refusal import LimitExceeded, Refusal
    from wort_cli.reading.strict import check_signature, read_document

    wanted = Profile.from_json(profile["name"], profile["definition"]) if profile else SRA_V1
    try:
        if any_parameters:
            facts = SignatureFacts.of(read_document(sys.stdin.buffer, max_unpacked=max_unpacked), profile=wanted)
        else:
            checked = check_signature(sys.stdin.buffer, max_unpacked=max_unpacked, profile=wanted)
            facts = SignatureFacts.of(checked.document, is_joined=checked.is_joined, profile=wanted)
    except Refusal as refusal:
        return answer_of(refusal, is_limit=isinstance(refusal, LimitExceeded))
    return asdict(facts)


def answer_of(refusal: "Refusal", *, is_limit: bool) -> dict[str, Any]:
    """Return the answer that reports a fault."""
    return {
        "why": refusal.why,
        "where": refusal.where,
        "hint": refusal.hint,
        "check": str(refusal.check),
        "limit": is_limit,
    }


def stream_signatures(max_unpacked: int, most: int) -> dict[str, Any]:
    """Read the signatures on standard input, and write each to stdout; return the last answer."""
    from wort_cli.reading.refusal import LimitExceeded, Refusal
    from wort_cli.reading.signature_stream import write_document
    from wort_cli.reading.strict import read_documents

    try:
        for document in read_documents(sys.stdin.buffer, max_unpacked=max_unpacked, most=most):
            write_document(document, sys.stdout.buffer)
    except Refusal as refusal:
        return answer_of(refusal, is_limit=isinstance(refusal, LimitExceeded))
    return {"end": True}


def main() -> None:
    """Set the limits, read, and print the answer."""
    limits = json.loads(sys.argv[1])
    os.chdir(Path("/"))
    set_limits(limits)
    try:
        if limits.get("signatures"):
            answer = stream_signatures(limits["unpacked"], limits["signatures"])
        else:
            answer = read_signature(limits["unpacked"], limits["profile"], any_parameters=limits["any_parameters"])
    except MemoryError:
        answer = {
            "why": f"reading it takes more than {limits['memory']:,} bytes of memory",
            "where": "",
            "hint": "raise the setting `submit_memory` to allow more",
            "check": "limits",
            "limit": True,
        }
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)  # no cleanup: there may be no memory left for it


if __name__ == "__main__":
    main()
