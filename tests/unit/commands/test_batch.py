"""`wort batch` writes scripts that are right for any path, all files or none, and nothing that was not asked for."""

import json
import os
import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.support.batches import DIRECTORY, FAKE, HOSTILE, PLAIN, golden_files, written
from tests.support.polling import until
from wort_cli import cli
from wort_cli.commands.batch import ENGINES
from wort_cli.commands.shared.batch.request import Batch
from wort_cli.errors import UsageError
from wort_cli.model.s3_target import S3Target

RUNS = ("SRR100001", "SRR100002", "SRR100003")
SHARED = ("--store", "file:///shared/wort")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("path", "text"), list(golden_files()), ids=lambda value: value.name if isinstance(value, Path) else ""
)
def test_files_are_the_golden_ones(path: Path, text: str) -> None:
    """After a change, `make golden` writes them; look at the difference."""
    assert path.read_text("utf-8") == text


def test_no_other_golden_file_is_left() -> None:
    assert {path for path in DIRECTORY.rglob("*") if path.is_file()} == {path for path, _ in golden_files()}


@pytest.mark.parametrize("batch", [PLAIN, HOSTILE], ids=["plain", "hostile"])
@pytest.mark.parametrize("engine", ENGINES)
def test_shellcheck_has_nothing_to_say(engine: str, batch: Batch, tmp_path: Path) -> None:
    for name, text in written(engine, batch).files.items():
        if text.startswith("#!/bin/bash"):
            (tmp_path / name).write_text(text)
            done = subprocess.run(["shellcheck", str(tmp_path / name)], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("engine", ENGINES)
def test_hostile_path_runs_nothing_and_arrives_whole(engine: str, tmp_path: Path) -> None:
    """Each script copies the configuration from its directory, and starts wort from there, before anything else."""
    directory = tmp_path / HOSTILE.directory.name
    (directory / "tasks").mkdir(parents=True)
    for name in ("logs", "reports"):
        (directory / name).mkdir()
    (directory / "config.toml").touch()
    program = directory / "wort"
    program.write_text(f'{FAKE}printf "%s\\0" "$WORT_S3_ACL" "$@" >"${{0%/*}}/called"\n')
    program.chmod(0o755)
    batch = replace(HOSTILE, directory=directory, program=str(program))
    made = written(engine, batch).files
    if engine == "aws-batch":  # its paths are in the container
        assert str(directory) not in "".join(made.values())
        return
    script = tmp_path / "script"
    script.write_text(made.get("job.sbatch") or made["task.sh"])
    env = {**os.environ, "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_JOB_ID": "1", "TMPDIR": str(tmp_path)}
    subprocess.run(["bash", str(script), "1"], check=True, env=env, cwd=tmp_path)
    report = f"{directory}/reports/task-1.jsonl"
    expected = ["'\n$HOME", "compute", "--from-file", f"{directory}/tasks/task-1.txt", "--now", "--report", report, ""]
    assert (directory / "called").read_text().split("\0") == expected
    assert not list(tmp_path.rglob("hacked"))
    assert not list(tmp_path.glob("wort.*")), "the home is removed"


def test_program_of_hyperqueue_is_python_with_any_path() -> None:
    text = written("hyperqueue", HOSTILE).files["submit.py"]
    names: dict[str, Any] = {}
    exec(compile(re.search(r"^SCRIPT = .*$", text, re.M)[0], "submit.py", "exec"), names)  # type: ignore[index]
    compile(text, "submit.py", "exec")
    assert names["SCRIPT"] == f"{HOSTILE.directory}/task.sh"


@pytest.mark.parametrize("sent", ["TERM", "USR1", "USR2"])
@pytest.mark.parametrize("engine", ["slurm", "hyperqueue", "nextflow"])
def test_script_forwards_signals_and_ends_with_the_code_of_wort(engine: str, sent: str, tmp_path: Path) -> None:
    """Slurm is asked to start the task again if its time is over, and not if it was cancelled."""
    for name in ("tasks", "logs", "reports"):
        (tmp_path / name).mkdir()
    program = tmp_path / "wort"
    program.write_text(
        f"{FAKE}trap 'sleep 0.2; touch {tmp_path}/asked; exit 75' TERM\n"
        f"touch {tmp_path}/started\nwhile :; do sleep 0.05; done\n"
    )
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(f'#!/bin/bash\necho "$@" >>{tmp_path}/requeued\n')
    for path in (program, scontrol):
        path.chmod(0o755)
    batch = replace(PLAIN, directory=tmp_path, program=str(program), has_config=False)
    made = written(engine, batch).files
    (tmp_path / "script").write_text(made.get("job.sbatch") or made["task.sh"])
    env = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "SLURM_ARRAY_TASK_ID": "3",
        "SLURM_ARRAY_JOB_ID": "7",
        "TMPDIR": str(tmp_path),
    }
    task = subprocess.Popen(["bash", str(tmp_path / "script"), "3"], env=env)
    until((tmp_path / "started").exists)
    task.send_signal(signal.Signals[f"SIG{sent}"])
    assert task.wait() == 75
    assert (tmp_path / "asked").exists()
    requeued = (tmp_path / "requeued").read_text() if (tmp_path / "requeued").exists() else ""
    assert requeued == ("requeue 7_3\n" if engine == "slurm" and sent != "TERM" else "")
    assert not list(tmp_path.glob("wort.*"))


