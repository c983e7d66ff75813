"""`wort compute --report FILE` writes a line for each run that ended; `wort import` takes the file elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import small_world
from tests.support.memory_store import MemoryStore
from tests.support.small_world import SmallWorld, wrong
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.signature_file import Sketch

DONE, GONE, BROKEN, LATER = "SRR000001", "SRR000002", "SRR000003", "SRR000004"
FAILURES = {GONE: Reason.NOT_FOUND, BROKEN: Reason.CORRUPT, LATER: Reason.DISK_LOW}


@pytest.fixture(autouse=True)
def failures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have some runs fail."""
    sketches = small_world.reference_sketches

    def fail(name: str) -> tuple[Sketch, ...]:
        if name in FAILURES:
            raise JobFailed(FAILURES[name], "as the test wants it")
        return sketches(name)

    monkeypatch.setattr(small_world, "reference_sketches", fail)


@pytest.fixture
def node(tmp_path: Path) -> SmallWorld:
    """The home of a task."""
    return SmallWorld(tmp_path / "node", MemoryStore())


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return SmallWorld(tmp_path / "home", MemoryStore())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def report(node: SmallWorld, path: Path, *runs: str) -> list[dict[str, Any]]:
    node("compute", *(runs or (DONE, GONE, BROKEN, LATER)), "--now", "--no-upload", "--report", str(path))
    return lines(path)


def test_each_run_has_a_line_with_state_reason_and_digest(node: SmallWorld, tmp_path: Path) -> None:
    found = report(node, tmp_path / "r.jsonl")
    assert [(line["name"], line["state"], line["reason"]) for line in found] == [
        (DONE, "done", None),
        (GONE, "unavailable", "not-found"),
        (BROKEN, "failed", "corrupt"),
        (LATER, "waiting", "disk-low"),
    ]
    record = node.record(DONE)
    assert record is not None
    assert (found[0]["digest"], found[0]["path"]) == (record.digest, str(node.file(DONE)))
    assert found[0]["bases"] == record.provenance.bases and found[0]["seconds"] >= 0
    assert found[1]["message"] == "as the test wants it"
    assert all(line["schema"] == 1 and line.keys() == found[0].keys() for line in found)


