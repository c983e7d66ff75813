"""Starts the tools of the SRA toolkit so that none outlives its job.

All tools of a job share one process group, led by a guard (guard.py); without a guard there is no tool either: where it
is killed, so is its group.  fastq-dump is a wrapper that forks the real program, so that killing the child would leave
the real one running: we only ever kill the group.  Tools get argument lists, an empty private directory to run in (they
look there first for `./SRR139146`), and no standard input.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Self

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.toolkit.tool_errors import contains_url, is_rate_limit_line
from wort_cli.system.cancellation import Cancellation, Cancelled
from wort_cli.system.process_identity import ProcessIdentity, identity_of
from wort_cli.versions import tool_version

TICK = 0.2
"""Seconds between looks at whether the job was called off."""
VERSION_TIMEOUT = 60.0
"""Seconds in which a tool must say its version; a busy machine takes its time to start one."""
KEPT_LINES = 200
"""Lines kept of what a tool says on stderr, at either end."""
NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
LOG_INFO = ("-L", "info")
"""Has a tool of the toolkit that may ask NCBI tell what it is answered, which it otherwise keeps to itself."""


@dataclass(frozen=True)
class ToolRun:
    """How a tool ended, and what it said."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


class Tool:
    """A running tool; its stderr is collected aside, bounded, so that it can never block."""

    def __init__(self, argv: Sequence[str], process: subprocess.Popen[bytes]) -> None:
        self.argv = tuple(argv)
        self.process = process
        self.reader: threading.Thread | None = None
        """Who reads the output, if that is done aside."""
        self._rate_limited = False
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=KEPT_LINES)
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    @property
    def stdout(self) -> IO[bytes]:
        """What the tool writes."""
        if self.process.stdout is None:
            raise ValueError("the tool was started without a pipe")
        return self.process.stdout

    @property
    def stderr(self) -> str:
        """What the tool said; complete once `wait` has returned."""
        return "\n".join([*self._first, *self._last])

    def check_rate_limit(self) -> None:
        """JobFailed(rate-limited) once a server has answered the tool that it asks too often.

        The tool is not waited for: told so by the resolver, it asks a thousand times a second, without end.
        """
        if self._rate_limited:
            raise JobFailed(Reason.RATE_LIMITED, f"{self.argv[0]} was told to ask less often (HTTP status 429)")

    def wait(
        self, cancellation: Cancellation, deadline: float | None = None, readers: Sequence[threading.Thread] = ()
    ) -> int:
        """The exit code, once all that the tool said was read; Cancelled or TimeoutError if that takes too long.

        JobFailed as `check_rate_limit`, unless the tool has succeeded nevertheless.
        """
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.process.wait(TICK)
                # A child that the tool left behind may hold its pipes open.
                for reader in (self._collector, *readers):
                    reader.join(TICK)
                if not any(reader.is_alive() for reader in (self._collector, *readers)):
                    if code != 0:
                        self.check_rate_limit()
                    return code
            self.check_rate_limit()
            cancellation.check()
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError

    def _collect(self) -> None:
        stream = self.process.stderr
        if stream is None:
            return
        with stream:
            for line in iter(lambda: stream.readline(10_000), b""):
                text = line.decode("utf-8", "replace").rstrip("\n")
                self._rate_limited = self._rate_limited or is_rate_limit_line(text)
                if contains_url(text):
                    continue
                (self._first if len(self._first) < KEPT_LINES else self._last).append(text)


