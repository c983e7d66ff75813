"""The process that tells Prometheus how the daemon is: `python -m wort_cli.daemon.metrics_process`.

It is beside the daemon, not in it.  The library serves from threads, and the daemon, which forks, must have none; and
what stands still can't say so.  This process reads the ledger and the daemon's word as any command does.  It ends when
the daemon does, however that ends, for its standard input is a pipe; the file says then that no daemon runs.
"""

import logging
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from wort_cli.daemon.log_file import FollowedLog
from wort_cli.health.metrics import registry, write_metrics
from wort_cli.settings import Settings, load_settings

WRITE_EVERY = 15.0
CHECK_EVERY = 10.0
"""Seconds between looks at whether the process runs, and between tries to have the address."""
STOP_WITHIN = 5.0

log = logging.getLogger(__name__)


class MetricsProcess:
    """The process as the daemon sees it: started if metrics are wanted, and started again where it ended."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._looked_at = float("-inf")

    def use(self, settings: Settings) -> None:
        """Go by these settings from now on: what tells by others is ended."""
        if places(settings) != places(self._settings):
            self.stop()
            self._looked_at = float("-inf")
        self._settings = settings

    def keep(self) -> None:
        """See that it runs; to be called now and then."""
        now = time.monotonic()
        if not any(places(self._settings)) or now - self._looked_at < CHECK_EVERY:
            return
        self._looked_at = now
        if self._process is not None:
            if self._process.poll() is None:
                return
            log.error("the process that tells metrics has ended, starting it again")
            self.stop()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wort_cli.daemon.metrics_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def places(settings: Settings) -> tuple[str, str]:
    """Where metrics are told: an address, a file; '' for none."""
    return settings.metrics_address, settings.metrics_file


class Teller:
    """What the process does: writes the file, serves the address."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._serving = False
        self._wrote_at = self._tried_at = float("-inf")
        self._failed = ""

    def tell(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        if self._settings.metrics_address and not self._serving and now - self._tried_at > CHECK_EVERY:
            self._tried_at = now
            self._serve()
        if self._settings.metrics_file and now - self._wrote_at > WRITE_EVERY:
            self._wrote_at = now
            self._write()

    def end(self) -> None:
        """The daemon has ended."""
        if self._settings.metrics_file:
            self._write(ended=True)

    def _serve(self) -> None:
        from prometheus_client import start_http_server

        host, _, port = self._settings.metrics_address.rpartition(":")
        try:
            start_http_server(int(port), host.strip("[]"), registry=registry(self._settings))
        except OSError as error:
            log.error("metrics can't be served at %s: %s; trying again", self._settings.metrics_address, error)
        else:
            self._serving = True
            log.info("metrics are served at http://%s/metrics", self._settings.metrics_address)

    def _write(self, *, ended: bool = False) -> None:
        path = self._settings.metrics_file
        try:
            write_metrics(Path(path), self._settings, ended=ended)
            self._failed = ""
        except Exception as error:  # a full disk, a damaged ledger: what there is to tell is told by the address
            if str(error) != self._failed:
                log.error("metrics can't be written to %s: %s", path, error)
            self._failed = str(error)


def main() -> None:
    """Tell until standard input ends."""
    os.umask(0o022)  # the file is for another user's collector
    settings = load_settings()
    logging.basicConfig(
        handlers=[FollowedLog(settings.daemon_log)],
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s",
    )
    teller = Teller(settings)
    poll = select.poll()
    poll.register(0, select.POLLIN)
    while True:
        teller.tell()
        if poll.poll(1000) and not os.read(0, 1):
            break
    teller.end()


if __name__ == "__main__":
    main()
