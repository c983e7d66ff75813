"""The result of a campaign: as JSON, and as a table."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.campaign.costs import amounts, dollars, of_whole_archive
from benchmarks.campaign.figures import Figures
from benchmarks.campaign.scenario import Scenario

BUSY = 0.85
"""The utilization from which a resource limits a campaign."""
SHARES = (0.5, 0.9, 0.99, 1.0)
DAY = 86_400.0


def document(scenario: Scenario, figures: Figures, prices: Mapping[str, float]) -> dict[str, Any]:
    """Return the result as JSON-ready data; times in seconds, sizes in bytes and bases."""
    taken = amounts(figures, scenario)
    costs = dollars(taken, prices)
    times = {f"{share:.0%}": figures.ended.time_to(share) for share in SHARES}
    whole_time, whole_taken = of_whole_archive(taken, times, scenario)
    whole_costs = dollars(whole_taken, prices)
    return {
        "runs": scenario.runs,
        "bases": figures.bases.total,
        "machines": scenario.machines,
        "engine": scenario.engine,
        "seed": scenario.seed,
        "median_bases": scenario.sizes.median,
        "time_to": times,
        "whole_archive": {
            "runs": scenario.whole,
            "time": whole_time,
            "amounts": whole_taken,
            "dollars": whole_costs | {"total": sum(whole_costs.values())},
        },
        "limited_by": limits(figures),
        "busy": figures.at_90,
        "outcomes": {" ".join(filter(None, key)): n for key, n in sorted(figures.outcomes.items())},
        "failures": dict(sorted(figures.failures.items())),
        "attempts": figures.attempts,
        "lost_attempts": figures.lost,
        "most_waiting": figures.most_waiting,
        "claims": figures.claims,
        "tasks": figures.tasks,
        "runs_looked_up_again": figures.looked_up,
        "cpu_hours": figures.cpu / 3600,
        "cpu_hours_lost": figures.cpu_lost / 3600,
        "fetched": figures.fetched,
        "requests": figures.requests,
        "puts": figures.puts,
        "stored": figures.stored,
        "amounts": taken,
        "dollars": costs | {"total": sum(costs.values())},
        "throughput": {
            "step": figures.bases.width,
            "bases": trimmed(figures.bases.amounts),
            "ended_step": figures.ended.width,
            "ended": trimmed(figures.ended.amounts),
        },
    }


def trimmed(steps: list[float]) -> list[float]:
    """Return steps without the empty ones at the end."""
    last = max((n for n, amount in enumerate(steps) if amount), default=-1)
    return steps[: last + 1]


def limits(figures: Figures) -> list[str]:
    """Return what was nearly always busy until 90 % of the runs had ended, the busiest first."""
    busy = sorted(figures.at_90.items(), key=lambda item: -item[1])
    return [name for name, share in busy if share >= BUSY]


def show(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the result as a table."""
    table = Table(show_header=False, title=f"{found['runs']:,} runs, {found['machines']:,} machines, {found['engine']}")
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    for what, text in lines(found):
        table.add_row(what, text)
    (console or Console()).print(table)


def lines(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rows of that table."""
    work = sum(found["outcomes"].values())
    t90 = found["time_to"]["90%"]
    return [
        *((f"days until {share} of the runs had ended", f"{at / DAY:,.2f}") for share, at in found["time_to"].items()),
        ("tail: hours from 99% to 100%", f"{(found['time_to']['100%'] - found['time_to']['99%']) / 3600:,.1f}"),
        ("runs a second, until 90 % had ended", f"{0.9 * work / t90:,.1f}"),
        ("bases a day, on average", f"{found['bases'] / found['time_to']['100%'] * DAY:.3g}"),
        ("limited by", ", ".join(found["limited_by"]) or "nothing for long"),
        *((f"busy: {name}", f"{share:.0%}") for name, share in found["busy"].items()),
        *((f"runs: {name}", f"{n:,}") for name, n in found["outcomes"].items()),
        ("attempts; lost with their machine", f"{found['attempts']:,}; {found['lost_attempts']:,}"),
        ("most jobs that waited at a time", f"{found['most_waiting']:,}"),
        ("CPU hours; of lost attempts", f"{found['cpu_hours']:,.0f}; {found['cpu_hours_lost']:,.1f}"),
        ("fetched, TB; signatures, TB", f"{found['fetched'] / 1e12:,.1f}; {found['stored'] / 1e12:,.2f}"),
        ("GET and HEAD; PUT", f"{found['requests']:,}; {found['puts']:,}"),
        *((f"dollars: {unit}", f"{price:,.0f}") for unit, price in found["dollars"].items()),
        ("the whole archive: days", f"{found['whole_archive']['time'] / DAY:,.1f}"),
        *(
            (f"the whole archive: {unit}", f"{amount:,.0f}")
            for unit, amount in found["whole_archive"]["amounts"].items()
        ),
        ("the whole archive: dollars", f"{found['whole_archive']['dollars']['total']:,.0f}"),
    ]
