"""What a campaign costs, by a table of prices."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from benchmarks.campaign.figures import Figures
from benchmarks.campaign.scenario import HERE, Scenario

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


def dollars(taken: Mapping[str, float], prices: Mapping[str, float]) -> dict[str, float]:
    """Return what each unit costs, in dollars."""
    return {unit: taken[unit] * prices[unit] for unit in taken}
