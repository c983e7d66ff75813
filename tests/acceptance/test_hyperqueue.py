"""The files of `wort batch hyperqueue` run on a real HyperQueue: one task is killed, and one is asked to end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import ROOT, blocks_of_section
from tests.support.forty_runs import RUNS, FortyRuns, kill_task, process_of_task
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf


@pytest.fixture
def runs(home: Home, shelf: Shelf) -> FortyRuns:
    """Forty runs."""
    return FortyRuns(home, shelf)


@pytest.fixture
def server(home: Home, runs: FortyRuns) -> Iterator[Path]:
    """The directory of a server with two workers, whose tasks have the environment of the home."""
    directory = home.root / "home" / ".hq-server"  # where clients look for it
    directory.mkdir()
    cluster = subprocess.Popen(
        [sys.executable, "-m", "tests.support.local_hyperqueue", str(directory)],
        env={**os.environ, **home.env, **runs.env, "WORT_BATCH_PAUSE": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with cluster:
        assert cluster.stdout is not None and cluster.stdin is not None
        assert b"ready\n" in cluster.stdout, "it prints a table before"
        yield directory
        cluster.stdin.close()


@pytest.mark.timeout(900)
def test_job_of_forty_runs_survives_a_kill_and_a_task_that_is_asked_to_end(
    home: Home, server: Path, runs: FortyRuns
) -> None:
    batch, killed, stopped = runs.batch("hyperqueue")
    submit = [sys.executable, str(batch / "submit.py"), "--server-dir", str(server)]
    with subprocess.Popen(submit, cwd=home.cwd, stderr=subprocess.PIPE) as submitted:
        runs.until_held(killed)
        kill_task(batch, 1)
        runs.until_held(stopped)
        asked = process_of_task(batch, 2)
        os.kill(asked, signal.SIGTERM)
        until(lambda: not Path(f"/proc/{asked}").exists(), "the process that was asked to end has ended")
        runs.release(killed)
        runs.release(stopped)
        _, errors = submitted.communicate()
    assert submitted.returncode == 0, errors
    runs.check_directory()
    states = runs.check_reports(batch / "reports")
    assert states["queued"] > 0, "the task that was asked to end reported what it had not computed"
    home("import", batch / "reports").expect(0)

    again = subprocess.run([*submit, "1", "5"], cwd=home.cwd, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr
    runs.check_directory()


@pytest.mark.usefixtures("server")
def test_section_about_hyperqueue_is_right_to_the_letter(home: Home, runs: FortyRuns) -> None:
    (home.root / "home" / "runs.txt").write_text("\n".join(RUNS[:3]) + "\n", "ascii")
    (block,) = blocks_of_section(ROOT / "docs" / "clusters.md", "HyperQueue")
    runs.in_shell(block.text, runs.shell(home))
    assert [row[0] for row in home("ls").rows()] == list(RUNS[:3])
    for run in RUNS[:3]:
        assert home.signature(run) == runs.reference(run)