@pytest.mark.parametrize(
    "batch", [PLAIN, replace(PLAIN, tasks=1, seconds=0, role="", tries=50)], ids=["array", "single"]
)
def test_documents_of_aws_batch_are_valid_for_its_service_model(batch: Batch) -> None:
    model = botocore.session.get_session().get_service_model("batch")
    files = written("aws-batch", batch).files
    for name, operation in (("job-definition.json", "RegisterJobDefinition"), ("job.json", "SubmitJob")):
        report = ParamValidator().validate(json.loads(files[name]), model.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()
    definition = json.loads(files["job-definition.json"])
    for rule in definition["retryStrategy"]["evaluateOnExit"]:
        assert re.fullmatch(r"[0-9]*\*?", rule.get("onExitCode", "")), "the pattern that Batch allows"
    assert 1 <= definition["retryStrategy"]["attempts"] <= 10
    assert ("arrayProperties" in json.loads(files["job.json"])) is (batch.tasks > 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": ""}, "--image"),
        ({"partition": ""}, "--partition"),
        ({"tasks": 10_001}, "at most 10,000 tasks"),
        ({"store": S3Target("file:///shared/wort")}, "share no directory"),
    ],
)
def test_aws_batch_refuses_what_it_cannot_do(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        written("aws-batch", replace(PLAIN, **changes))


def test_workflow_of_nextflow_is_balanced_and_quotes_its_path() -> None:
    """Groovy is not at hand: braces and quotes are balanced outside of strings, and $ in a path is escaped."""
    for batch in (PLAIN, HOSTILE):
        text = written("nextflow", batch).files["main.nf"]
        code = re.sub(r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|//[^\n]*', "", text, flags=re.S)
        assert "hacked" not in code and '"' not in code
        for pair in ("{}", "()"):
            assert code.count(pair[0]) == code.count(pair[1])
    script = re.search(r'"""(.*?)"""', written("nextflow", HOSTILE).files["main.nf"], re.S)
    assert script is not None
    assert re.findall(r"(?<!\\)\$\{?\w+", script[1]) == ["${task_number"], "Groovy replaces nothing else"


@pytest.mark.usefixtures("home")
def test_command_writes_lists_settings_and_a_private_script(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('threads = 9\nquality = "normalized"\n')
    (home / "config.toml").chmod(0o600)
    monkeypatch.setenv("WORT_PROFILE", "sra-v1")
    monkeypatch.setenv("WORT_JOBS", "7")
    monkeypatch.setenv("WORT_QUEUE", "postgresql://ann:secret@db/jobs")
    assert cli.run(["batch", "slurm", *RUNS, "--tasks", "2", *SHARED, "-o", "my batch", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["engine"], document["runs"], document["tasks"]) == ("slurm", 3, 2)
    made = Path("my batch")
    assert sorted(path.name for path in made.iterdir()) == ["config.toml", "job.sbatch", "logs", "reports", "tasks"]
    assert sorted("".join(path.read_text() for path in (made / "tasks").iterdir()).split()) == list(RUNS)
    script = (made / "job.sbatch").read_text()
    assert "WORT_PROFILE=sra-v1" in script and "WORT_THREADS=2" in script and "WORT_JOBS" not in script
    assert "export WORT_S3_BUCKET=file:///shared/wort\n" in script
    assert "#SBATCH --job-name=my-batch\n" in script and "#SBATCH --array=1-2\n" in script
    assert "secret" not in script and (made / "job.sbatch").stat().st_mode & 0o777 == 0o700
    assert (made / "config.toml").read_text() == (home / "config.toml").read_text()
    assert document["steps"][-1]["command"] == "WORT_S3_BUCKET=file:///shared/wort wort sync pull"
    assert document["steps"][0]["command"] == f"sbatch '{made.absolute()}/job.sbatch'"


def test_password_of_a_queue_is_not_copied(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('queue = "redis://:secret@db:6379/0"\n')
    (home / "config.toml").chmod(0o600)
    assert cli.run(["batch", "slurm", *RUNS, "--tasks", "2", *SHARED]) == 0
    assert Path("batch/config.toml").read_text() == 'queue = "redis://:***@db:6379/0"\n'


@pytest.mark.usefixtures("home")
def test_user_learns_what_was_divided_and_what_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    listed = tmp_path / "list"
    listed.write_text(f"{RUNS[0]}\n{RUNS[0]}\n{RUNS[1]}\nSRX12\n")
    words = ["batch", "slurm", "--from-file", str(listed), "--tasks", "9", "--store", f"file://{tmp_path}/none"]
    assert cli.run(words) == 2
    assert "leave it out with --skip-invalid" in capsys.readouterr().err
    assert cli.run([*words, "--skip-invalid"]) == 1
    said = capsys.readouterr().err
    assert "skipped: " in said and "SRX12" in said
    assert "2 runs in 2 tasks; 9 were asked for\n" in said
    assert "the length of none is known" in said
    assert f"'{tmp_path}/none' does not exist here" in said
    assert "MaxArraySize" not in said
    assert "MaxArraySize" in written("slurm", replace(PLAIN, tasks=1001)).notes[0]


@pytest.mark.usefixtures("home")
def test_output_is_the_same_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for _ in range(2):
        assert cli.run(["batch", "nextflow", *RUNS, "--tasks", "2", *SHARED, "-o", "same"]) == 0
        texts.append({path: path.read_bytes() for path in sorted(Path("same").rglob("*")) if path.is_file()})
        subprocess.run(["rm", "-r", "same"], check=True)
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sge", *RUNS, "--tasks", "2", *SHARED), "is not an engine"),
        (("slurm", *RUNS, *SHARED), "either --tasks or --bases-per-task"),
        (("slurm", *RUNS, "--tasks", "2"), "need a store"),
        (("slurm", *RUNS, "--tasks", "2", "--store", "shared"), "--store"),
        (("slurm", *RUNS, "--tasks", "2", "--store", "s3://A"), "--store"),
        (("slurm", *RUNS, "--tasks", "2", "--store", "s3://"), "--store"),
        (("slurm", *RUNS, "--tasks", "2", "--store", "file://x"), "--store"),
        (("slurm", *RUNS, "--tasks", "2", *SHARED, "--memory", "4"), "is not a size"),
        (("slurm", *RUNS, "--tasks", "2", *SHARED, "--time", "x"), "is not a duration"),
        (("slurm", *RUNS, "--tasks", "2", *SHARED, "--partition", "a\n#SBATCH --x"), "is not a name"),
        (("slurm", *RUNS, "--tasks", "2", *SHARED, "-o", "full"), "is not an empty directory"),
        (("aws-batch", *RUNS, "--tasks", "2", *SHARED), "--image"),
    ],
    ids=range(12),
)
@pytest.mark.usefixtures("home")
def test_wrong_request_writes_nothing(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Path("full").mkdir()
    Path("full/file").touch()
    assert cli.run(["batch", *words]) == 2
    assert said in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} <= {"full", "home"}
