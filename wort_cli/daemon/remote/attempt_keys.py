"""The keys of the values that the queue has for each attempt: its answer, and the worker that has acquired it."""

from collections.abc import Iterable, Mapping


def answer_key(home: str, job_id: int, attempt: int) -> str:
    """Return the key of an answer."""
    return f"answer:{home}:{job_id}:{attempt}"


def acquired_key(home: str, job_id: int, attempt: int) -> str:
    """Return the key of the worker that has acquired an attempt."""
    return f"acquired:{home}:{job_id}:{attempt}"


def keys_of(home: str, job_id: int, attempt: int) -> list[str]:
    """Return the keys of an attempt."""
    return [answer_key(home, job_id, attempt), acquired_key(home, job_id, attempt)]


def left_behind(keys: Iterable[str], home: str, attempts: Mapping[int, int]) -> list[str]:
    """Return those of some keys that are of a home, and of none of the attempts that its jobs have."""
    used = {key for job_id, attempt in attempts.items() for key in keys_of(home, job_id, attempt)}
    ours = f"answer:{home}:", f"acquired:{home}:"
    return [key for key in keys if key.startswith(ours) and key not in used]
