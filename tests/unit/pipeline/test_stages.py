"""A job of the daemon takes a slot before it uses the processor, and fetches ahead only if there is room for that."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job import Progress
from wort_cli.model.lease import DAEMON
from wort_cli.pipeline import stages
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.attempt import READY, Attempt
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.sketching import loops
from wort_cli.pipeline.toolkit.processes import Processes
from wort_cli.pipeline.workspace import Workspace
from wort_cli.settings import load_settings
from wort_cli.system.cancellation import NEVER, Cancellation
from wort_cli.system.process_identity import own_identity
from wort_cli.system.slots import Slots

ARCHIVE = Archive("/x.sra", Path("/x.sra"), 1, 100, 1000)


class Recorder:
    """A watcher that keeps the stages."""

    def __init__(self) -> None:
        self.cancellation: Cancellation = NEVER
        self.stages: list[str] = []

    def report(self, progress: Progress) -> None:
        self.stages.append(progress.stage)


@contextlib.contextmanager
def attempt_of(owner: str, home: Path, watcher: Recorder) -> Iterator[Attempt]:
    """Yield an attempt of the daemon, or of a process with --now."""
    settings = load_settings({"WORT_HOME": str(home), "WORT_JOBS": "1"})
    settings.make_directories()
    ledger = Ledger(settings.ledger_file)
    (answer,) = ledger.jobs.enqueue([request("SRR000001")])
    job = ledger.attempts.claim(answer.job_id or 0, owner, 60)
    ledger.close()
    assert job is not None
    spec = JobSpec.of(job, settings, jobs=1)
    workspace = Workspace(spec.workspace, 1)
    workspace.create()
    with Attempt(spec, watcher, workspace, lambda _: None, Processes(job.owner, own_identity())) as attempt:
        yield attempt


def test_attempt_of_the_daemon_holds_a_slot_until_it_releases_it(tmp_path: Path) -> None:
    watcher = Recorder()
    with attempt_of(DAEMON, tmp_path, watcher) as attempt:
        slots = tmp_path / "slots"
        for _ in range(2):
            attempt.take_slot()
            attempt.take_slot()
            assert len(list(slots.glob("held-*"))) == 1
            attempt.release_slot()
            assert list(slots.glob("held-*")) == []
        attempt.take_slot()
    assert list(slots.glob("held-*")) == [], "it is released at the end"
    assert watcher.stages == [READY] * 3


def test_attempt_with_now_needs_no_slot(tmp_path: Path) -> None:
    watcher = Recorder()
    with attempt_of("process 7 on host", tmp_path, watcher) as attempt:
        assert attempt.has_slot
        attempt.take_slot()
    assert watcher.stages == []
    assert not (tmp_path / "slots").exists()


def test_stage_before_the_first_spot_says_that_loops_are_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Recorder()
    with attempt_of(DAEMON, tmp_path, watcher) as attempt:
        for modules in ({"kernel"}, set[str]()):
            monkeypatch.setattr(loops, "being_compiled", modules)
            for stage, spots in (("fetching", 0), ("preparing", 0), ("sketching", 0), ("sketching", 1)):
                attempt.report(stage, spots, 10)
    assert watcher.stages[:4] == ["fetching", "compiling", "compiling", "sketching"]
    assert watcher.stages[4:] == ["fetching", "preparing", "sketching", "sketching"]


@pytest.mark.parametrize(
    ("owner", "reasons", "fetched"),
    [
        (DAEMON, [Reason.DISK_LOW], True),
        (DAEMON, [Reason.DISK_LOW, Reason.DISK_LOW], False),
        (DAEMON, [Reason.NETWORK], False),
        ("process 7 on host", [Reason.DISK_LOW], False),
    ],
)
def test_archive_without_room_is_fetched_when_it_is_the_turn_of_its_job(
    owner: str, reasons: list[Reason], fetched: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = list(reasons)

    def download(attempt: Attempt, _: object, *, early: bool = False) -> Archive:
        assert not early
        if left:
            raise JobFailed(left.pop(0), "the disk is small")
        assert attempt.has_slot
        return ARCHIVE

    monkeypatch.setattr(stages, "locate_archive", lambda *_: None)
    monkeypatch.setattr(stages, "download_archive", download)
    monkeypatch.setattr(stages, "provide_references", lambda archive, *_: archive)
    with attempt_of(owner, tmp_path, Recorder()) as attempt, attempt.tools() as tools:
        if fetched:
            assert stages.archive_of(attempt, tools) == ARCHIVE
        else:
            with pytest.raises(JobFailed) as caught:
                stages.archive_of(attempt, tools)
            assert caught.value.failure.reason is reasons[-1]
        assert left == []
        assert Slots(tmp_path / "slots", 1).is_wanted() is False