def test_line_is_written_before_the_next_run_begins(
    node: SmallWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sketches, seen = small_world.reference_sketches, {}

    def look(name: str) -> tuple[Sketch, ...]:
        seen[name] = [line["name"] for line in lines(tmp_path / "r.jsonl")]
        return sketches(name)

    monkeypatch.setattr(small_world, "reference_sketches", look)
    report(node, tmp_path / "r.jsonl", DONE, "SRR000005")
    assert seen == {DONE: [], "SRR000005": [DONE]}


def test_second_task_adds_to_the_file_what_is_there_already(node: SmallWorld, tmp_path: Path) -> None:
    report(node, tmp_path / "r.jsonl", DONE, GONE)
    found = report(node, tmp_path / "r.jsonl", DONE, GONE)
    assert [(line["name"], line["state"]) for line in found] == [(DONE, "done"), (GONE, "unavailable")] * 2
    assert (found[2]["seconds"], found[2]["digest"]) == (None, found[0]["digest"])


def test_report_that_cannot_be_written_starts_nothing(node: SmallWorld, tmp_path: Path) -> None:
    done = node("compute", DONE, "--now", "--report", str(tmp_path / "none" / "r.jsonl"))
    assert done.code != 0 and "--report" in done.err
    assert "SRR" not in node("status", "--all").out
    assert node("compute", DONE, "--report", str(tmp_path / "r.jsonl")).code == 2
    assert not (tmp_path / "r.jsonl").exists()


def test_imported_report_says_which_runs_are_unavailable(node: SmallWorld, world: SmallWorld, tmp_path: Path) -> None:
    report(node, tmp_path / "r.jsonl")
    done = world("import", str(tmp_path / "r.jsonl"), str(node.settings.store_dir))
    assert done.code == 0
    assert "1 report: 1 done, 1 failed, 1 waiting, 1 unavailable" in done.err
    assert world.record(DONE) is not None
    again = world("compute", GONE, BROKEN)
    assert [line.split("\t")[:2] for line in again.out.splitlines()[1:]] == [[GONE, "unavailable"], [BROKEN, "queued"]]
    assert world.job(GONE) == ("unavailable", "not-found")


def test_last_line_of_a_run_counts_and_a_dry_run_changes_nothing(
    node: SmallWorld, world: SmallWorld, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    (line,) = report(node, path, GONE)
    assert world("import", str(path), "--dry-run").code == 0
    assert "queued" in world("compute", GONE, "-n").out
    path.write_text(f"{json.dumps(line)}\n{json.dumps({**line, 'state': 'failed', 'reason': 'corrupt'})}\n")
    assert "1 failed" in world("import", str(path)).err
    assert "queued" in world("compute", GONE, "-n").out


def test_signature_with_another_digest_than_the_report_is_named(
    node: SmallWorld, world: SmallWorld, tmp_path: Path
) -> None:
    report(node, tmp_path / "r.jsonl", DONE)
    (tmp_path / "x.sig").write_bytes(wrong(DONE))
    done = world("import", str(tmp_path / "x.sig"), str(tmp_path / "r.jsonl"))
    assert (done.code, "another signature than the report" in done.out) == (1, True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": 2}, "later version"),
        ({"state": "good"}, "no name, profile or state"),
        ({"name": 5}, "no name, profile or state"),
        ({"name": "../x"}, "cannot be the name"),
        ({"reason": "because"}, "its reason is unknown"),
        ({"profile": "\ud800"}, "the name of a profile"),
        (None, "Expecting value"),
        ([], "is not a line that"),
    ],
    ids=["later", "state", "number", "path", "reason", "profile", "text", "list"],
)
def test_file_that_is_no_report_is_refused_as_a_whole(
    change: object, why: str, node: SmallWorld, world: SmallWorld, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    (line,) = report(node, path, GONE)
    bad = json.dumps({**line, **change} if isinstance(change, dict) else change) if change is not None else "x"
    path.write_text(f"{json.dumps(line)}\n{bad}\n")
    done = world("import", str(path))
    assert (done.code, "line 2" in done.out, why in done.out) == (1, True, True)
    assert "queued" in world("compute", GONE, "-n").out


def test_incomplete_last_line_is_passed_over(node: SmallWorld, world: SmallWorld, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    report(node, path, GONE)
    path.write_text(path.read_text() + '{"schema": 1, "na')
    assert "1 unavailable" in world("import", str(path)).err


def test_try_after_one_that_could_not_end_its_line_reports_all_runs(
    node: SmallWorld, world: SmallWorld, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"schema": 1, "na')
    node("compute", GONE, BROKEN, "--now", "--report", str(path))
    assert "1 report: 1 failed, 1 unavailable" in world("import", str(path)).err
    assert world("compute", GONE).out.splitlines()[1].split("\t")[:2] == [GONE, "unavailable"]


def test_count_that_no_wort_writes_is_not_known(node: SmallWorld, world: SmallWorld, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    report(node, path, GONE)
    path.write_text(path.read_text().replace('"bases": null', '"bases": 1e999'))
    assert "1 unavailable" in world("import", str(path)).err


def test_import_explains_runs_of_all_reports_once_and_says_where_signatures_are(
    node: SmallWorld, world: SmallWorld, tmp_path: Path
) -> None:
    """A run that one task has computed is done, whatever another one says later; else its newest line counts."""
    done, broken = report(node, tmp_path / "r.jsonl", DONE, BROKEN)
    failed = {**done, "state": "failed", "reason": "corrupt", "ended_at": "2999-01-01T00:00:00Z"}
    older = {**broken, "reason": "incomplete", "ended_at": "1999-01-01T00:00:00Z"}
    (tmp_path / "s.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in (failed, older)))
    said = world("import", str(tmp_path / "r.jsonl"), str(tmp_path / "s.jsonl")).err
    assert "2 reports: 1 done, 1 failed\n" in said
    assert said.count(BROKEN) == 1 and f"{BROKEN}: failed, corrupt" in said and f"{DONE}:" not in said
    assert "run the task again" in said and "wort retry" not in said
    assert "1 signature not here yet: `wort sync pull`" in said
    world("import", str(node.settings.store_dir))
    assert "not here yet" not in world("import", str(tmp_path / "r.jsonl")).err


def test_task_says_nothing_of_a_daemon_that_it_does_not_have(node: SmallWorld, tmp_path: Path) -> None:
    task = node("compute", BROKEN, LATER, "--now", "--report", str(tmp_path / "r.jsonl")).err
    assert "of 2 runs: 1 failed, 1 waiting" in task and "daemon" not in task and "wort retry" not in task
    assert "another try of the task computes it" in task
    assert f"{BROKEN}: failed, corrupt\n" in task, "a line when the run has ended"
