"""The damages: what can happen to one range of an archive on the way, or to one byte on disk."""

from collections.abc import Callable
from random import Random

from tests.damages.subjects import Subject

SINGLE = ("bit", "byte")
RANGES = ("truncated", "repeated", "swapped", "shifted", "zeros", "stale", "other archive")
Damage = Callable[[bytes, int], bytes]
"""Returns what is served instead of the bytes of a range that begins at an offset; its length may differ."""


def changed_byte(kind: str, original: int, rng: Random) -> int:
    """Return another value for a byte: one flipped bit, or any other value."""
    if kind == "bit":
        return original ^ 1 << rng.randrange(8)
    return (original + rng.randrange(1, 256)) % 256


def damage_of(kind: str, subject: Subject, place: int, rng: Random, other: bytes) -> Damage:
    """Return a damage of a kind that affects the byte at `place`; `other` is another archive."""
    value = changed_byte(kind, subject.data[place], rng)
    cut = rng.random()
    damages: dict[str, Callable[[bytes, int, int], bytes]] = {
        **dict.fromkeys(SINGLE, lambda body, at, first: body[:at] + bytes([value]) + body[at + 1 :]),
        "truncated": lambda body, at, first: body[: int(cut * len(body))],
        "repeated": lambda body, at, first: padded(body[: at or 1] * (len(body) // (at or 1) + 1), len(body)),
        "swapped": lambda body, at, first: body[int(cut * len(body)) :] + body[: int(cut * len(body))],
        "shifted": lambda body, at, first: padded(subject.data[first + 1 :], len(body)),
        "zeros": lambda body, at, first: padded(body[:at], len(body)),
        "stale": lambda body, at, first: bytes(byte ^ (n % 97 == at % 97) for n, byte in enumerate(body)),
        "other archive": lambda body, at, first: padded(other[first:], len(body)),
    }

    def damage(body: bytes, first: int) -> bytes:
        at = place - first
        return damages[kind](body, at, first) if 0 <= at < len(body) else body

    return damage


def padded(data: bytes, size: int) -> bytes:
    """Return the first bytes of `data`, and zeros if it has too few."""
    return data[:size].ljust(size, b"\0")
