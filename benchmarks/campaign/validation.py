"""Compares the simulation with a real campaign on this machine: a daemon computes 100 runs over a slow link.

    python -m benchmarks.campaign.validation [--runs 100] [--rate 40] [--ahead 2 0] [--archives DIR]

First the daemon computes the same runs from disk, which shows what a base costs on this machine, now.  From that, the
simulation predicts how long they take over the link; then the daemon computes them over it.  The ratio of both times
is printed, for each value of the setting `fetch_ahead`.  Ends with an error if a ratio is off by more than TOLERANCE.

Takes 3 minutes on two idle cores; the first time one more, to make archives below DIR, which are kept.  SIGTERM ends it
with its daemon and its server.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.campaign.scenario import Scenario, read_scenario
from benchmarks.campaign.simulation import Simulation
from benchmarks.campaign.sizes import Sizes
from benchmarks.ending import end_on_sigterm
from benchmarks.overlap import Measured, draw_sizes, make_runs, measure, serving

MEGABASES = (3, 10, 30, 60)
"""The lengths of the runs, which are drawn from these."""
LATENCY = 0.05
"""Seconds before each answer."""
ANSWERS = 6
"""Answers in turn, from the locator and to read the head of an archive, before its columns are fetched."""
TOLERANCE = 0.25
"""The largest difference from 1 of the ratio of the predicted to the measured time."""


@dataclass(frozen=True)
class Given(Sizes):
    """Runs of given lengths, in order."""

    lengths: tuple[float, ...] = ()

    def draw(self, rng: np.random.Generator, number: int) -> NDArray[np.float64]:
        """Return the lengths of all runs."""
        return np.array(self.lengths[:number])


def scenario_of(sizes: Sequence[int], cores: int, rate: float, disk: Measured, ahead: int, sent: int) -> Scenario:
    """Return the scenario of a daemon on this machine.

    sizes: the lengths of the runs in megabases; `sent` are the bytes of all their columns
    disk: what the daemon took for the same runs from disk
    """
    lengths = tuple(1e6 * size for size in sizes)
    found = read_scenario(runs=len(lengths), machines=1, fetch_ahead=ahead, priorities=((0, 1.0),))
    machine = replace(found.machine, cores=cores, jobs=cores, network=rate, preempted_per_hour=0.0)
    return replace(
        found,
        machine=machine,
        sizes=Given(0.0, 1.0, min(lengths), max(lengths), lengths),
        bytes_per_base=sent / sum(lengths),
        per_connection=rate,
        in_all=rate,
        locating=ANSWERS * LATENCY,
        per_run=0.0,
        per_base=disk.span * cores / sum(lengths),
        publishing=0.0,
        outages=(),
        lasting={},
        passing={},
    )


def main() -> None:
    """Measure, predict, and compare."""
    parser = argparse.ArgumentParser(description="Compare the simulation of campaigns with a real daemon.")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--megabases", type=int, nargs="*", default=MEGABASES, help="the lengths that runs may have")
    parser.add_argument("--rate", type=float, default=40.0, help="megabytes per second of all connections together")
    parser.add_argument("--ahead", type=int, nargs="*", default=[2, 0], help="values of the setting fetch_ahead")
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "wort-bench")
    options = parser.parse_args()
    end_on_sigterm()
    sizes, cores = draw_sizes(options.runs, options.seed, options.megabases), len(os.sched_getaffinity(0))
    files, rate = make_runs(sizes, options.archives), 1e6 * options.rate
    wrong = 0.0
    with serving(files, LATENCY, rate) as (url, pipe):
        disk = measure(files, url, None, pipe)
        each = 1e3 * disk.span * cores / sum(sizes)
        print(f"from disk: {disk.span:.1f} s, {each:.1f} ns of a core for each base", flush=True)
        for ahead in options.ahead:
            found = measure(files, url, ahead, pipe)
            predicted = Simulation(scenario_of(sizes, cores, rate, disk, ahead, found.sent)).run().ended.last
            ratio = predicted / found.span
            wrong = max(wrong, abs(ratio - 1))
            print(
                f"fetch_ahead = {ahead}: {found.span:.1f} s, {found.sent / 1e6:.0f} MB; "
                f"predicted {predicted:.1f} s; ratio {ratio:.2f}",
                flush=True,
            )
    sys.exit(f"a prediction is wrong by more than {TOLERANCE:.0%}" if wrong > TOLERANCE else None)


if __name__ == "__main__":
    main()
