"""One table has all names and places of archives on disk, and a file named after a run is that run."""

from pathlib import Path

import pytest

from wort_cli.model.archive_format import Format
from wort_cli.pipeline.archives.archive_names import (
    ENDINGS,
    PLACES,
    Ending,
    ending_of,
    is_archive_name,
    places_of,
    run_named_by,
    stem_of,
)

RUN = "SRR139146"
LAYOUTS = {
    "SRR139146/SRR139146.sra", "SRR139146/SRR139146.csra", "SRR139146/SRR139146.kar", "SRR139146/SRR139146",
    "SRR139146/SRR139146.sra.1", "SRR139146/SRR139146.1", "SRR139146/SRR139146.sralite", "SRR139146/SRR139146.lite",
    "SRR139146/SRR139146.sralite.1", "SRR139146/SRR139146.lite.1", "SRR139146/SRR139146.sra.columns",
    "SRR139146/SRR139146.sralite.columns",
    "SRR139146.sra", "SRR139146.csra", "SRR139146.kar", "SRR139146", "SRR139146.sra.1", "SRR139146.1",
    "SRR139146.sralite", "SRR139146.lite", "SRR139146.sralite.1", "SRR139146.lite.1", "SRR139146.sra.columns",
    "SRR139146.sralite.columns",
}  # fmt: skip


def test_table_has_exactly_these_layouts() -> None:
    assert {str(path) for path in places_of(RUN, Path())} == LAYOUTS
    assert len(LAYOUTS) == len(ENDINGS) * len(PLACES)


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.text or "none")
def test_file_with_an_ending_of_the_table_is_its_run(ending: Ending) -> None:
    assert run_named_by(f"{RUN}{ending.text}") == RUN
    assert stem_of(f"{RUN}{ending.text}") == RUN
    assert ending_of(f"{RUN}{ending.text}") == ending
    assert is_archive_name(f"{RUN}{ending.text}") == (ending.text != "")
    assert ("lite" in ending.text) == (ending.format is Format.LITE)


@pytest.mark.parametrize("name", ["SRR139146.2", "SRR139146.sralite.3", "SRR139146.lite.12"])
def test_any_version_of_an_archive_is_its_run(name: str) -> None:
    assert (run_named_by(name), stem_of(name)) == (RUN, RUN)


@pytest.mark.parametrize(
    ("filename", "name"),
    [("x.sra", "x"), ("x.sralite", "x"), ("x.csra", "x"), ("x.kar", "x"), ("x", "x"), ("x.fastq", "x.fastq"),
     ("x.sra.sra", "x.sra"), (".sra", ""), ("a.b.sra", "a.b"), ("x.1", "x.1"), ("x.lite", "x.lite"),
     ("SRR139146.0", "SRR139146.0"), ("SRR139146.123", "SRR139146.123"), ("SRR1.sra", "SRR1"),
     ("SRR139146.fastq", "SRR139146.fastq"), ("SRR139146.sra.sra", "SRR139146.sra")],
)  # fmt: skip
def test_stem_of_another_name_is_the_name_without_one_general_ending(filename: str, name: str) -> None:
    assert stem_of(filename) == name
    assert run_named_by(filename) == ""
