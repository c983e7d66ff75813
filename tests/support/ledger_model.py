"""A model of a job, with which the ledger is compared: its state, its transitions and their kinds of failure."""

from dataclasses import dataclass, field

from wort_cli.ledger.retry import RetryPolicy

LIVE = {"queued", "running", "waiting"}
RETRIABLE = {"failed", "unavailable", "cancelled"}
LEGAL = {
    ("", "queued"), ("queued", "running"), ("running", "done"), ("running", "failed"), ("running", "unavailable"),
    ("running", "queued"), ("running", "waiting"), ("waiting", "queued"), ("queued", "cancelled"),
    ("running", "cancelled"), ("waiting", "cancelled"), ("failed", "queued"), ("unavailable", "queued"),
    ("cancelled", "queued"),
}  # fmt: skip
FAILURES = {
    "corrupt": ("failed", "other"),
    "not-found": ("unavailable", "other"),
    "network": ("waiting", "other"),
    "disk-low": ("waiting", "other"),
    "tool-crash": ("waiting", "crash"),
    "interrupted": ("waiting", "crash"),
}
TRIES = {"crash": 2, "other": 3}
LONG = RetryPolicy(crash_tries=2, tries=3, crash_delay=1e6, delay=1e6, max_delay=1e6)
SHORT = RetryPolicy(crash_tries=2, tries=3, crash_delay=0.0, delay=0.0, max_delay=0.0)


@dataclass
class ModelJob:
    """The expected state of a job."""

    name: str
    priority: int
    subject: str = ""
    """Path of the signature that a verification verifies, else empty."""
    depth: str = ""
    state: str = "queued"
    attempt: int = 0
    due: bool = False
    """Whether a waiting job is due."""
    progress: bool = False
    path: list[tuple[str, str, str]] = field(default_factory=lambda: [("", "queued", "")])
    """Its transitions and the kind of failure of each, without the pruned ones."""

    def move(self, state: str, kind: str = "") -> None:
        self.path.append((self.state, state, kind))
        self.state = state
        self.progress = False

    def prune(self, keep: int) -> None:
        """Keep the first transition, the newest ones, and the one from which the present tries are counted."""
        last = len(self.path) - (keep - 2)
        if len(self.path) > keep:
            self.path = [move for n, move in enumerate(self.path) if n in (0, self.first_try) or n >= last]

    @property
    def first_try(self) -> int:
        """Index of the transition from which the present tries are counted."""
        return max((n for n, (before, _, _) in enumerate(self.path) if before in ("", *RETRIABLE)), default=0)

    def failures(self, kind: str) -> int:
        return sum(move[2] == kind for move in self.path[self.first_try :])

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.subject
