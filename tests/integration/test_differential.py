"""Parts of the differential test and of the campaign of damages (`make differential`, `make damages`)."""

from tests.damages.campaign import run_decoded
from tests.differential.campaign import run_campaign
from tests.differential.cases import draw_case
from tests.differential.judge import SAME

ARCHIVES = 20


def test_in_process_decoder_returns_the_reads_of_fastq_dump() -> None:
    results = run_campaign(draw_case(f"suite-{number}") for number in range(ARCHIVES))
    assert results.defects == []
    same = {layout for layout, end in results.ends if end == SAME}
    assert len(same) >= ARCHIVES // 3
    assert any(layout.startswith("aligned") for layout in same)


def test_damaged_archives_are_decoded_as_by_fastq_dump_or_declined() -> None:
    results = run_decoded(subjects=3, seed="suite", cases=30)
    assert results.defects == []
    assert sum(results.ends.values()) == 30
    assert {"right", "reason"} <= {end for _, end, _ in results.ends}
