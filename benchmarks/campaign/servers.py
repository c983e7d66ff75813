"""The servers that all machines share: the archive, its locator, and the store, with their outages."""

from bisect import bisect_right
from collections.abc import Sequence

from benchmarks.campaign.pipes import Pipe
from benchmarks.campaign.scenario import ARCHIVE, STORE, Outage, Scenario


class Servers:
    """Pipes of the archive and of the locator, and who is down when."""

    def __init__(self, scenario: Scenario) -> None:
        self.archive = Pipe(scenario.in_all)
        self.locator = Pipe(scenario.locator_per_second)
        self._of_archive = borders(scenario.outages, ARCHIVE)
        self._of_store = borders(scenario.outages, STORE)

    def archive_is_down(self, at: float) -> bool:
        """Return whether the archive does not answer at a time."""
        return bisect_right(self._of_archive, at) % 2 == 1

    def store_is_down(self, at: float) -> bool:
        """Return whether the store does not answer at a time."""
        return bisect_right(self._of_store, at) % 2 == 1


def borders(outages: Sequence[Outage], what: str) -> list[float]:
    """Return when the outages of a server start and end, in turn; those that overlap are one."""
    found: list[float] = []
    for outage in sorted((outage for outage in outages if outage.what == what), key=lambda outage: outage.start):
        if found and outage.start <= found[-1]:
            found[-1] = max(found[-1], outage.end)
        else:
            found += [outage.start, outage.end]
    return found
