"""Parts of the differential test and of the campaign of damages (`make differential`, `make damages`)."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.damages.campaign import run_decoded
from tests.differential.campaign import run_campaign
from tests.differential.cases import draw_case
from tests.differential.fastq_dump import records_of
from tests.differential.in_process import Declined, Decoded, Question, decode
from tests.differential.judge import DIED, DIFFERENT, SAME, UNDEFINED, Verdict, judge
from tests.support.archives import build, load_illumina
from tests.support.child import Child, ChildDied
from tests.support.simulated_spots import odd_spots

ARCHIVES = 16


def test_in_process_decoder_returns_the_reads_of_fastq_dump() -> None:
    results = run_campaign(draw_case(f"suite-{number}") for number in range(ARCHIVES))
    assert results.defects == []
    same = {layout for layout, end in results.ends if end == SAME}
    assert len(same) >= ARCHIVES // 3
    assert any(layout.startswith("aligned") for layout in same)


def test_damaged_archives_are_decoded_as_by_fastq_dump_or_declined() -> None:
    results = run_decoded(subjects=2, seed="suite", cases=20)
    assert results.defects == []
    assert sum(results.ends.values()) == 20
    assert {"right", "reason"} <= {end for _, end, _ in results.ends}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("differential") / "case.sra", odd_spots(Random(1), 20), load_illumina)


def answer(question: Question, change: Callable[[Decoded], Decoded]) -> list[Decoded] | Declined:
    answers = decode(question)
    return answers if isinstance(answers, Declined) else [change(decoded) for decoded in answers]


@pytest.mark.parametrize(
    "change",
    [
        lambda decoded: replace(decoded, text=decoded.text[:-2] + b"NN"),
        lambda decoded: replace(decoded, reads=decoded.reads + 1),
        lambda decoded: replace(decoded, spots=decoded.spots - 1),
    ],
    ids=["another base", "another count of reads", "another count of spots"],
)
def test_difference_is_reported(archive: Path, change: Callable[[Decoded], Decoded]) -> None:
    with Child(lambda question: answer(question, change)) as child:
        assert judge(archive, 20, child, Random(1)).end == DIFFERENT


def test_difference_that_a_new_process_does_not_have_is_undefined(archive: Path) -> None:
    """The library reads memory in which another archive was."""
    asked: list[Question] = []

    def forget(question: Question) -> list[Decoded] | Declined:
        asked.append(question)
        return answer(question, lambda decoded: replace(decoded, reads=decoded.reads + len(asked) - 1))

    with Child(forget) as child:
        assert judge(archive, 20, child, Random(1)).end == SAME
        assert judge(archive, 20, child, Random(1)).end == UNDEFINED


def test_reads_with_line_feeds_are_split_by_their_lengths() -> None:
    text = b">a.b.1.1 length=3\nACG\n>a.b.1.2 x\ny length=4\nAC\nG\n>a.3.1 length=0\n\n"
    assert list(records_of(text)) == [(1, b"ACG"), (1, b"AC\nG"), (3, b"")]


def test_crash_is_reported_and_ends_only_the_child(archive: Path) -> None:
    with Child(lambda question: os.kill(os.getpid(), signal.SIGSEGV)) as child:
        for _ in range(2):
            assert judge(archive, 20, child, Random(1)) == Verdict(DIED, "SIGSEGV")


def test_child_that_hangs_is_killed() -> None:
    with Child(time.sleep) as child:
        with pytest.raises(ChildDied, match="no answer within"):
            child.ask(60, timeout=0.1)
        assert child.ask(0, timeout=300) is None
