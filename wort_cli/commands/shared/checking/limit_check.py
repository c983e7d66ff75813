"""Says what limits the cores and the memory of this process, if anything does: a batch system, a container, a shell."""

from collections.abc import Iterator

from wort_cli.commands.shared.checking.finding import Finding
from wort_cli.commands.shared.showing import render
from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings
from wort_cli.system.machine import AFFINITY, core_limit, memory_limit, total_memory


def check_limits(_: Settings) -> Iterator[Finding]:
    """Report the smallest limits, and where they come from; nothing on a machine that has none."""
    cores, memory = core_limit(), memory_limit()
    said = [f"{render.count(cores.amount, 'core')} ({cores.origin})"] if cores.origin != AFFINITY else []
    if memory.amount < total_memory():  # groups of version 1 without a limit have one of 8 EiB
        said.append(f"{format_bytes(memory.amount)} of memory left ({memory.origin})")
    if said:
        yield Finding("ok", "limits", ", ".join(said))


def origin_of_cores() -> str:
    """Return the origin of a number that depends on the cores: `default`, and what limits them."""
    limit = core_limit()
    return "default" if limit.origin == AFFINITY else f"default, by {limit.origin}"
