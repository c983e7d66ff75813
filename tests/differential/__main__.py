"""The command: see the package."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests import differential
from tests.differential.campaign import Results, cases_for, offline, run_campaign, run_case
from tests.differential.cases import Case, FileCase, draw_case
from tests.differential.in_process import decode
from tests.differential.judge import DEFECTS
from tests.support.child import Child


def main() -> int:
    """Run the test that the arguments describe; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential",
        description=differential.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", default="1")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--case", help="run one case only, by its seed")
    parser.add_argument("--keep", type=Path, help="with --case: the directory to build the archive in")
    parser.add_argument("--archives", type=Path, help="compare the archives in this directory instead")
    options = parser.parse_args()
    if options.case:
        return run_one(options.case, options.keep)
    if options.archives:
        return run_all(FileCase(path.resolve()) for path in sorted(options.archives.iterdir()))
    return run_all(cases_for(options.seed, options.seconds))


def run_one(seed: str, keep: Path | None) -> int:
    """Run one case and print all about it."""
    case = draw_case(seed)
    print(f"{case.layout}: {case}")
    with tempfile.TemporaryDirectory(prefix="differential-") as name, offline(Path(name)), Child(decode) as child:
        directory = keep.resolve() if keep else Path(name)
        directory.mkdir(parents=True, exist_ok=True)
        verdict = run_case(case, directory, child)
    print(f"{verdict.end}: {verdict.detail}")
    return 1 if verdict.end in DEFECTS else 0


def run_all(cases: Iterable[Case]) -> int:
    """Run cases; print each defect when it is found, and the counts at the end."""
    started, printed = time.monotonic(), 0

    def report(results: Results) -> None:
        nonlocal printed
        for defect in results.defects[printed:]:
            print(defect, flush=True)
        printed = len(results.defects)
        if sum(results.ends.values()) % 10 == 0:
            passed = time.monotonic() - started
            print(f"{results.cases} archives, {printed} defects, {passed:.0f} s", file=sys.stderr, flush=True)

    results = run_campaign(cases, report)
    print("\n".join(results.lines()))
    return 1 if results.defects else 0


if __name__ == "__main__":
    sys.exit(main())
