"""The plan of a campaign: strikes and their times, drawn from a seed.  Times are seconds after its start."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

LEASE = 8.0
"""Seconds of silence after which a worker counts as lost."""
CUT, KILL_HOST, KILL_QUEUE, FLUSH, KILL_COORDINATOR = KINDS = (
    *("cut", "kill-host", "kill-queue", "flush", "kill-coordinator"),
)
PORTION_EVERY = 4.0
"""Seconds between portions of jobs, on average."""
LONG_EVERY = 18
"""One of so many jobs lasts longer than most strikes."""


@dataclass(frozen=True)
class Strike:
    """A fault: its kind, the host, and for how long it lasts."""

    at: float
    kind: str
    host: int
    lasts: float


@dataclass(frozen=True)
class Portion:
    """Runs that are enqueued together."""

    at: float
    runs: tuple[str, ...]


def run_names(jobs: int) -> list[str]:
    """Return the runs of a campaign."""
    return [f"SRR{2_000_001 + i}" for i in range(jobs)]


def long_runs(runs: Sequence[str]) -> tuple[str, ...]:
    """Return the runs that last long; all of them have the same archive."""
    return tuple(runs[LONG_EVERY // 6 :: LONG_EVERY])


def strikes(seed: int, seconds: float, every: float) -> list[Strike]:
    """Draw the faults of a campaign; the first five are of different kinds."""
    draw = random.Random(seed)
    first = list(KINDS)
    draw.shuffle(first)
    found: list[Strike] = []
    at = every
    while at < seconds:
        kind = first[len(found)] if len(found) < len(first) else draw.choice(first)
        found.append(Strike(at, kind, draw.randrange(3 if kind == CUT else 2), draw.uniform(1.2, 1.8) * LEASE))
        at += draw.uniform(0.6, 1.4) * every
    return found


def portions(seed: int, runs: Sequence[str], seconds: float) -> list[Portion]:
    """Draw when the runs are enqueued: the first at the start, and some every few seconds until the end."""
    draw = random.Random(f"portions {seed}")
    number = min(len(runs), max(1, round(seconds / PORTION_EVERY)))
    cuts = sorted(draw.sample(range(1, len(runs)), number - 1))
    times = [0.0, *sorted(draw.uniform(0.0, seconds) for _ in cuts)]
    return [
        Portion(at, tuple(runs[first:last]))
        for at, first, last in zip(times, [0, *cuts], [*cuts, len(runs)], strict=True)
    ]
