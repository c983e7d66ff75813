"""Injects the faults."""

import contextlib
from collections.abc import Callable, Sequence

from tests.faults.hosts.plan import CUT, FLUSH, KILL_COORDINATOR, KILL_HOST, KILL_QUEUE, Strike
from tests.faults.hosts.world import World


def strike(one: Strike, world: World, rest: Callable[[float], None]) -> None:
    """Inject a fault; return when it is over, and all programs run again.  `rest` waits for some seconds."""
    queue = world.servers.queue
    if one.kind == CUT:
        with world.hosts[one.host].cut():
            rest(one.lasts)
    elif one.kind == KILL_HOST:
        world.workers[one.host].kill()
        rest(one.lasts / 4)
    elif one.kind == KILL_QUEUE:
        queue.kill()
        rest(one.lasts / 4)
        queue.start()
    elif one.kind == FLUSH:
        with contextlib.suppress(AssertionError):  # its tables may not be there yet
            queue.lose_everything()
    elif one.kind == KILL_COORDINATOR:
        world.coordinator.kill()
        rest(one.lasts / 4)
    world.start()


def hits(one: Strike, live: int, held: Sequence[int]) -> bool:
    """Return whether a fault hits live jobs: those that a killed or cut worker holds, else any."""
    if one.kind == KILL_HOST:
        return held[one.host] > 0
    if one.kind == CUT and one.host > 0:
        return held[one.host - 1] > 0
    return live > 0