class ToolGroup:
    """The process group of an attempt's tools; leaving the context kills all of its processes.

    The tools run in `directory`, which must be empty and private.  `cancellation` is checked every TICK seconds.
    `log` records each command and its exit code.  `on_guard_start` is called with the guard before any tool starts.
    """

    def __init__(
        self,
        directory: Path,
        cancellation: Cancellation,
        log: Callable[[str], None],
        on_guard_start: Callable[[ProcessIdentity | None], None] = lambda _: None,
    ) -> None:
        self.directory = directory
        self.cancellation = cancellation
        self.log = log
        self._on_guard_start = on_guard_start
        self._running: list[Tool] = []
        self._starting = threading.Lock()
        self._ended = False

    def __enter__(self) -> Self:
        script = Path(__file__).with_name("guard.py")
        # -I -S: the guard must not run anybody's startup code; it needs no packages.
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
            cwd="/",
        )
        self._guarding = threading.Thread(target=self._kill_group_after_guard, name="guard", daemon=True)
        self._guarding.start()
        try:
            self._on_guard_start(identity_of(self._guard.pid))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _kill_group_after_guard(self) -> None:
        """Kill the group once its guard has ended, whoever ended it: nobody else would, if we were killed then."""
        # It is not waited for, so that its number stays this group's.
        os.waitid(os.P_PID, self._guard.pid, os.WEXITED | os.WNOWAIT)
        with self._starting:
            if not self._ended:
                self.log("the guard of the tools was killed: ending them")
            self._ended = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._guard.pid, signal.SIGKILL)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._starting:  # a tool that is started by another thread just now is in the group, or is not started
            self._ended = True
        # The guard is not waited for before, so that its number still is this group's and nobody else's.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._guard.pid, signal.SIGKILL)
        if self._guard.stdin:
            self._guard.stdin.close()
        for tool in self._running:
            tool.process.wait()
            if tool.reader:  # a pipe is not closed under whoever reads it
                tool.reader.join()
            if tool.process.stdout:
                tool.process.stdout.close()
            tool._collector.join()
        self._guarding.join()
        self._guard.wait()

    def start(self, argv: Sequence[str], env: Mapping[str, str] = NO_VARIABLES) -> Tool:
        """Start a tool whose output is read as it comes; JobFailed(tool-missing) if there is no such tool.

        It has our environment, and the variables of `env`.
        """
        program = shutil.which(argv[0])
        if program is None:
            raise JobFailed(Reason.TOOL_MISSING, f"{argv[0]} is not on the PATH")
        with self._starting:
            return self._start(program, argv, env)

    def _start(self, program: str, argv: Sequence[str], env: Mapping[str, str]) -> Tool:
        if self._ended:
            raise Cancelled
        self.log(f"$ {' '.join(argv)}")
        try:
            process = subprocess.Popen(
                [str(Path(program).absolute()), *argv[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.directory,
                env={**os.environ, "TMPDIR": str(self.directory), **env},
                process_group=self._guard.pid,
            )
        except OSError as error:
            if not self.directory.is_dir():
                raise
            raise JobFailed(Reason.TOOL_MISSING, f"{program} can't be run: {error.strerror}") from error
        tool = Tool(argv, process)
        self._running.append(tool)
        return tool

    def run(self, argv: Sequence[str], timeout: float | None = None, env: Mapping[str, str] = NO_VARIABLES) -> ToolRun:
        """Run a tool to its end, of which little output is expected; TimeoutError after `timeout` seconds."""
        tool = self.start(argv, env)
        output: list[bytes] = []
        tool.reader = threading.Thread(target=lambda: output.append(tool.stdout.read()), daemon=True)
        tool.reader.start()
        code = tool.wait(self.cancellation, None if timeout is None else time.monotonic() + timeout, [tool.reader])
        run = ToolRun(tool.argv, code, b"".join(output).decode("utf-8", "replace"), tool.stderr)
        self.log(f"exit {code}\n{run.stderr}".rstrip())
        return run

    def version(self, name: str) -> str:
        """The version of a tool, such as 3.0.3; JobFailed(tool-missing) if there is none.

        A file that has not changed since this process asked it is not asked again.
        """
        identity = file_identity(shutil.which(name))
        if identity not in versions_by_file:
            try:
                said = self.run([name, "--version"], VERSION_TIMEOUT).stdout
            except TimeoutError:
                why = f"{name} did not say its version within {VERSION_TIMEOUT:g} seconds"
                raise JobFailed(Reason.TIMEOUT, why) from None
            versions_by_file[identity] = tool_version(said) or "unknown"
        return versions_by_file[identity]


versions_by_file: dict[object, str] = {}
"""The versions of tools that this process has asked, by the file they are."""


def file_identity(program: str | None) -> object:
    """What tells a program from another one, and from what it was before an upgrade."""
    if program is None:
        return None
    file = Path(program).stat()
    return program, file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns
