"""The scripts that `wort batch` writes try again by the exit codes of the documents; the log says what they do."""

import json
import os
import re
import shlex
import subprocess
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.batches import FAKE, HOSTILE, PLAIN, written
from tests.support.documents import ROOT
from wort_cli.errors import ExitCode

TRIES = 3
ENGINES = ("slurm", "hyperqueue", "snakemake")
"""Engines whose scripts try again on their own."""


def codes_of_document() -> dict[int, bool]:
    """Return whether another try may help, for each exit code of the table; 137 and 143 are more than 128."""
    text = (ROOT / "docs" / "clusters.md").read_text("utf-8")
    table = re.search(r"^\| exit code \|.*?(?=\n\n)", text, re.M | re.S)
    assert table is not None
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]
    found = {code: row[2] == "yes" for row in rows for code in ([137, 143] if "128" in row[0] else [int(row[0])])}
    assert len(rows) == 7
    return found


CODES = codes_of_document()


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    """The directory of a batch, with a fake wort that ends with the code of CODE, and a fake scontrol."""
    for name in ("tasks", "logs", "reports", "scratch"):
        (tmp_path / name).mkdir()
    for name, text in (
        ("wort", f"{FAKE}echo >>{tmp_path}/tried\nexit $CODE\n"),
        ("scontrol", f"echo >>{tmp_path}/again\n"),
    ):
        (tmp_path / name).write_text(text if text.startswith("#!") else f"#!/bin/bash\n{text}")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def run(engine: str, directory: Path, code: int = 0, *, restarts: int = 0, has_config: bool = False) -> tuple[int, int]:
    """Run the script of a task; return its exit code, and how often wort is tried, by the script or by Slurm."""
    asked = replace(PLAIN, directory=directory, program=str(directory / "wort"), has_config=has_config, tries=TRIES)
    made = written(engine, asked).files
    (directory / "script").write_text(made.get("job.sbatch") or made["task.sh"])
    env = {
        **os.environ,
        "CODE": str(code),
        "PATH": f"{directory}:{os.environ['PATH']}",
        "TMPDIR": str(directory / "scratch"),
        "WORT_BATCH_PAUSE": "0",
        "SLURM_ARRAY_TASK_ID": "1",
        "SLURM_ARRAY_JOB_ID": "7",
        "SLURM_RESTART_COUNT": str(restarts),
        "HQ_JOB_ID": "1",
    }
    done = subprocess.run(["bash", str(directory / "script"), "1"], env=env, check=False)
    counts = [len(path.read_text()) if path.exists() else 0 for path in (directory / "tried", directory / "again")]
    return done.returncode, sum(counts)


def log(directory: Path) -> str:
    return (directory / "logs" / "task-1.log").read_text()


def test_table_has_the_codes_that_compute_ends_with() -> None:
    of_wort = {ExitCode.OK, ExitCode.SOME_FAILED, ExitCode.USAGE, ExitCode.UNAVAILABLE, ExitCode.TEMPORARY}
    assert {int(code) for code in of_wort} | {127, 137, 143} == set(CODES)
    assert {code for code, again in CODES.items() if again} == {ExitCode.TEMPORARY, 137, 143}


@pytest.mark.parametrize("code", CODES)
def test_slurm_is_asked_for_another_try_only_if_that_may_help(code: int, batch: Path) -> None:
    assert run("slurm", batch, code) == (code, 2 if CODES[code] else 1)
    assert f"task 1 ended with exit code {code}\n" in log(batch)
    assert ("asks Slurm for another try, number 2 of 3" in log(batch)) is CODES[code]
    assert list((batch / "scratch").iterdir()) == []


def test_slurm_is_asked_no_more_after_the_last_try(batch: Path) -> None:
    assert run("slurm", batch, 75, restarts=TRIES - 1) == (75, 1)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("engine", ["hyperqueue", "snakemake"])
def test_script_tries_again_only_if_that_may_help(engine: str, code: int, batch: Path) -> None:
    assert run(engine, batch, code) == (code, TRIES if CODES[code] else 1)
    assert log(batch).count(" starts with wort 0.1.0, in ") == (TRIES if CODES[code] else 1)
    assert list((batch / "scratch").iterdir()) == []


@pytest.mark.parametrize("code", CODES)
def test_definition_of_aws_batch_tries_again_only_if_that_may_help(code: int) -> None:
    """Batch takes the first rule that matches; a pattern may end in an asterisk.

    It knows no other patterns, so that a task whose node lacks wort, which an image cannot lack, is tried again, too.
    """
    definition = json.loads(written("aws-batch", PLAIN).files["job-definition.json"])
    rules = definition["retryStrategy"]["evaluateOnExit"]
    of_codes = [rule for rule in rules if "onExitCode" in rule or rule.get("onReason") == "*"]
    first = next(rule for rule in of_codes if fnmatch(str(code), rule.get("onExitCode", "*")))
    assert (first["action"] == "RETRY") is (CODES[code] or code == 127)


