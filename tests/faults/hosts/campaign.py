"""The campaign of one seed: enqueue portions of jobs, and strike, until both plans are at their ends; then judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.faults.hosts.plan import Portion, Strike
from tests.faults.hosts.strikes import hits, strike
from tests.faults.hosts.verdict import faults, left
from tests.faults.hosts.world import World
from tests.support.polling import until

STEP = 0.2


@dataclass
class Report:
    """The record of a campaign."""

    seconds: float = 0.0
    """From the start until all jobs had ended."""
    strikes: int = 0
    hit: int = 0
    """The number of strikes that hit live jobs."""
    wrong: list[str] = field(default_factory=list)


class Campaign:
    """The campaign of one seed."""

    def __init__(
        self, world: World, portions: Sequence[Portion], strikes: Sequence[Strike], say: Callable[[str], None]
    ) -> None:
        self._world = world
        self._portions = list(portions)
        self._strikes = list(strikes)
        self._say = say
        self._began = time.monotonic()
        self.report = Report(strikes=len(strikes))

    def run(self) -> Report:
        """Run all steps in order."""
        world = self._world
        with world.running():
            self._began = time.monotonic()
            self._inject_faults()
            self._print(f"no more faults, {world.live()} live")
            until(lambda: not world.live(), "all jobs have ended", 900, pause=0.5)
            self.report.seconds = round(self._now(), 1)
            self._print("all jobs have ended")
            until(lambda: not left(world), "nothing is left in workspaces and in the queue", 90, pause=0.5)
            self.report.wrong = faults(world)
            world.stop()
            for host in world.hosts[:3]:
                until(lambda host=host: not host.pids(), f"no process is left on {host.name}", 60)  # type: ignore[misc]
        return self.report

    def _inject_faults(self) -> None:
        self._enqueue_due()
        for one in self._strikes:
            self._rest(one.at - self._now())
            live, held = self._world.live(), self._world.held()
            self.report.hit += hits(one, live, held)
            self._print(f"{one.kind} {one.host} for {one.lasts:.0f} s, {live} live, workers hold {held}")
            strike(one, self._world, self._rest)
        while self._portions:
            self._rest(STEP)

    def _rest(self, seconds: float) -> None:
        """Wait for some seconds; enqueue meanwhile what is due."""
        until = self._now() + seconds
        self._enqueue_due()
        while (left := until - self._now()) > 0:
            time.sleep(min(STEP, left))
            self._enqueue_due()

    def _enqueue_due(self) -> None:
        while self._portions and self._portions[0].at <= self._now():
            self._world.enqueue(self._portions.pop(0).runs)

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _print(self, what: str) -> None:
        self._say(f"{self._now():6.1f} s: {what}")
