"""Parts of the differential test (`make differential`) and of the damages for the in-process decoder (`make damages`)."""

from tests.damages.campaign import run_decoded
from tests.differential.campaign import run_campaign
from tests.differential.cases import draw_case
from tests.differential.judge import SAME

ARCHIVES = 24


def test_in_process_decoder_returns_the_reads_of_fastq_dump() -> None:
    results = run_campaign(draw_case(f"suite-{number}") for number in range(ARCHIVES))
    assert results.defects == []
    same = {layout for layout, end in results.ends if end == SAME}
    assert len(same) >= ARCHIVES // 3
    assert any(layout.startswith("aligned") for layout in same)


def test_damaged_archives_are_decoded_as_by_fastq_dump_or_declined() -> None:
    results = run_decoded(subjects=4, seed="suite", cases=40)
    assert results.defects == []
    assert sum(results.ends.values()) == 40
    assert {"right", "reason"} <= {end for _, end, _ in results.ends}
