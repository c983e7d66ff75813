"""Has the new runs of followed projects and queries requested when that is due: by `wort follow run --due`.

To ask ENA and NCBI may take minutes, and the daemon's loop does not wait for them.  So a child process does, one at a
time, as a person would.  It ends with the daemon; what it did not finish is due again.
"""

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.system.environment import WORT, child_environment

CHECK_EVERY = 5.0
"""Seconds between looks whether anything is due."""
STOP_WITHIN = 5.0
"""Seconds that the process has to end before it is killed."""
COMMAND = (sys.executable, "-m", "wort_cli", "follow", "run", "--due", "--json")

log = logging.getLogger(__name__)


class FollowRuns:
    """Starts the process when anything is due."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        *,
        command: Sequence[str] = COMMAND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._command = command
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._checked_at = float("-inf")

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings from now on."""
        self._settings = settings

    def step(self) -> None:
        """Start the process if anything is due and none runs.  Cheap: call it in each turn."""
        if self._process is not None and (code := self._process.poll()) is not None:
            self._process = None
            if code not in (0, 1, 75):  # what the command says of a list that failed is in the ledger
                log.error("`wort follow run --due` ended with exit code %d", code)
        now = self._clock()
        if self._process is not None or now - self._checked_at < CHECK_EVERY:
            return
        self._checked_at = now
        due = self._ledger.follows.due(time.time(), self._settings.follow_hours)
        if not due:
            return
        log.info("asking for new runs of %s", ", ".join(follow.request.selection[:100] for follow in due[:5]))
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=child_environment(WORT),
        )

    def stop(self) -> None:
        """Stop the process, if there is one."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
