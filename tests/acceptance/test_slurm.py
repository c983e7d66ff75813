"""The files of `wort batch slurm` run on a real Slurm: tasks are killed and preempted, and a node is drained."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import ROOT, blocks_of_section
from tests.support.forty_runs import RUNS, FortyRuns, kill_task
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf
from tests.support.slurm import Slurm


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[Slurm]:
    """A cluster of two nodes."""
    root = tmp_path / "slurm"
    root.mkdir()
    with Slurm(root) as made:
        yield made


@pytest.fixture
def runs(home: Home, shelf: Shelf) -> FortyRuns:
    """Forty runs."""
    return FortyRuns(home, shelf)


@pytest.mark.timeout(900)
def test_array_of_forty_runs_survives_kill_preemption_and_drained_node(
    home: Home, slurm: Slurm, runs: FortyRuns
) -> None:
    batch, killed, preempted = runs.batch("slurm", "--memory", "900M", "--partition", "low")
    job = slurm.run("sbatch", "--parsable", batch / "job.sbatch", env={**home.env, **runs.env}).strip()

    runs.until_held(killed)
    runs.until_held(preempted)
    kill_task(batch, 1)
    until(lambda: slurm.tasks()["1"][0] == "PENDING", "the killed task is started again later")
    runs.release(killed)
    slurm.run("scontrol", "update", f"jobid={job}_1", "starttime=now")  # not in two minutes

    node = slurm.tasks()["2"][1]
    urgent = slurm.run("sbatch", "--parsable", "-p", "high", "-w", node, "-o", "/dev/null", "--wrap", "true").strip()
    until(lambda: slurm.tasks()["2"][0] == "PENDING", "the preempted task is started again later")
    until(lambda: urgent not in slurm.run("squeue", "--noheader", "--format=%i").split(), "the urgent job ends")
    runs.release(preempted)
    slurm.run("scontrol", "update", f"jobid={job}_2", "starttime=now")

    slurm.run("scontrol", "update", "nodename=n1", "state=drain", "reason=test")
    until(lambda: slurm.states()["n1"] == "drained", "the drained node finishes its task")
    slurm.run("scontrol", "update", "nodename=n1", "state=resume")
    until(slurm.is_idle, "all tasks end")

    runs.check_directory()
    states = runs.check_reports(batch / "reports")
    assert states["queued"] > 0, "the preempted task reported what it had not computed"
    assert states["done"] >= len(RUNS)
    logs = "".join(path.read_text() for path in (batch / "logs").iterdir())
    assert "Traceback" not in logs
    assert logs.count("asks Slurm for another try, number 2 of 5") == 1, "that of the killed task"
    home("import", batch / "reports").expect(0, "8 reports: 40 done", "40 signatures not here yet")
    home("sync", "pull", env={"WORT_S3_BUCKET": f"file://{runs.shared}"}).expect(0)
    assert len(home("ls").rows()) == len(RUNS)
    home("import", batch / "reports").expect(0)


@pytest.mark.timeout(900)
def test_section_about_slurm_is_right_to_the_letter(home: Home, slurm: Slurm, runs: FortyRuns) -> None:
    """The user waits for the empty queue between the two blocks."""
    (home.root / "home" / "runs.txt").write_text("\n".join(RUNS[:3]) + "\n", "ascii")
    env = runs.shell(home) | slurm.env
    first, second = blocks_of_section(ROOT / "docs" / "clusters.md", "Slurm")
    runs.in_shell(first.text, env)
    until(slurm.is_idle, "all tasks end")
    runs.in_shell(second.text, env)
    (left,) = blocks_of_section(ROOT / "docs" / "clusters.md", "Progress and retries")
    runs.in_shell(left.text, env)
    assert (home.root / "home" / "left.txt").read_text() == ""
    assert [row[0] for row in home("ls").rows()] == list(RUNS[:3])
    for run in RUNS[:3]:
        assert home.signature(run) == runs.reference(run)
