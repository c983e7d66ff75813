"""The command: see the package."""

import argparse
import os
import sys
import time
from pathlib import Path

from tests.damages.campaign import run_campaign, run_decoded
from tests.damages.subjects import subjects_below, subjects_of_shelf
from tests.support.shelf import Shelf

SUBJECTS = 60
"""Archives that are damaged for the in-process decoder."""
BUILD = Path(__file__).parents[2] / "build" / "damages"


def main() -> int:
    """Run the campaign that the arguments describe; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.damages", description=__doc__)
    parser.add_argument("--wire", type=int, default=2000, help="damages on the way")
    parser.add_argument("--disk", type=int, default=2000, help="damages on disk")
    parser.add_argument("--decoded", type=int, default=0, help="damaged archives for the in-process decoder")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--archives", type=Path, default=os.environ.get("WORT_TEST_ARCHIVES"),
                        help="a directory with further archives, also WORT_TEST_ARCHIVES")  # fmt: skip
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    subjects = subjects_of_shelf(Shelf(BUILD / "shelf"))
    if options.archives:
        subjects += subjects_below(Path(options.archives))
    started = time.monotonic()

    def report(done: int) -> None:
        if done % 100 == 0:
            print(f"\r{done} cases, {time.monotonic() - started:.0f} s", end="", file=sys.stderr, flush=True)

    results = run_campaign(subjects, options.seed, options.wire, options.disk, report)
    print(f"\n{len(subjects)} archives")
    if options.decoded:
        results.merge(run_decoded(SUBJECTS, options.seed, options.decoded, report))
    print("\n".join([*results.lines(), *results.named, *results.defects]))
    return 1 if results.defects else 0


if __name__ == "__main__":
    sys.exit(main())
