"""`python -m tests.faults.hosts --seed 1 --seeds 10 --queue redis`.

Prints each strike, and a JSON line for each seed.  A campaign that fails keeps its files, and prints their path.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.faults.hosts.campaign import Campaign
from tests.faults.hosts.plan import portions, run_names, strikes
from tests.faults.hosts.world import World
from tests.support.contained import is_contained, run_contained
from tests.support.queue_servers import SERVERS


def main() -> int:
    """Run campaigns from a seed; each runs in a process and in namespaces of its own."""
    given = options().parse_args()
    if is_contained():
        return run_one(given)
    failed = [seed for seed in range(given.seed, given.seed + given.seeds) if not passes(seed)]
    if failed:
        print(f"failed: seeds {failed}")
    return 1 if failed else 0


def options() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.hosts", description="Run campaigns on several hosts.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many campaigns run, one after the other")
    parser.add_argument("--queue", choices=sorted(SERVERS), default="postgresql")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=150, help="until the last strike, and the last jobs")
    parser.add_argument("--every", type=float, default=12, help="seconds between strikes, on average")
    return parser


def passes(seed: int) -> bool:
    """Run the campaign of a seed; return whether it passed."""
    root = Path(tempfile.mkdtemp(prefix=f"wort-hosts-{seed}-"))
    code = None
    try:
        code = run_contained("tests.faults.hosts", [*sys.argv[1:], "--seed", str(seed)], root, network=True)
    finally:
        if code:
            print(f"the campaign of seed {seed} failed; its files are in {root}", flush=True)
        else:  # passed, or interrupted
            shutil.rmtree(root)
    return code == 0


def run_one(given: argparse.Namespace) -> int:
    """Run a campaign in this process, which is alone in its namespaces."""
    names = run_names(given.jobs)
    world = World(Path(tempfile.gettempdir()), given.queue, given.jobs)
    report = Campaign(
        world,
        portions(given.seed, names, given.seconds),
        strikes(given.seed, given.seconds, given.every),
        lambda text: print(text, flush=True),
    ).run()
    about = {"seed": given.seed, "queue": given.queue, "jobs": given.jobs}
    print(json.dumps({**about, **asdict(report)}), flush=True)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
