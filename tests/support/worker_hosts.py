"""A coordinator and workers on "other hosts" for one test: homes that share nothing but a queue, and maybe a bucket."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.homes import LIVE, WORT, Home
from tests.support.polling import LONGEST, until
from tests.support.processes import Process
from tests.support.queue_servers import PASSWORD, QueueServer
from wort_cli.health.workers_file import read_workers


class WorkerHost:
    """A home in which `wort worker` runs, with archives of its own."""

    def __init__(self, root: Path, server: QueueServer, env: Mapping[str, str]) -> None:
        self.home = Home(root)
        self.home.env |= {
            "WORT_QUEUE": server.url,
            "WORT_QUEUE_PASSWORD": PASSWORD,
            "WORT_JOBS": "1",
            "WORT_FETCH_AHEAD": "0",
            **env,
        }
        self.before: tuple[str, ...] = ()
        """Words before the command of the worker."""
        self._process: subprocess.Popen[bytes] | None = None
        self._log = root / "worker.log"

    @property
    def log(self) -> str:
        """The stderr of the worker."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process `wort worker`."""
        assert self._process is not None
        return self._process

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        """Start the worker."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.before, WORT, "worker", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self.home.env, **(env or {})},
                cwd=self.home.cwd,
            )

    def until_ready(self) -> None:
        """Wait until the worker takes jobs."""
        until(lambda: "the worker runs as process" in self.log, "the worker runs", 120)

    def wait(self, seconds: float = LONGEST) -> int:
        """Wait until the worker ends; return its exit code."""
        return self.process.wait(seconds)

    def kill(self) -> None:
        """Kill all processes of this host at once."""
        found = self.processes()
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                process.kill(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(60)
        until(lambda: not self.processes(), "the host has no process", 60)

    def processes(self) -> list[Process]:
        """Return the processes of this host."""
        return self.home.processes()

    def is_decoding(self) -> bool:
        """Return whether a tool decodes here, or waits in its place."""
        return any("--fasta" in process.argv for process in self.processes())

    def workspaces(self) -> list[Path]:
        """Return the workspaces of jobs that are here."""
        homes = self.home.path.glob("worker/*")
        return sorted(path for home in homes for path in (home / "work").glob("*") if path.is_dir())

    def end(self) -> None:
        """Stop the worker; assert that it leaves nothing running."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(120)
        self.home.until_idle()


class Cluster:
    """A coordinator, whose home is `home`, and its workers."""

    def __init__(self, home: Home, server: QueueServer, root: Path) -> None:
        self.home = home
        self.server = server
        self._root = root
        self.hosts: list[WorkerHost] = []
        home.env |= {
            "WORT_QUEUE": server.url,
            "WORT_QUEUE_PASSWORD": PASSWORD,
            "WORT_RETRY_DELAY": "1",
        }

    def add(self, **env: str) -> WorkerHost:
        """Add a host, which has the runs in the repository of the coordinator too, and the same bucket."""
        shared = {key: value for key, value in self.home.env.items() if key.startswith("AWS_")}
        host = WorkerHost(self._root / f"host{len(self.hosts) + 1}", self.server, {**shared, **env})
        self.hosts.append(host)
        return host

    def keep(self, accession: str, archive: Path) -> None:
        """Put an archive into the repositories of all hosts, and not into that of the coordinator."""
        for host in self.hosts:
            host.home.keep(accession, archive)

    def start(self) -> None:
        """Start the coordinator and all workers."""
        self.home("daemon", "start").expect(0)
        for host in self.hosts:
            host.start()
        for host in self.hosts:
            host.until_ready()

    def known(self) -> list[Any]:
        """Return the workers that the coordinator has seen."""
        found = read_workers(self.home.path / "workers.json")
        return found[0] if found else []

    def until_known(self, number: int) -> None:
        """Wait until the coordinator has seen so many workers."""
        until(lambda: len([w for w in self.known() if w.state in ("idle", "working")]) == number, f"{number} workers")

    def until_all_ended(self, seconds: float = LONGEST) -> None:
        """Wait until no job is live."""
        until(lambda: not [job for job in self.home.jobs() if job.state in LIVE], "all jobs have ended", seconds)

    def end(self) -> None:
        """Stop the workers."""
        for host in self.hosts:
            host.end()
