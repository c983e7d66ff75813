"""Starts the tools of the SRA toolkit so that none outlives its attempt.

All tools of an attempt share one process group, led by a guard (guard.py) that is started with the first tool.  If the
guard is killed, the whole group is killed too.  Always the group is killed, never a single child: fastq-dump is a
wrapper that forks the real program, which would continue running.  Tools get argument lists, no standard input, and an
empty private working directory, because they look for `./SRR139146` there first.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.toolkit.configuration import ToolkitSettings
from wort_cli.pipeline.toolkit.tool_errors import contains_url, is_rate_limit_line
from wort_cli.pipeline.toolkit.tool_versions import ToolVersions
from wort_cli.system.cancellation import Cancellation, Cancelled
from wort_cli.system.environment import SRA_TOOLKIT, child_environment
from wort_cli.system.process_identity import ProcessIdentity, identity_of
from wort_cli.versions import tool_version

END_WITHIN = 5.0
"""Seconds that killed tools have to end."""
TICK = 0.2
"""Seconds between checks whether the job was cancelled."""
VERSION = ("--version",)
"""The arguments with which a tool prints its version."""
VERSION_TIMEOUT = 60.0
"""Seconds in which a tool must print its version; on a busy machine it starts slowly."""
KEPT_LINES = 200
"""Lines of stderr that are kept, from the start and again from the end."""
LOG_INFO = ("-L", "info")
"""Options with which a tool logs the HTTP status of each request to NCBI; by default it logs none."""


@dataclass(frozen=True)
class ToolRun:
    """The exit code and the output of a tool that has ended."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


