"""Reads and writes the JSON of the queue: whatever comes from it is bounded, and has the types that it should have.

Numbers fit into the ledger's integers, and texts can be written as UTF-8, so that no value makes a later step fail.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from wort_cli.errors import WortError
from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.model.verdict import Comparison, Verdict
from wort_cli.reading.documents import refuse_constant
from wort_cli.system.process_identity import ProcessIdentity

MAX_SMALL = 4_000_000
"""Bytes of a document without a signature."""
MAX_INTEGER = 2**63 - 1
"""The largest integer of the ledger."""
MAX_JOBS = 1_000_000
MAX_DETAIL = 10_000
"""Characters of what a failure says."""
MAX_KEPT = 1000
"""Workspaces that a worker names in a beat."""
MAX_ROOM = 4096
"""Jobs that one worker takes."""
HEX64 = re.compile(r"[0-9a-f]{64}")
SURROGATE = re.compile(r"[\ud800-\udfff]")


def packed(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a document.  A text that is no Unicode, such as an odd name of a host, gets `?` instead."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def unpacked(data: bytes, most: int = MAX_SMALL) -> dict[str, Any]:
    """Return a JSON object.  Raises ValueError if the bytes are none, or too many."""
    if not data:
        raise ValueError("it is empty, too large, or not sealed with the key of this host (setting queue_key_file)")
    if len(data) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    try:
        text = data.decode("utf-8")
        found = json.loads(text, parse_constant=refuse_constant, parse_int=integer, parse_float=finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    if "\\ud" in text.lower() and SURROGATE.search(json.dumps(found, ensure_ascii=False)):
        raise ValueError("a text in it is not Unicode")
    return found


def integer(text: str) -> int:
    """Return an integer of JSON that the ledger can store.  Raises ValueError."""
    if len(text) > 20 or abs(number := int(text)) > MAX_INTEGER:
        raise ValueError("a number is too large")
    return number


def finite(text: str) -> float:
    """Return a number of JSON that is finite.  Raises ValueError."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def of_kind(value: Any, kind: type, what: str) -> Any:
    """Return a value of exactly this type.  Raises ValueError."""
    if type(value) is not kind:
        raise ValueError(f"{what} is not of the type {kind.__name__}")
    return value


def whole(value: Any, what: str, least: int = 0, most: int = MAX_INTEGER) -> int:
    """Return an integer in a range.  Raises ValueError."""
    if not least <= of_kind(value, int, what) <= most:
        raise ValueError(f"{what} is not from {least:,} to {most:,}")
    return int(value)


def short_text(value: Any, what: str, most: int = 500) -> str:
    """Return a text of bounded length.  Raises ValueError."""
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f"{what} is not a text of at most {most} characters")
    return value


def keys_of(value: Any, keys: tuple[str, ...], what: str) -> dict[str, Any]:
    """Return an object that has exactly these keys.  Raises ValueError."""
    if not isinstance(value, dict) or set(value) != set(keys):
        raise ValueError(f"{what} does not have exactly the keys {', '.join(keys)}")
    return value


def job_number(text: Any) -> int:
    """Return the number of a job from a key.  Raises ValueError."""
    if not re.fullmatch(r"[1-9][0-9]{0,18}", short_text(text, "a job"), re.ASCII):
        raise ValueError("a key is not the number of a job")
    return whole(int(text), "a job", 1)


def job_numbers(value: Any, what: str, most: int = MAX_JOBS) -> tuple[int, ...]:
    """Return the numbers of jobs in a list.  Raises ValueError."""
    if len(of_kind(value, list, what)) > most:
        raise ValueError(f"{what} names too many jobs")
    return tuple(whole(job, "a job", 1) for job in value)


def attempts_in(value: Any) -> dict[int, int]:
    """Return the attempts of jobs.  Raises ValueError."""
    if len(of_kind(value, dict, "the attempts")) > MAX_JOBS:
        raise ValueError("the attempts are of too many jobs")
    return {job_number(job): whole(attempt, "an attempt", 1) for job, attempt in value.items()}


def running_in(value: Any) -> dict[int, tuple[int, Progress | None]]:
    """Return the jobs that a worker has: attempt and progress.  Raises ValueError."""
    found = {}
    for job, pair in of_kind(value, dict, "what runs").items():
        if len(of_kind(pair, list, "what runs")) != 2:
            raise ValueError("what runs is not an attempt and a progress")
        found[job_number(job)] = (whole(pair[0], "an attempt", 1), progress_in(pair[1]))
    return found


def progress_in(value: Any) -> Progress | None:
    """Return a progress.  Raises ValueError if it is invalid."""
    if value is None:
        return None
    known = of_kind(value, dict, "a progress")
    counts = {key: whole(known.get(key), key, most=2**62) for key in ("spots", "total", "bases")}
    at = known.get("at")
    if type(at) not in (int, float):
        raise ValueError("the time of a progress is not a number")
    return Progress(short_text(known.get("stage"), "a stage", 50), at=float(at), **counts)


def process_in(value: Any) -> ProcessIdentity:
    """Return a process.  Raises ValueError."""
    known = keys_of(value, ("pid", "started", "boot", "session", "namespace"), "a process")
    numbers = {key: whole(known[key], key) for key in ("pid", "started", "session", "namespace")}
    return ProcessIdentity(boot=short_text(known["boot"], "a boot", 100), **numbers)


def result_in(value: Any) -> JobResult:
    """Return a result.  Raises ValueError."""
    known = keys_of(value, ("job_id", "attempt", "published", "failure", "verdict", "work"), "a result")
    whole(known["job_id"], "a job", 1), whole(known["attempt"], "an attempt", 1), whole(known["work"], "the work")
    if (published := known["published"]) is not None:
        keys_of(published, ("path", "size", "provenance", "remote", "trust", "sha256"), "a signature")
        whole(published["size"], "the size of a signature", 1)
        for key in ("path", "remote", "trust", "sha256"):
            short_text(published[key], f"the {key} of a signature", 2000)
    if (failure := known["failure"]) is not None:
        keys_of(failure, ("reason", "detail", "lasting"), "a failure")
        short_text(failure["detail"], "what a failure says", MAX_DETAIL)
        of_kind(failure["lasting"], bool, "whether a failure lasts")
    if (verdict := known["verdict"]) is not None:
        check_verdict(verdict)
    try:
        return JobResult.from_json(known)
    except (KeyError, TypeError, AttributeError, WortError) as error:
        raise ValueError(f"a value is invalid: {error!r}"[:300]) from None


def check_verdict(value: Any) -> None:
    """Raise ValueError if a verdict has a value that is invalid."""
    known = keys_of(value, tuple(Verdict.__dataclass_fields__), "a verdict")
    for key in ("trust", "depth", "cause", "engine", "format", "made_from"):
        short_text(known[key], key, MAX_DETAIL)
    whole(known["bases"], "the bases of a verdict")
    of_kind(known["of_copy"], bool, "whether a verdict is of a copy")
    for key in ("comparisons", "slices"):
        if len(of_kind(known[key], list, key)) > 1000:
            raise ValueError(f"a verdict has too many {key}")
    for each in known["comparisons"]:
        comparison = keys_of(each, tuple(Comparison.__dataclass_fields__), "a comparison")
        for key, kind in Comparison.__dataclass_fields__.items():
            if type(comparison[key]) not in ((int,) if kind.type is int else (int, float)):
                raise ValueError(f"{key} of a comparison is not a number")
    for each in known["slices"]:
        if len(of_kind(each, list, "a slice")) != 2:
            raise ValueError("a slice does not have two spots")
        whole(each[0], "a spot"), whole(each[1], "a spot")
