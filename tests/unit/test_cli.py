"""Tests of the command line: error messages, exit codes and imports."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import wort_cli
from scripts.reference import all_commands
from tests.support.builders import TOOLS, clean_environment, request
from wort_cli import api, cli
from wort_cli.commands.shared.help.help_format import SECTIONS
from wort_cli.ledger.ledger import Ledger

RUN = "import sys; from wort_cli.cli import run; code = run(sys.argv[1:]); print(code, *sys.modules, file=sys.stderr)"
SERVER = {"starlette", "uvicorn", "jinja2", "python_multipart", "anyio", "h11"}
HELP_WIDTH = 78
"""The width of the help texts in a terminal of 80 columns."""
HEAVY = {"sourmash", "boto3", "numba", "huey", "scipy", "screed", "matplotlib", *SERVER}


def wort(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [TOOLS / "wort", *arguments],
        capture_output=True, text=True, check=False, env=clean_environment(WORT_HOME=str(home)), timeout=300,
    )  # fmt: skip


def imported(home: Path, *arguments: str) -> set[str]:
    """Return the packages that a successful command line has imported."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        capture_output=True, text=True, check=True, env=clean_environment(WORT_HOME=str(home)), timeout=300,
    )  # fmt: skip
    code, *modules = done.stderr.splitlines()[-1].split()
    assert code == "0"
    return {module.split(".")[0] for module in modules}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["compute", "--help"], ["daemon", "--help"], ["config", "path"]]
)
def test_help_imports_no_heavy_package(tmp_path: Path, arguments: list[str]) -> None:
    assert imported(tmp_path, *arguments) & (HEAVY | {"numpy", "sqlite_utils", "rich"}) == set()


@pytest.mark.parametrize("arguments", [[], ["status"], ["status", "--json"], ["status", "SRR139146"]])
def test_status_imports_no_heavy_package(tmp_path: Path, arguments: list[str]) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.jobs.enqueue([request()])
    ledger.close()
    assert imported(tmp_path, *arguments) & (HEAVY | {"numpy", "sqlite_utils", "rich"}) == set()


def test_first_status_of_a_home_imports_no_heavy_package(tmp_path: Path) -> None:
    assert imported(tmp_path / "new", "status") & HEAVY == set()


@pytest.mark.parametrize("arguments", [["ls"], ["daemon", "pause"], ["serve", "--help"], ["catalog", "-o", "x.csv"]])
def test_no_other_command_imports_the_server(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert imported(tmp_path / "home", *arguments) & SERVER == set()


def test_library_imports_a_module_when_a_name_of_it_is_used() -> None:
    code = "import sys, wort_cli.api as api; print(*[m for m in sys.modules if m.startswith('wort_cli.')]); " + (
        "assert set(api.PLACES) == set(api.__all__); print(*[getattr(api, name).__name__ for name in api.__all__])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    modules, names = done.stdout.splitlines()
    assert modules == "wort_cli.api"
    assert names.split() == api.__all__


def test_version_is_that_of_the_package(tmp_path: Path) -> None:
    done = wort(tmp_path, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"wort {wort_cli.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["compute", "SRR1;ls"], 2),
        (["compute", "../x"], 2),
        (["compute", "--", "-h"], 2),
        (["compute", "-h"], 0),
        (["compute", "~nobody-of-this-name/x.sra"], 2),
        (["compute"], 2),
        (["status", "--state", "paused"], 2),
        (["status", "777"], 2),
        (["view", "SRR139146"], 2),
        (["wait", "777"], 2),
        (["no-such-command"], 2),
        (["daemon", "status"], 3),
        (["compute", "--wait", "SRR139146"], 4),
        (["status", "--json"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_command_line_has_its_exit_code_and_no_traceback(tmp_path: Path, arguments: list[str], code: int) -> None:
    done = wort(tmp_path, *arguments)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "unexpected error" not in done.stderr
    assert bool(done.stderr) is (code in (2, 4))


@pytest.mark.parametrize(
    ("line", "sentence", "hint"),
    [
        (
            "compute SRR139146,SRR139147",
            "'SRR139146,SRR139147' is not the accession",
            "separate runs by spaces: SRR139146 SRR139147",
        ),
        ("--json status", "'--json' is no option of `wort` itself", "after the command: wort status ..."),
        ("--debug --now compute x.sra", "'--now' is no option of `wort` itself", "after the command: wort compute ..."),
        ("compute --from-file .", "'.': is a directory", ""),
        ("compute --from-file none.txt", "'none.txt': no such file or directory", ""),
        ("compute empty.fastq --now", "has no reads: this is an empty file", "download the file again"),
        ("view .", "'.' cannot be the name of a signature", "a name has at most 100 letters"),
        ("view nothing", "there is no signature of nothing", "`wort ls` lists the signatures"),
        ("view empty.fastq", "there is no signature of empty.fastq", "give its path: ./empty.fastq"),
        ("fetch SRR139146 -o empty.fastq", "empty.fastq' is not a directory", ""),
    ],
)
def test_mistake_is_explained(
    line: str,
    sentence: str,
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WORT_S3_PRESET", "off")
    (tmp_path / "empty.fastq").touch()
    assert cli.run(line.split()) == 2
    found = capsys.readouterr()
    assert sentence in found.err
    assert hint in found.err
    assert found.out == ""


@pytest.mark.parametrize("content", [b"[" * 200_000, b"{}", b"", b"\x1f\x8b\0"])
def test_exit_code_is_6_for_a_file_that_is_not_a_signature(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.sig").write_bytes(content)
    done = wort(tmp_path / "home", "view", str(tmp_path / "x.sig"))
    assert (done.returncode, done.stdout) == (6, "")


def test_full_disk_below_the_output_is_a_temporary_error(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [TOOLS / "wort", "status"], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env=clean_environment(WORT_HOME=str(tmp_path)), timeout=300,
        )  # fmt: skip
    assert done.returncode == 75
    assert done.stderr.splitlines() == [
        "wort: the output can't be written: No space left on device",
        "  free some space, then run the same command again",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "config.toml' is not a configuration file: it is not text in UTF-8"),
        (b"jobs =", "config.toml' is not a configuration file: Invalid value"),
        (None, "config.toml' can't be read: is a directory\n  check the file and its permissions"),
    ],
)
def test_configuration_file_that_cannot_be_used_is_explained(
    content: bytes | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    file = tmp_path / "config.toml"
    file.mkdir() if content is None else file.write_bytes(content)
    assert cli.run(["status"]) == 2
    assert message in capsys.readouterr().err


def test_traceback_is_printed_only_with_debug(tmp_path: Path) -> None:
    plain, debug = (wort(tmp_path, *flags, "compute", "x") for flags in ([], ["--debug"]))
    assert plain.returncode == debug.returncode == 2
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr


def test_unreadable_ledger_is_reported_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("hello\n" * 100)
    done = wort(tmp_path, "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("wort: the ledger ")


def test_help_fits_80_columns_and_lists_commands_with_whole_sentences() -> None:
    lines = [(" ".join(path), line) for path, _, text in all_commands(HELP_WIDTH) for line in text.splitlines()]
    assert [each for each in lines if len(each[1]) > 80] == []
    assert [each for each in lines if re.fullmatch(r"  [a-z]+ .*\.\.\.", each[1])] == []


def test_help_lists_every_command_in_one_section() -> None:
    listed = [name for names in SECTIONS.values() for name in names]
    assert sorted(listed) == sorted((*cli.COMMANDS, *cli.GROUPS))
