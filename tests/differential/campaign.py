"""Runs cases and counts how they end, by layout."""

import contextlib
import itertools
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.differential.cases import Case, draw_case
from tests.differential.in_process import decode
from tests.differential.judge import BOTH_FAIL, DECLINED, DEFECTS, SAME, UNDEFINED, Verdict, generalized, judge
from tests.support.child import Child
from tests.support.tools import ToolError

NOT_MADE = "not made"
"""The loader rejects the case."""
ENDS = (SAME, DECLINED, BOTH_FAIL, UNDEFINED, NOT_MADE, *DEFECTS)


@dataclass
class Results:
    """The results of the cases of a campaign."""

    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The number of cases by layout and end."""
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """The number of cases that were not decoded in process, by layout, end and reason."""
    defects: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """The number of archives that were made."""
        return sum(number for (_, end), number in self.ends.items() if end != NOT_MADE)

    def add(self, case: Case, verdict: Verdict) -> None:
        """Count a case."""
        self.ends[case.layout, verdict.end] += 1
        if verdict.end in (DECLINED, BOTH_FAIL, NOT_MADE, UNDEFINED):
            self.reasons[case.layout, verdict.end, generalized(verdict.detail)] += 1
        if verdict.end in DEFECTS:
            self.defects.append(
                f"{verdict.end}: {verdict.detail}\n    {case.layout}: {case}\n"
                f"    python -m tests.differential --case {case.seed} --keep DIRECTORY"
            )

    def lines(self) -> Iterator[str]:
        """Yield a table of the counts, and the most frequent reasons."""
        yield f"{'layout':42}" + "".join(f"{end:>15}" for end in ENDS)
        for layout in [*sorted({layout for layout, _ in self.ends}), "all"]:
            numbers = [
                sum(n for (name, e), n in self.ends.items() if e == end and layout in (name, "all")) for end in ENDS
            ]
            yield f"{layout:42}" + "".join(f"{number:>15}" for number in numbers)
        for (layout, end, reason), number in self.reasons.most_common(60):
            yield f"{number:6} {end:10} {layout:32} {reason}"


def run_campaign(cases: Iterable[Case], report: Callable[[Results], None] = lambda results: None) -> Results:
    """Run some cases."""
    results = Results()
    with tempfile.TemporaryDirectory(prefix="differential-") as name, offline(Path(name)), Child(decode) as child:
        for case in cases:
            directory = Path(name, "case")
            directory.mkdir()
            results.add(case, run_case(case, directory, child))
            shutil.rmtree(directory)
            report(results)
    return results


def run_case(case: Case, directory: Path, child: Child) -> Verdict:
    """Build the archive of a case and judge it."""
    try:
        archive = case.build(directory)
    except ToolError as error:
        message = error.stderr.strip().splitlines()
        return Verdict(NOT_MADE, message[-1].partition(" err: ")[2] if message else "no message")
    return judge(archive, case.rows, child, Random(f"{case.seed} slice"))


@contextlib.contextmanager
def offline(directory: Path) -> Iterator[None]:
    """Keep the toolkit from asking a server, in this process and its children."""
    settings = directory / "offline.kfg"
    settings.write_text('/repository/remote/disabled = "true"\n/sra/quality_type = "raw_scores"\n')
    before = os.environ.get("NCBI_SETTINGS")
    os.environ["NCBI_SETTINGS"] = str(settings)
    try:
        yield
    finally:
        os.environ.pop("NCBI_SETTINGS")
        if before is not None:
            os.environ["NCBI_SETTINGS"] = before


def cases_for(seed: str, seconds: float) -> Iterator[Case]:
    """Draw cases for so many seconds."""
    end = time.monotonic() + seconds
    numbers = itertools.takewhile(lambda n: time.monotonic() < end, itertools.count())
    return (draw_case(f"{seed}-{n}") for n in numbers)
