"""Runs cases and counts how they end."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.damages import decoded, disk, wire
from tests.damages.subjects import Subject
from tests.damages.verdict import Judge, Verdict
from tests.differential.campaign import offline
from tests.differential.in_process import decode
from tests.support.child import Child
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.system.cancellation import NEVER

TOGETHER = 20
"""Cases whose tools have one process group."""
DEFECTS = ("wrong", "not cured")
NAMED = ("crash", "undefined")
"""Ends that are no defects, whose cases are named all the same."""


@dataclass
class Results:
    """The results of the cases of a campaign."""

    ends: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """The number of cases by the place of the damage, the end, and what proved the bytes or the reason."""
    defects: list[str] = field(default_factory=list)
    """Sentences about the cases that must not end so."""
    named: list[str] = field(default_factory=list)
    """Sentences about cases that may end so."""

    def add(self, where: str, case: object, seed: str, verdict: Verdict) -> None:
        """Count a case."""
        self.ends[where, verdict.end, "" if verdict.end == "wrong" else verdict.detail] += 1
        sentence = f"{verdict.end} ({verdict.detail}), seed {seed!r}: {case}"
        if verdict.end in DEFECTS:
            self.defects.append(sentence)
        elif verdict.end in NAMED:
            self.named.append(sentence)

    def merge(self, other: "Results") -> None:
        """Add the counts of another campaign."""
        self.ends += other.ends
        self.defects += other.defects
        self.named += other.named

    def lines(self) -> Iterator[str]:
        """Yield a table of the counts."""
        for (where, end, detail), number in sorted(self.ends.items()):
            yield f"{where:8} {end:10} {detail:30} {number:6}"


@contextmanager
def judging(directory: Path, reads: dict[str, str]) -> Iterator[Judge]:
    """Provide a judge whose tools run below a directory; `reads` is what it remembers."""
    tools = directory / "tools"
    tools.mkdir(exist_ok=True)
    with ToolGroup(tools, NEVER, lambda text: None) as group:
        yield Judge(group, reads)


def run_decoded(subjects: int, seed: str, cases: int, report: Callable[[int], None] = lambda done: None) -> Results:
    """Give so many damaged archives to the in-process decoder; `subjects` archives are damaged."""
    results = Results()
    with tempfile.TemporaryDirectory(prefix="damages-") as name, offline(Path(name)), Child(decode) as child:
        made, scratch = Path(name, "made"), Path(name, "case")
        made.mkdir()
        scratch.mkdir()
        archives = decoded.decodable_archives(subjects, seed, made, child)
        for number in range(cases):
            one = f"{seed}-{number}"
            case = decoded.draw_case(archives, one)
            results.add("decoded", case, one, decoded.run_case(case, archives, scratch, child))
            report(number + 1)
    return results


def run_campaign(
    subjects: Sequence[Subject],
    seed: str,
    wire_cases: int,
    disk_cases: int,
    report: Callable[[int], None] = lambda done: None,
) -> Results:
    """Run so many cases of each kind."""
    results = Results()
    reads: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="damages-") as name:
        root = Path(name)
        for start in range(0, wire_cases + disk_cases, TOGETHER):
            with judging(root, reads) as judge:  # leaving it kills tools that did not end in time
                for number in range(start, min(start + TOGETHER, wire_cases + disk_cases)):
                    one = f"{seed}-{number}"
                    scratch = root / "case"
                    scratch.mkdir()
                    if number < wire_cases:
                        case = wire.draw_case(subjects, one)
                        other = Random(one).choice(subjects).data
                        results.add("wire", case, one, wire.run_case(case, other, scratch, judge))
                    else:
                        damaged = disk.draw_case(subjects, one)
                        results.add("disk", damaged, one, disk.run_case(damaged, scratch, judge))
                    shutil.rmtree(scratch)
                    report(number + 1)
    return results
