"""Simulates a campaign, and prints what it takes."""

import argparse
import json
from pathlib import Path

from benchmarks.campaign.costs import read_prices
from benchmarks.campaign.picture import picture
from benchmarks.campaign.report import document, show
from benchmarks.campaign.scenario import ENGINES, read_scenario
from benchmarks.campaign.simulation import simulate


def main() -> None:
    """Read the options, simulate, print a table, and write the files that were asked for."""
    parser = argparse.ArgumentParser(description="Simulate a campaign of millions of runs on many machines.")
    parser.add_argument("--runs", type=whole, default=10_000_000, help="how many runs are drawn (default: 1e7)")
    parser.add_argument("--machines", type=whole, default=100)
    parser.add_argument("--engine", choices=ENGINES, help="workers of one coordinator, or tasks of a batch system")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=whole, help="the setting of that name, on each machine")
    parser.add_argument("--cores", type=whole, help="of each machine")
    parser.add_argument("--fetch-ahead", type=int, help="the setting of that name")
    parser.add_argument("--bases-per-task", type=float, help="the option of `wort plan`")
    parser.add_argument("--in-all", type=float, help="bytes per second that the archive gives to all machines")
    parser.add_argument("--locator-per-second", type=float, help="requests that the locator answers")
    parser.add_argument("--per-job", type=float, help="CPU seconds of the coordinator for each job")
    parser.add_argument("--sigma", type=float, help="how unequal the runs are")
    parser.add_argument("--lengths", type=Path, metavar="FILE", help="draw from these lengths, in bases, one a line")
    parser.add_argument("--scenario", type=Path, help="assumptions, instead of benchmarks/campaign/scenario.toml")
    parser.add_argument("--prices", type=Path, help="prices, instead of benchmarks/campaign/prices.toml")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result to a file")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the throughput into a file")
    options = vars(parser.parse_args())
    to_json, to_svg, prices = (options.pop(name) for name in ("json", "svg", "prices"))
    scenario = read_scenario(options.pop("scenario"), **options)
    found = document(scenario, simulate(scenario), read_prices(prices))
    show(found)
    if to_json:
        to_json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if to_svg:
        to_svg.write_text(picture(found), encoding="utf-8")


def whole(word: str) -> int:
    """Return a whole number that may be written as 1e7."""
    return int(float(word))


if __name__ == "__main__":
    main()
