"""All attempts of a job append to one log, which does not grow without bound."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import job_spec
from wort_cli.pipeline.job_log import CUT, KEPT_SIZE, MAX_SIZE, job_log
from wort_cli.pipeline.job_spec import JobSpec


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    """The spec of a job without a log."""
    return job_spec(tmp_path)


def test_attempts_append_lines_with_their_number(spec: JobSpec) -> None:
    for attempt in (1, 2):
        with job_log(replace(spec, attempt=attempt)) as log:
            log("one\ntwo")
    lines = spec.log.read_text().splitlines()
    assert [line.split(" ", 2)[2] for line in lines if line.endswith(("one", "two"))] == [
        "[1] one",
        "[1] two",
        "[2] one",
        "[2] two",
    ]


def test_long_log_is_cut_to_its_end(spec: JobSpec) -> None:
    with job_log(spec) as log:
        log("\n".join(f"line {number}" for number in range(MAX_SIZE // 20)))
        assert spec.log.stat().st_size > MAX_SIZE
    with job_log(replace(spec, attempt=2)) as log:
        log("the last")
    data = spec.log.read_bytes()
    assert data.startswith(CUT)
    assert KEPT_SIZE - 100 < len(data) < KEPT_SIZE + 300
    lines = data.decode().splitlines()
    assert all(" [1] line " in line for line in lines[1:-2])
    assert lines[-3].endswith(f"line {MAX_SIZE // 20 - 1}")
    assert lines[-1].endswith("[2] the last")


def test_short_log_is_not_cut(spec: JobSpec) -> None:
    spec.log.parent.mkdir(parents=True)
    spec.log.write_bytes(b"x" * (MAX_SIZE - 1) + b"\n")
    with job_log(spec):
        pass
    assert spec.log.read_bytes().startswith(b"x" * (MAX_SIZE - 1) + b"\n")