class Tool:
    """A running tool; a thread reads its stderr, of which a bounded part is kept, so that the tool never blocks."""

    def __init__(self, argv: Sequence[str], process: subprocess.Popen[bytes]) -> None:
        self.argv = tuple(argv)
        self.process = process
        self.reader: threading.Thread | None = None
        """The thread that reads stdout, if one does."""
        self._rate_limited = False
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=KEPT_LINES)
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    @property
    def stdout(self) -> IO[bytes]:
        """The stdout of the tool."""
        if self.process.stdout is None:
            raise ValueError("the tool was started without a pipe")
        return self.process.stdout

    @property
    def stderr(self) -> str:
        """The stderr of the tool; complete once `wait` has returned."""
        return "\n".join([*self._first, *self._last])

    def check_rate_limit(self) -> None:
        """Raise JobFailed(rate-limited) if a server has answered the tool with status 429.

        The caller must not wait for the tool: after a 429 of the resolver it retries forever, 1000 times a second.
        """
        if self._rate_limited:
            raise JobFailed(Reason.RATE_LIMITED, f"a server asked {self.argv[0]} for fewer requests (HTTP status 429)")

    def wait(
        self, cancellation: Cancellation, deadline: float | None = None, readers: Sequence[threading.Thread] = ()
    ) -> int:
        """Return the exit code once the tool has ended and all of its output was read.

        Raises Cancelled, TimeoutError after `deadline`, or JobFailed(rate-limited) once a server has answered with
        status 429, unless the tool has succeeded by then.
        """
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.process.wait(TICK)
                # A child process that the tool left may keep the pipes open.
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
    `references` are the roots of references that wort has fetched, `versions` the known versions of tools.
    """

    def __init__(
        self,
        directory: Path,
        cancellation: Cancellation,
        log: Callable[[str], None],
        on_guard_start: Callable[[ProcessIdentity | None], None] = lambda _: None,
        references: Sequence[Path] = (),
        versions: ToolVersions | None = None,
    ) -> None:
        self.directory = directory
        self._versions = versions or ToolVersions()
        self.until_end = contextlib.ExitStack()
        """Resources that are held until all tools have ended, such as locks on the references that they read."""
        self._settings = ToolkitSettings(directory, references)
        self.cancellation = cancellation
        self.log = log
        self._on_guard_start = on_guard_start
        self._guard: subprocess.Popen[bytes] | None = None
        self._running: list[Tool] = []
        self._starting = threading.Lock()
        self._asking = threading.Lock()
        """Held while a tool is asked for its version."""
        self._ended = False

    @property
    def used(self) -> frozenset[str]:
        """The names of the tools that were started, but not only for their version."""
        return frozenset(Path(tool.argv[0]).name for tool in self._running if tool.argv[1:] != VERSION)

    def __enter__(self) -> Self:
        return self

    def _start_guard(self) -> subprocess.Popen[bytes]:
        """Return the guard, which is started if there is none yet; the caller holds the lock."""
        if self._guard is not None:
            return self._guard
        script = Path(__file__).with_name("guard.py")
        # -I -S: no start-up code of the user or the site; the guard needs no packages.
        guard = self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
            cwd="/",
            env=child_environment(),
        )
        self._guard_watcher = threading.Thread(
            target=self._kill_group_after_guard, args=[guard.pid], name="guard", daemon=True
        )
        self._guard_watcher.start()
        try:
            self._on_guard_start(identity_of(guard.pid))
        except BaseException:  # nobody would find the tools
            self._ended = True
            raise
        return guard

    def _kill_group_after_guard(self, guard: int) -> None:
        """Kill the group when its guard ends: without a guard, the tools would survive a kill of this process."""
        # WNOWAIT: the guard stays a zombie, so that its pid cannot be reused and names this group.
        os.waitid(os.P_PID, guard, os.WEXITED | os.WNOWAIT)
        with self._starting:
            if not self._ended:
                self.log("the guard was killed; killing the tools")
            self._ended = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(guard, signal.SIGKILL)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._starting:  # a tool that another thread is starting is in the group, or is not started
            self._ended = True
        if self._guard is not None:
            self._end(self._guard)
        self.until_end.close()

    def _end(self, guard: subprocess.Popen[bytes]) -> None:
        """Kill all tools and the guard; wait until they have ended.

        A tool that reads from a file system that does not answer ends when that answers; it is left behind.
        """
        # The guard is reaped last, so that its pid still names this group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(guard.pid, signal.SIGKILL)
        if self._asking.acquire(timeout=END_WITHIN):  # another thread may have started a tool for its version
            self._asking.release()
        if guard.stdin:
            guard.stdin.close()
        deadline = time.monotonic() + END_WITHIN
        for tool in self._running:
            try:
                tool.process.wait(max(TICK, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.log(f"{tool.argv[0]} (process {tool.process.pid}) does not end; leaving it")
                tool.process.returncode = -signal.SIGKILL  # keeps Popen from warning that it is still running
                continue
            if tool.reader:  # do not close a pipe that a thread reads
                tool.reader.join()
            if tool.process.stdout:
                tool.process.stdout.close()
            tool._collector.join()
        self._guard_watcher.join()
        guard.wait()

    def start(self, argv: Sequence[str], *, offline: bool = False) -> Tool:
        """Start a tool whose stdout the caller reads; raise JobFailed(tool-missing) if it is not on the PATH.

        It gets the variables that it needs (system/environment.py), and the configuration of the user with the
        additions of configuration.py; if it is `offline`, it makes no requests.
        """
        program = shutil.which(argv[0])
        if program is None:
            raise JobFailed(Reason.TOOL_MISSING, f"{argv[0]} is not on the PATH")
        with self._starting:
            return self._start(program, argv, offline=offline)

    def _start(self, program: str, argv: Sequence[str], *, offline: bool) -> Tool:
        if self._ended:
            raise Cancelled
        guard = self._start_guard()
        self.log(f"$ {' '.join(argv)}")
        settings = self._settings.environment(offline=offline)
        try:
            process = subprocess.Popen(
                [str(Path(program).absolute()), *argv[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.directory,
                env={**child_environment(SRA_TOOLKIT), "TMPDIR": str(self.directory), **settings},
                process_group=guard.pid,
            )
        except OSError as error:
            if not self.directory.is_dir():
                raise
            raise JobFailed(Reason.TOOL_MISSING, f"{program} cannot be executed: {error.strerror}") from error
        tool = Tool(argv, process)
        self._running.append(tool)
        return tool

    def run(self, argv: Sequence[str], timeout: float | None = None, *, offline: bool = False) -> ToolRun:
        """Run a tool with little output until it ends; raise TimeoutError after `timeout` seconds."""
        tool = self.start(argv, offline=offline)
        output: list[bytes] = []
        tool.reader = threading.Thread(target=lambda: output.append(tool.stdout.read()), daemon=True)
        tool.reader.start()
        code = tool.wait(self.cancellation, None if timeout is None else time.monotonic() + timeout, [tool.reader])
        run = ToolRun(tool.argv, code, b"".join(output).decode("utf-8", "replace"), tool.stderr)
        self.log(f"exit {code}\n{run.stderr}".rstrip())
        return run

    def version(self, name: str) -> str:
        """Return the version of a tool, such as 3.0.3; raise JobFailed(tool-missing) if it is not on the PATH.

        The tool is asked once, until its file changes (tool_versions.py).
        """
        with self._asking:
            return self._version(name)

    def ask_for_version(self, name: str) -> None:
        """Ask a tool for its version in another thread.  An error occurs again in `version`."""

        def ask() -> None:
            with contextlib.suppress(JobFailed, Cancelled, OSError, ValueError):  # ValueError: the log is closed
                self.version(name)

        if shutil.which(name) and not self.knows_version(name):
            threading.Thread(target=ask, name="version", daemon=True).start()

    def knows_version(self, name: str) -> bool:
        """Return whether the version of a tool on the PATH is known without asking it."""
        program = shutil.which(name)
        return program is not None and self._versions.get(program) is not None

    def _version(self, name: str) -> str:
        program = shutil.which(name)
        version = self._versions.get(program)
        if version is None:
            try:
                printed = self.run([name, *VERSION], VERSION_TIMEOUT, offline=True).stdout
            except TimeoutError:
                why = f"{name} did not print its version within {VERSION_TIMEOUT:g} seconds"
                raise JobFailed(Reason.TIMEOUT, why) from None
            version = tool_version(printed) or "unknown"
            if program is not None and version != "unknown":
                self._versions.put(program, version)
        return version
