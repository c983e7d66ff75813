"""Tools are real processes: their output is read, they can time out or be cancelled, and none outlives its attempt."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.builders import eventually, is_process_running
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.system.cancellation import NEVER, Cancellation, Cancelled

SLEEPER = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(600)"
STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if len(sys.argv) < 2:
    subprocess.Popen([sys.executable, __file__, "grandchild"])
print(os.getpid(), flush=True)
time.sleep(600)
"""
LEAVES_A_CHILD = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"])
"""
HOLDER = """
import sys
from pathlib import Path
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.system.cancellation import NEVER
with ToolGroup(Path(sys.argv[1]), NEVER, lambda text: None) as tools:
    tool = tools.start(["stubborn"])
    print(tools._guard.pid, *(int(tool.stdout.readline()) for _ in range(2)), flush=True)
    sys.stdin.read()
"""
DEADLINE = 60.0
"""Seconds in which all processes must have ended."""

Install = Callable[[str, str], str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that puts a Python program on the PATH under a name."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)

    def put(name: str, program: str) -> str:
        path = programs / name
        path.write_text(f"#!{sys.executable}\n{program}")
        path.chmod(0o700)
        return name

    return put


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def cancel() -> threading.Event:
    """An event that cancels the job."""
    return threading.Event()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "private"
    made.mkdir()
    return made


@pytest.fixture
def tools(directory: Path, cancel: threading.Event, log: list[str]) -> Iterator[ToolGroup]:
    with ToolGroup(directory, Cancellation(cancel.is_set), log.append) as group:
        yield group


def guard_of(group: ToolGroup) -> int:
    """Return the pid of the guard of a group that has started a tool."""
    assert group._guard is not None
    return group._guard.pid


def test_run_returns_output_and_exit_code(tools: ToolGroup, install: Install, log: list[str]) -> None:
    install("tool", "import sys; print('out', *sys.argv[1:]); print('message', file=sys.stderr); sys.exit(3)")
    run = tools.run(["tool", "a b", "$HOME", ";ls"])
    assert (run.argv, run.returncode) == (("tool", "a b", "$HOME", ";ls"), 3)
    assert (run.stdout, run.stderr) == ("out a b $HOME ;ls\n", "message")
    assert log == ["$ tool a b $HOME ;ls", "exit 3\nmessage"]


def test_tool_runs_in_private_directory_without_stdin(
    tools: ToolGroup, install: Install, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VDB_CONFIG", "/some/config")
    install(
        "tool", "import os, sys; print(os.getcwd(), os.environ['TMPDIR'], os.environ['VDB_CONFIG'], sys.stdin.read())"
    )
    assert tools.run(["tool"]).stdout.split() == [str(directory), str(directory), "/some/config"]


def test_output_that_is_not_utf8_is_replaced(tools: ToolGroup, install: Install) -> None:
    install("tool", "import os; os.write(1, b'a\\xff'); os.write(2, b'b\\xfe\\n')")
    run = tools.run(["tool"])
    assert (run.stdout, run.stderr) == ("a\ufffd", "b\ufffd")


def test_output_of_started_tool_is_streamed(tools: ToolGroup, install: Install, cancel: threading.Event) -> None:
    install("tool", "import sys; print('one', flush=True); sys.stdin.read(); print('two')")
    tool = tools.start(["tool"])
    assert tool.stdout.readline() == b"one\n"
    assert tool.stdout.read() == b"two\n"
    assert tool.wait(Cancellation(cancel.is_set)) == 0


@pytest.mark.parametrize("name", ["no-such-tool", "./no-such-tool", "/no/such/tool"])
def test_tool_not_on_the_path_is_missing(tools: ToolGroup, name: str) -> None:
    with pytest.raises(JobFailed) as failure:
        tools.start([name])
    assert failure.value.failure.reason is Reason.TOOL_MISSING
    assert name in failure.value.failure.detail


def test_tool_that_cannot_be_executed_is_missing(tools: ToolGroup, install: Install, tmp_path: Path) -> None:
    install("tool", "")
    (tmp_path / "bin" / "tool").write_text("#!/no/such/interpreter\n")
    with pytest.raises(JobFailed) as failure:
        tools.run(["tool"])
    assert failure.value.failure.reason is Reason.TOOL_MISSING


def test_relative_directory_on_the_path_works(
    tools: ToolGroup, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("tool", "print('here')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "bin")
    assert tools.run(["tool"]).stdout == "here\n"


@pytest.mark.parametrize(
    ("printed", "version"),
    [('"fastq-dump" version 3.0.3', "3.0.3"), ("tool : 3.1.12 ( 3.1 )", "3.1.12"), ("", "unknown"), ("v3", "unknown")],
)
def test_version_is_parsed_from_output(tools: ToolGroup, install: Install, printed: str, version: str) -> None:
    install("tool", f"print({printed!r})")
    assert tools.version("tool") == version


HTTP_ERROR = 'x.3.0.3 info: HTTP read failure: URL="http://x/?Signature=secret" status={}; tried 1/6 times'


def test_tool_that_ignores_status_429_is_not_waited_for(tools: ToolGroup, install: Install) -> None:
    install(
        "greedy", f"import sys, time\nprint({HTTP_ERROR.format(429)!r}, file=sys.stderr, flush=True)\ntime.sleep(600)"
    )
    started = time.monotonic()
    with pytest.raises(JobFailed, match="429") as failed:
        tools.run(["greedy"])
    assert failed.value.failure.reason is Reason.RATE_LIMITED
    assert time.monotonic() - started < DEADLINE


@pytest.mark.parametrize(("status", "code", "rate_limited"), [(429, 3, True), (429, 0, False), (503, 3, False)])
def test_rate_limited_only_if_tool_failed(
    tools: ToolGroup, install: Install, log: list[str], status: int, code: int, rate_limited: bool
) -> None:
    install("asker", f"import sys\nprint({HTTP_ERROR.format(status)!r}, file=sys.stderr)\nsys.exit({code})")
    if rate_limited:
        with pytest.raises(JobFailed, match="429"):
            tools.run(["asker"])
    else:
        assert tools.run(["asker"]).returncode == code
    assert "secret" not in "".join(log)


def test_tool_is_killed_after_its_timeout(directory: Path, install: Install, log: list[str]) -> None:
    install("tool", SLEEPER)
    started = time.monotonic()
    with ToolGroup(directory, NEVER, log.append) as group, pytest.raises(TimeoutError):
        group.run(["tool"], timeout=0.3)
    assert time.monotonic() - started < DEADLINE
    assert not any(is_process_running(tool.process.pid) for tool in group._running)


def test_cancelled_job_does_not_wait_for_its_tool(
    directory: Path, install: Install, cancel: threading.Event, log: list[str]
) -> None:
    install("tool", SLEEPER)
    timer = threading.Timer(0.2, cancel.set)
    with ToolGroup(directory, Cancellation(cancel.is_set), log.append) as group:
        timer.start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            group.run(["tool"])
    assert time.monotonic() - started < DEADLINE
    timer.join()


@pytest.mark.parametrize("how", ["a timeout", "cancellation"])
def test_leftover_child_with_open_pipes_does_not_block(
    directory: Path, install: Install, cancel: threading.Event, log: list[str], how: str
) -> None:
    install("tool", LEAVES_A_CHILD)
    timeout = 0.5 if how == "a timeout" else None
    timer = threading.Timer(0.5, cancel.set if timeout is None else cancel.clear)
    started = time.monotonic()
    timer.start()
    with (
        ToolGroup(directory, Cancellation(cancel.is_set), log.append) as group,
        pytest.raises((TimeoutError, Cancelled)),
    ):
        group.run(["tool"], timeout=timeout)
    assert time.monotonic() - started < DEADLINE
    timer.join()


@pytest.mark.parametrize("ending", ["\\n", ""])
def test_excessive_stderr_neither_blocks_nor_fills_memory(tools: ToolGroup, install: Install, ending: str) -> None:
    install(
        "tool",
        "import sys\nsys.stderr.write('the first\\n')\n"
        f"for _ in range(50):\n    sys.stderr.write(('x' * 999 + '{ending}') * 1000)\n"
        "sys.stderr.write('\\nthe last\\n')",
    )
    run = tools.run(["tool"], timeout=60)
    assert run.returncode == 0
    assert run.stderr.startswith("the first\n")
    assert run.stderr.endswith("\nthe last")
    assert len(run.stderr) < 5_000_000


def test_leaving_the_context_kills_every_process(directory: Path, install: Install, log: list[str]) -> None:
    install("stubborn", STUBBORN)
    with ToolGroup(directory, NEVER, log.append) as group:
        tool = group.start(["stubborn"])
        pids = [int(tool.stdout.readline()) for _ in range(2)]
        assert tool.process.pid in pids
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        assert all(is_process_running(pid) for pid in pids)
        pids.append(guard_of(group))
    assert eventually(lambda: not any(is_process_running(pid) for pid in pids), DEADLINE)


def test_exception_kills_every_process(directory: Path, install: Install, log: list[str]) -> None:
    install("stubborn", STUBBORN)
    pids: list[int] = []

    def fail() -> None:
        with ToolGroup(directory, NEVER, log.append) as group:
            tool = group.start(["stubborn"])
            pids.extend(int(tool.stdout.readline()) for _ in range(2))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(pids) == 2
    assert eventually(lambda: not any(is_process_running(pid) for pid in pids), DEADLINE)


def test_leaving_the_context_after_tools_ended(directory: Path, install: Install, log: list[str]) -> None:
    install("tool", "")
    with ToolGroup(directory, NEVER, log.append) as group:
        group.run(["tool"])
    assert [tool.process.returncode for tool in group._running] == [0]


def test_tools_of_two_jobs_are_independent(tmp_path: Path, tools: ToolGroup, install: Install, log: list[str]) -> None:
    install("tool", SLEEPER)
    (tmp_path / "other").mkdir()
    kept = tools.start(["tool"])
    with ToolGroup(tmp_path / "other", NEVER, log.append) as other:
        other.start(["tool"])
    assert is_process_running(kept.process.pid)


def test_no_tool_outlives_a_killed_worker(directory: Path, install: Install) -> None:
    install("stubborn", STUBBORN)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        pids = [int(pid) for pid in holder.stdout.readline().split()]
        assert len(pids) == 3
        assert all(is_process_running(pid) for pid in pids)
        holder.kill()
        assert eventually(lambda: not any(is_process_running(pid) for pid in pids), DEADLINE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_guard_ignores_signals_for_the_worker(tools: ToolGroup, install: Install, number: signal.Signals) -> None:
    install("tool", "")
    tools.run(["tool"])

    def ignored() -> bool:
        status = Path(f"/proc/{guard_of(tools)}/status").read_text()
        mask = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
        return bool(int(mask.split()[1], 16) >> (number - 1) & 1)

    assert eventually(ignored)
    os.kill(guard_of(tools), number)
    assert is_process_running(guard_of(tools))


def test_guard_starts_with_the_first_tool(directory: Path, install: Install) -> None:
    install("tool", "")
    guards: list[int] = []
    with ToolGroup(directory, NEVER, lambda _: None, lambda guard: guards.append(guard.pid if guard else 0)) as group:
        assert group._guard is None
        assert group.used == frozenset()
        for _ in range(2):
            group.run(["tool"])
        assert guards == [guard_of(group)]
        assert group.used == {"tool"}


def test_no_tool_starts_if_its_guard_cannot_be_recorded(directory: Path, install: Install, tmp_path: Path) -> None:
    install("tool", f"open({str(tmp_path / 'ran')!r}, 'w')")

    def fail(_: object) -> None:
        raise OSError("the disk is full")

    with ToolGroup(directory, NEVER, lambda _: None, fail) as group:
        with pytest.raises(OSError, match="full"):
            group.run(["tool"])
        with pytest.raises(Cancelled):
            group.run(["tool"])
    assert not (tmp_path / "ran").exists()
    assert not is_process_running(guard_of(group))
