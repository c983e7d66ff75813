"""The programs of the hosts: `wort daemon` and `wort worker`, each in a home of its own, with a clock of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.faults.hosts.network import Namespace
from tests.faults.machine import Clock
from tests.support.homes import WORT, Home


class Program:
    """A program on a host."""

    def __init__(self, root: Path, namespace: Namespace, env: Mapping[str, str], *words: str) -> None:
        self.namespace, self.home, self._words = namespace, Home(root), words
        self.home.env |= env
        self.clock = Clock(self.home)
        self._process: subprocess.Popen[bytes] | None = None
        self.log = root / "log"

    def start(self) -> None:
        """Start the program, unless it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.namespace.enter, str(WORT), *self._words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.home.env,
                cwd=self.home.cwd,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill all processes of the host."""
        self.namespace.kill()
        if self._process is not None:
            self._process.wait(60)

    def stop(self) -> None:
        """Ask the program to end, and wait for it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(120)

    def workspaces(self) -> list[Path]:
        """Return the workspaces of jobs on this host."""
        homes = self.home.path.glob("worker/*")
        return sorted(path for home in homes for path in (home / "work").glob("[0-9]*"))
