"""Reads what a campaign assumes: scenario.toml, and what the command line changes of it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.campaign.sizes import Sizes, fit, read_lengths
from wort_cli.model.failure import Reason

HERE = Path(__file__).parent
WORKERS, TASKS = ENGINES = ("workers", "tasks")
"""Workers of one coordinator on all machines, or tasks of a batch system."""
ARCHIVE, STORE = "archive", "store"
"""The servers that may be down."""


@dataclass(frozen=True)
class Outage:
    """A time in which the archive or the store does not answer, in seconds from the start of the campaign."""

    start: float
    end: float
    what: str


@dataclass(frozen=True)
class Machine:
    """A machine.  Bytes, bytes per second, seconds."""

    cores: int
    jobs: int
    memory: int
    disk: int
    network: float
    preempted_per_hour: float
    replaced_after: float

    @property
    def threads(self) -> int:
        """Threads of one job."""
        return max(1, self.cores // self.jobs)


@dataclass(frozen=True)
class Scenario:
    """All that a campaign assumes.  Sizes in bases and bytes, times in seconds; rates per second."""

    runs: int
    machines: int
    engine: str
    seed: int
    sizes: Sizes
    machine: Machine
    bytes_per_base: float
    per_connection: float
    in_all: float
    locating: float
    locator_per_second: float
    per_run: float
    per_base: float
    publishing: float
    distinct: float
    per_job: float
    outages: tuple[Outage, ...]
    noticed_after: float
    lasting: Mapping[Reason, float]
    passing: Mapping[Reason, float]
    whole: float = 4.4e7
    """Runs of the whole archive."""
    priorities: tuple[tuple[int, float], ...] = ((0, 1.0),)
    """The priorities of jobs, and the share of the runs that have each."""
    bases_per_task: float = 5e11
    fetch_ahead: int = 2
    connections: int = 4


def read_scenario(path: Path | None = None, **changes: Any) -> Scenario:
    """Return the scenario of a file; `changes` are fields of Scenario.  Raises OSError, ValueError or KeyError."""
    text = tomllib.loads((path or HERE / "scenario.toml").read_text(encoding="utf-8"))
    archive, fetching, computing = text["archive"], text["fetching"], text["computing"]
    machine = text["machine"]
    sigma = changes.pop("sigma", None) or archive["sigma"]
    lengths = changes.pop("lengths", None)
    cores = changes.pop("cores", None)
    if cores:
        machine |= {"cores": cores, "jobs": min(cores, machine["jobs"])}
    numbers: dict[str, Any] = {name: float(value) for name, value in (fetching | computing).items()}
    found = Scenario(
        runs=int(archive["runs"]),
        machines=100,
        engine=WORKERS,
        seed=1,
        sizes=read_lengths(lengths)
        if lengths
        else fit(archive["bases"] / archive["runs"], sigma, archive["smallest"], archive["largest"]),
        machine=Machine(**{**machine, "memory": int(machine["memory"]), "disk": int(machine["disk"])}),
        **numbers,
        per_job=float(text["coordinator"]["per_job"]),
        outages=tuple(Outage(3600 * at, 3600 * (at + hours), what) for at, hours, what in text["outages"]["list"]),
        noticed_after=float(text["outages"]["noticed_after"]),
        lasting={Reason(name): float(share) for name, share in text["lasting"].items()},
        passing={Reason(name): float(share) for name, share in text["passing"].items()},
        whole=float(archive["runs"]),
    )
    return replace(found, **{name: value for name, value in changes.items() if value is not None})
