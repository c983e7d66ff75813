"""Ids of tasks: the number of a job as a UUID, which clients of the earlier service expect."""

import hashlib
import uuid

BITS = 61
"""Bits of the number of a job."""


def task_id(home_id: str, job_id: int) -> str:
    """Return the id of a job of a home: a UUID of version 8 (RFC 9562), whose last bits are the number."""
    of_home = int.from_bytes(hashlib.sha256(home_id.encode()).digest()[:8], "big")
    value = of_home << 64 | job_id
    value = value & ~(0xF << 76) & ~(0x3 << 62) | (0x8 << 76) | (0x2 << 62)
    return str(uuid.UUID(int=value))


def job_of_task(home_id: str, text: str) -> int | None:
    """Return the number of the job of an id; None if this home gave no such id."""
    try:
        number = uuid.UUID(text).int & ((1 << BITS) - 1)
    except ValueError:
        return None
    return number if text == task_id(home_id, number) else None
