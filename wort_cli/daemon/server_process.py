"""The HTTP server as a child of the daemon: `wort serve --with-parent`.

It is a process of its own, because the daemon forks and must have no threads, and because whatever its clients do must
not touch the daemon.  The daemon starts it, starts it again when it has ended, each time after a longer pause, and
stops it with itself.  The server announces its URL on stdout; what it writes to stderr before it ends says why.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from wort_cli.settings import Settings
from wort_cli.system.environment import WORT, child_environment

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds until a server that has ended is started again; doubled each time."""
PROVED_GOOD = 60.0
"""Seconds after which a server that then ends is started again after the first pause."""
CHECK_EVERY = 0.5
"""Seconds between two looks at the process."""
STOP_WITHIN = 12.0
"""Seconds that the server has to end before it is killed; running requests have ten."""
MAX_ANNOUNCED = 4096
"""Bytes in which the server announces its URL."""
MAX_ERROR = 300
"""Characters of the sentence that says why it ended."""
COMMAND = (sys.executable, "-m", "wort_cli", "serve", "--with-parent", "--json")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerState:
    """The state of the server, as the daemon reports it."""

    url: str = ""
    """Empty until clients can connect."""
    link: str = ""
    """The URL at which the user of this machine signs in once; it is a secret."""
    pid: int = 0
    """0 if no process runs."""
    since: float = 0.0
    """When the process was started, in seconds since 1970."""
    ended: int = 0
    """The number of times that a server ended without being stopped."""
    error: str = ""
    """Why the last one ended."""


class ServerProcess:
    """The daemon's handle of the server.  Its methods raise nothing and wait for nothing, except `stop`."""

    def __init__(
        self,
        settings: Settings,
        *,
        wanted: bool = False,
        command: Sequence[str] = COMMAND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the settings; `wanted` has a server run whatever they say."""
        self._settings = settings
        self._always = wanted
        self._command = command
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._announced = b""
        self._started_at = self._checked_at = float("-inf")
        self._asked_at: float | None = None
        self._next_at, self._pause = float("-inf"), FIRST_PAUSE
        self.state = ServerState()

    @property
    def is_wanted(self) -> bool:
        """Whether a server should run."""
        return self._always or self._settings.serve

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings: a server with others is started again; one with the same opens its log again."""
        changed = served(settings) != served(self._settings)
        self._settings = settings
        if self._process is None:
            self._next_at = float("-inf")  # what was wrong may have been corrected
        elif changed or not self.is_wanted:
            self.ask_to_stop()
        else:
            self._process.send_signal(signal.SIGHUP)

    def step(self) -> None:
        """Start the server if it should run and does not; notice that it has ended.  Cheap, for each turn."""
        now = self._clock()
        if now - self._checked_at < CHECK_EVERY or (self._process is None and not self.is_wanted):
            return
        self._checked_at = now
        if self._process is not None:
            self._read_announcement()
            if self._process.poll() is not None:
                self._note_end(self._process, now)
            elif self._asked_at is not None and now - self._asked_at > STOP_WITHIN:
                self._kill()
        if self._process is None and self.is_wanted and now >= self._next_at:
            self._start(now)

    def ask_to_stop(self) -> None:
        """Let the server stop while the daemon does other things: running requests end."""
        if self._process is not None and self._asked_at is None:
            self._asked_at = self._clock()
            self._process.terminate()

    def stop(self) -> None:
        """Stop the server, if there is one, and wait until it has ended."""
        self.ask_to_stop()
        if self._process is None:
            return
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()
        self._note_end(self._process, self._clock())

    def _kill(self) -> None:
        if self._process is not None:
            log.error("the HTTP server did not stop within %d seconds, and is killed", STOP_WITHIN)
            self._process.kill()

    def _start(self, now: float) -> None:
        try:
            with self._settings.server_output.open("wb") as output:
                process = subprocess.Popen(
                    [*self._command, "--log", str(self._settings.server_log)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=output,
                    cwd="/",
                    env=child_environment((*WORT, "AWS_")),
                )
            if process.stdout is not None:
                os.set_blocking(process.stdout.fileno(), False)
        except OSError as error:
            self._fail(now, f"it cannot be started: {error.strerror}")
            return
        self._process, self._announced, self._started_at = process, b"", now
        self.state = replace(self.state, url="", link="", pid=process.pid, since=time.time())

    def _read_announcement(self) -> None:
        if self._process is None or self._process.stdout is None or self.state.url:
            return
        try:
            self._announced += self._process.stdout.read(MAX_ANNOUNCED) or b""
            document = json.loads(self._announced)
            url, link = str(document["url"]), str(document["sign_in"] or "")
        except (OSError, ValueError, LookupError, TypeError):  # not all of it is there
            self._announced = self._announced[:MAX_ANNOUNCED]
            return
        self.state = replace(self.state, url=url, link=link, error="")
        log.info("the HTTP server runs as process %d: %s", self._process.pid, url)

    def _note_end(self, process: "subprocess.Popen[bytes]", now: float) -> None:
        if process.stdout is not None:
            process.stdout.close()
        self._process = None
        if now - self._started_at >= PROVED_GOOD:
            self._pause = FIRST_PAUSE
        if self._asked_at is not None:
            self._asked_at, self._next_at, self.state = None, float("-inf"), ServerState()
        else:
            self._fail(now, self._last_words() or f"it ended with exit code {process.returncode}")

    def _fail(self, now: float, why: str) -> None:
        log.error("the HTTP server does not run: %s; trying again in %d s", why, self._pause)
        self.state = ServerState(ended=self.state.ended + 1, error=why[:MAX_ERROR])
        self._next_at = now + self._pause
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)

    def _last_words(self) -> str:
        """Return the sentence that the server wrote before it ended; empty if there is none."""
        try:
            with self._settings.server_output.open("rb") as file:
                text = file.read(4096).decode(errors="replace")
        except OSError:
            return ""
        found = [line.removeprefix("wort: ") for line in text.splitlines() if line.startswith("wort: ")]
        return found[-1].strip() if found else ""


def served(settings: Settings) -> dict[str, object]:
    """Return the settings with which a server must be started again when they change."""
    return {name: value for name, value in vars(settings).items() if name not in ("origins", "jobs", "threads")}
