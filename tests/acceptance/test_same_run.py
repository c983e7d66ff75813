"""Two tasks that have the same run at the same time are harmless: both succeed, and there is one signature."""

import json
from pathlib import Path

import pytest

from tests.support.bucket import Bucket
from tests.support.forty_runs import RUNS, FortyRuns
from tests.support.homes import Home
from tests.support.shelf import Shelf


@pytest.mark.parametrize("store", ["directory", "bucket"])
def test_two_tasks_with_the_same_run_both_succeed(
    store: str, home: Home, shelf: Shelf, request: pytest.FixtureRequest
) -> None:
    runs, run = FortyRuns(home, shelf), RUNS[0]
    bucket: Bucket | None = request.getfixturevalue("bucket") if store == "bucket" else None
    env = {**runs.env, **({} if bucket else {"WORT_S3_BUCKET": f"file://{runs.shared}"})}
    runs.hold(run)
    reports = [home.root / f"report-{number}.jsonl" for number in (1, 2)]

    def task(number: int) -> dict[str, str]:
        return {**env, "WORT_HOME": str(home.path / f"node-{number}")}

    with (
        home.running("compute", run, "--now", "--report", reports[0], env=task(1)) as first,
        home.running("compute", run, "--now", "--report", reports[1], env=task(2)) as second,
    ):
        runs.until_held(run, 2)
        runs.release(run)
        first.wait().expect(0)
        second.wait().expect(0)
    lines = [json.loads(path.read_text()) for path in reports]
    assert [line["state"] for line in lines] == ["done", "done"]
    assert lines[0]["digest"] == lines[1]["digest"]
    keys = bucket.all_keys() if bucket else [str(path.relative_to(runs.shared)) for path in objects(runs.shared)]
    assert keys == [f"prov/{run}.json", f"sigs/{run}.sig"]
    if bucket:
        assert bucket.signature(run) == runs.reference(run)
    assert "in the bucket" in home("compute", run, "--now", env=task(3)).expect(0).out
    assert home.leftovers() == []


def objects(directory: Path) -> list[Path]:
    """Return the files of a shared directory that are objects."""
    return sorted(path for path in directory.rglob("*") if path.is_file() and ".wort" not in path.parts)
