"""The plan of a campaign: jobs and strikes (injected faults), drawn from a seed so that failures can be repeated.

The time of a strike is fixed.  Its target depends on the processes that run at that time; a number in the plan selects
one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """The kinds of faults."""

    KILL = "SIGKILL"
    STOP = "SIGSTOP"
    PAUSE = "SIGSTOP, then SIGCONT"
    TERM = "SIGTERM"
    HUP = "SIGHUP"
    KILL_ALL = "SIGKILL to all processes"
    """The kernel's reaction when a control group with memory.oom.group is out of memory."""
    DISK_FULL = "the disk is full"
    DISK_BREAKS = "the disk cannot be written"
    LEDGER_LOCKED = "the ledger is locked"
    QUEUE_LOCKED = "the queue is locked"
    QUEUE_DELETED = "the queue is deleted"
    CLOCK_FORWARD = "the clock is a day ahead"
    CLOCK_BACK = "the clock is a day behind"
    LOCKS_FAIL = "the ledger cannot be locked"
    LOCK_REMOVED = "the daemon's lock file is removed"
    S3_EXPIRED = "the bucket's credentials have expired"
    S3_DOWN = "the bucket's server breaks connections"
    S3_FROZEN = "the bucket's server does not answer"
    S3_WRONG = "the bucket's server answers wrongly"


SIGNALS = (Kind.KILL, Kind.STOP, Kind.PAUSE, Kind.TERM, Kind.HUP)


class Target(StrEnum):
    """The target of a strike."""

    DAEMON = "daemon"
    WORKER = "worker"
    GUARD = "guard"
    TOOL = "tool"
    """Any tool of a job."""
    WRAPPER = "fastq-dump"
    DECODER = "fastq-dump-orig"
    MACHINE = "machine"
    """The target of strikes that are not signals."""


LASTING = {
    Kind.PAUSE: (1.0, 8.0),
    Kind.DISK_FULL: (2.0, 6.0),
    Kind.DISK_BREAKS: (2.0, 6.0),
    Kind.LEDGER_LOCKED: (10.0, 10.0),
    Kind.QUEUE_LOCKED: (10.0, 10.0),
    Kind.CLOCK_FORWARD: (2.0, 10.0),
    Kind.CLOCK_BACK: (2.0, 10.0),
    Kind.LOCKS_FAIL: (2.0, 6.0),
    Kind.S3_EXPIRED: (2.0, 6.0),
    Kind.S3_DOWN: (2.0, 6.0),
    Kind.S3_FROZEN: (3.0, 8.0),
    Kind.S3_WRONG: (2.0, 6.0),
}
"""The shortest and longest duration in seconds; strikes of other kinds have no duration."""
POSSIBLE = (
    *((kind, target) for kind in SIGNALS for target in Target if target is not Target.MACHINE),
    *((kind, Target.MACHINE) for kind in Kind if kind not in SIGNALS),
)
# A permanently stopped daemon could not be restarted: the campaign would never end.
POSSIBLE = tuple(pair for pair in POSSIBLE if pair != (Kind.STOP, Target.DAEMON))


@dataclass(frozen=True)
class Strike:
    """One fault: its time and duration in seconds, and a number that selects one of the possible targets."""

    at: float
    kind: Kind
    target: Target
    lasting: float
    pick: int

    def __str__(self) -> str:
        whom = f" to the {self.target}" if self.kind in SIGNALS else ""
        return f"{self.kind}{whom}{f' for {self.lasting:.1f} s' if self.lasting else ''}"


def strikes(seed: int, seconds: float, every: float) -> tuple[Strike, ...]:
    """Return the strikes of a campaign of `seconds` seconds, one every `every` seconds on average."""
    random = Random(f"strikes {seed}")
    found, at = [], 2.0
    kinds = shuffled(random)
    while (at := at + every * random.uniform(0.5, 1.5)) < seconds:
        kind, target = next(kinds)
        lasting = round(random.uniform(*LASTING[kind]), 1) if kind in LASTING else 0.0
        found.append(Strike(round(at, 2), kind, target, lasting, random.randrange(1000)))
    return tuple(found)


def shuffled(random: Random) -> Iterator[tuple[Kind, Target]]:
    """Yield all possible strikes in random order, repeatedly, so that none is left out for long."""
    while True:
        yield from random.sample(POSSIBLE, len(POSSIBLE))


# ---- Jobs


@dataclass(frozen=True)
class Case:
    """A kind of run: its archive (see Shelf and machine.py), and the expected final state of its job."""

    archive: str
    state: str = "done"
    reason: str = ""


IN_PROCESS = (Case("paired_illumina"), Case("odd_spots"))
"""Archives that the worker reads itself."""
DUMPED = (Case("clipped"), Case("aligned"))
"""Archives that fastq-dump decodes; they take most of the time of a campaign."""
HOPELESS = (
    Case("all_filtered", "unavailable", "no-reads"),
    Case("zero_spots", "unavailable", "no-reads"),
    Case("missing", "unavailable", "not-found"),
    Case("flipped", "failed", "corrupt"),
    Case("truncated", "failed", "incomplete"),
    Case("text", "failed", "not-an-archive"),
)
CASES = (*IN_PROCESS, *DUMPED, *HOPELESS)


@dataclass(frozen=True)
class Order:
    """A job to enqueue."""

    at: float
    """Seconds after the start."""
    run: str
    case: Case
    priority: int


def orders(seed: int, jobs: int, seconds: float) -> tuple[Order, ...]:
    """Return the jobs: 45 % are read by the worker, 45 % by fastq-dump, and the others cannot be computed.

    Half of them are enqueued at the start, the others over time.
    """
    random = Random(f"orders {seed}")
    hopeless = max(1, jobs // 10)
    cases = [HOPELESS[(number + seed) % len(HOPELESS)] for number in range(hopeless)]
    cases += [random.choice((IN_PROCESS, DUMPED)[number % 2]) for number in range(jobs - hopeless)]
    random.shuffle(cases)
    moments = sorted(0.0 if number % 2 else random.uniform(0, seconds * 0.8) for number in range(jobs))
    return tuple(
        Order(round(at, 2), f"SRR{100001 + number}", case, random.choice((0, 0, 0, 5)))
        for number, (at, case) in enumerate(zip(moments, cases, strict=True))
    )
