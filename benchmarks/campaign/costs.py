"""The cost of a campaign, by a table of prices."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from benchmarks.campaign.figures import Figures
from benchmarks.campaign.scenario import ARCHIVE, HERE, Scenario

MONTH = 730 * 3600.0
"""Seconds of the month that clouds charge for."""
UNITS = frozenset({"machine_hour", "disk_gb_month", "get_1000", "put_1000", "stored_gb_month", "fetched_gb"})


def read_prices(path: Path | None = None) -> dict[str, float]:
    """Return the price of each unit.  Raises OSError; ValueError if a price is missing or unknown."""
    table = tomllib.loads((path or HERE / "prices.toml").read_text(encoding="utf-8"))
    if set(table) != UNITS:
        raise ValueError(f"a table of prices has {', '.join(sorted(UNITS))}")
    return {unit: float(entry["price"]) for unit, entry in table.items()}


def amounts(figures: Figures, scenario: Scenario) -> dict[str, float]:
    """Return how much of each unit a campaign takes; signatures are stored for a month."""
    return {
        "machine_hour": figures.machine_seconds / 3600,
        "disk_gb_month": figures.machine_seconds / MONTH * scenario.machine.disk / 1e9,
        "get_1000": figures.requests / 1000,
        "put_1000": figures.puts / 1000,
        "stored_gb_month": figures.stored / 1e9,
        "fetched_gb": figures.fetched / 1e9,
    }


def of_whole_archive(
    taken: Mapping[str, float], times: Mapping[str, float], scenario: Scenario
) -> tuple[float, dict[str, float]]:
    """Return the seconds and the amounts of the whole archive, of which a campaign has simulated a part.

    Until 99 % of the runs have ended, all machines are busy, and everything grows with the runs.  The tail after that
    does not: it is about the longest runs only.  Neither do outages of the archive: those count that are assumed.
    """
    factor = scenario.whole / scenario.runs
    outages = sorted((outage.start, outage.end) for outage in scenario.outages if outage.what == ARCHIVE)
    body, tail = times["99%"], times["100%"] - times["99%"]
    lost = sum(max(0.0, min(end, body) - start) for start, end in outages)
    whole = factor * (body - lost)
    for start, end in outages:
        if start < whole:
            whole += end - start
    hours = min(taken["machine_hour"], scenario.machines * body / 3600)
    grown = {unit: factor * amount for unit, amount in taken.items()}
    grown["machine_hour"] = hours * whole / body + taken["machine_hour"] - hours if body else 0.0
    if taken["machine_hour"]:
        grown["disk_gb_month"] = taken["disk_gb_month"] * grown["machine_hour"] / taken["machine_hour"]
    return whole + tail, grown


def dollars(taken: Mapping[str, float], prices: Mapping[str, float]) -> dict[str, float]:
    """Return what each unit costs, in dollars."""
    return {unit: taken[unit] * prices[unit] for unit in taken}