@pytest.mark.parametrize("code", CODES)
def test_workflow_of_nextflow_tries_again_only_if_that_may_help(code: int) -> None:
    """The strategy is also an expression of Python, after three replacements."""
    found = re.search(r"errorStrategy \{ (.*) \? 'retry' : 'ignore' \}", written("nextflow", PLAIN).files["main.nf"])
    assert found is not None
    condition = found[1].replace("task.exitStatus", str(code)).replace("||", "or")
    assert re.fullmatch(r"[0-9=> or]+", condition)
    assert eval(condition) is CODES[code]


@pytest.mark.parametrize("engine", ENGINES)
def test_node_without_wort_is_named_in_the_log_and_not_tried_again(engine: str, batch: Path) -> None:
    (batch / "wort").unlink()
    assert run(engine, batch) == (127, 0)
    assert f"{os.uname().nodename}: task 1 cannot run {batch}/wort; it must be at this path on every node" in log(batch)


@pytest.mark.parametrize("engine", ENGINES)
def test_scratch_disk_that_takes_no_home_is_tried_again(engine: str, batch: Path) -> None:
    (batch / "scratch").rmdir()
    code, _ = run(engine, batch)
    assert code == 75 and not (batch / "tried").exists()
    assert log(batch).count("has no home below") == (1 if engine == "slurm" else TRIES)
    assert (batch / "again").exists() is (engine == "slurm")


@pytest.mark.parametrize("engine", ENGINES)
def test_home_without_its_settings_is_not_used(engine: str, batch: Path) -> None:
    code, _ = run(engine, batch, has_config=True)  # there is no config.toml
    assert code == 75 and not (batch / "tried").exists()
    assert list((batch / "scratch").iterdir()) == []


@pytest.mark.parametrize("engine", ["hyperqueue", "nextflow", "aws-batch", "snakemake"])
def test_cores_are_said_where_the_engine_does_not_say_them(engine: str) -> None:
    assert "\nexport WORT_THREADS=2\n" in written(engine, PLAIN).files["task.sh"]
    chosen = replace(PLAIN, variables={"WORT_THREADS": "1"})
    assert "\nexport WORT_THREADS=1\n" in written(engine, chosen).files["task.sh"]
    assert "WORT_THREADS" not in written("slurm", PLAIN).files["job.sbatch"], "a user may change --cpus-per-task"


@pytest.mark.parametrize(("status", "expected"), [(0, ExitCode.UNAVAILABLE), (1, ExitCode.TEMPORARY)])
def test_task_of_aws_batch_is_tried_again_if_its_report_does_not_reach_the_bucket(
    status: int, expected: int, batch: Path
) -> None:
    (batch / "python").write_text(f"#!/bin/bash\nexit {status}\n")  # in place of that with boto3
    (batch / "python").chmod(0o755)
    (batch / "script").write_text(written("aws-batch", replace(PLAIN, has_config=False)).files["task.sh"])
    env = {**os.environ, "CODE": "3", "PATH": f"{batch}:{os.environ['PATH']}", "TMPDIR": str(batch / "scratch")}
    assert subprocess.run(["bash", str(batch / "script")], env=env, check=False).returncode == expected


@pytest.mark.parametrize("code", CODES)
def test_rule_of_snakemake_takes_a_task_without_signatures_for_complete(code: int, tmp_path: Path) -> None:
    """Snakemake fills in what is in braces; `:q` quotes it for a shell.  `make snakemake-check` runs Snakemake."""
    script = tmp_path / "a b'" / "task.sh"
    script.parent.mkdir()
    script.write_text(f'[ "$1" = 7 ] && exit {code}\n')
    found = re.search(r'shell:\n +"(.*)"\n', written("snakemake", PLAIN).files["Snakefile"])
    assert found is not None
    line = found[1].replace("{params.script:q}", shlex.quote(str(script))).replace("{wildcards.number}", "7")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", line], check=False)
    assert (done.returncode == 0) is (code in (ExitCode.OK, ExitCode.UNAVAILABLE))


def test_workflow_of_snakemake_has_any_path_and_what_was_asked_for() -> None:
    text = written("snakemake", HOSTILE).files["Snakefile"]
    names: dict[str, object] = {}
    exec(next(line for line in text.splitlines() if line.startswith("SCRIPT = ")), names)
    assert names["SCRIPT"] == f"{HOSTILE.directory}/task.sh"
    for line in ("threads: 2", "mem_mb=4096,", "runtime=720,", "slurm_partition='short',"):
        assert f" {line}\n" in text
    plain = written("snakemake", replace(PLAIN, seconds=0, partition="")).files["Snakefile"]
    assert "runtime" not in plain and "partition" not in plain
