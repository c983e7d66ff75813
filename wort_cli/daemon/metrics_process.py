"""The process that exports metrics for Prometheus: `python -m wort_cli.daemon.metrics_process`.

It is a process of its own for two reasons.  The Prometheus library serves from threads, but the daemon forks and must
have no threads; and a daemon that hangs could not report that it hangs.  The process reads the ledger and the health
file as any command does.  Its standard input is a pipe from the daemon: when the daemon ends, however that happens, the
process writes to the metrics file that no daemon runs, and ends.
"""

import logging
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from wort_cli.daemon.log_file import FollowedLog
from wort_cli.daemon.metrics_server import serve_in_thread
from wort_cli.health.metrics import registry, write_metrics
from wort_cli.settings import Settings, load_settings
from wort_cli.system.environment import WORT, child_environment
from wort_cli.system.private_files import use_private_umask

WRITE_EVERY = 15.0
"""Seconds between writes of the metrics file."""
CHECK_EVERY = 10.0
"""Seconds between checks that the process runs, and between attempts to bind its address."""
STOP_WITHIN = 5.0
"""Seconds that the process has to end before it is killed."""

log = logging.getLogger(__name__)


class MetricsProcess:
    """The daemon's handle of the process: starts it if metrics are configured, and again if it has ended."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._checked_at = float("-inf")

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings; if the address or the file has changed, stop the process so that a new one is started."""
        if destinations(settings) != destinations(self._settings):
            self.stop()
            self._checked_at = float("-inf")
        self._settings = settings

    def ensure_running(self) -> None:
        """Start the process if it is not running.  Cheap: call it after each turn."""
        now = time.monotonic()
        if not any(destinations(self._settings)) or now - self._checked_at < CHECK_EVERY:
            return
        self._checked_at = now
        if self._process is not None:
            if self._process.poll() is None:
                return
            log.error("the metrics process has ended, starting it again")
            self.stop()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wort_cli.daemon.metrics_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd="/",
            env=child_environment(WORT),
        )

    def stop(self) -> None:
        """Stop the process, if there is one."""
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


def destinations(settings: Settings) -> tuple[str, str]:
    """Return the address and the file to which metrics are exported; empty for none."""
    return settings.metrics_address, settings.metrics_file


class MetricsExporter:
    """Serves metrics at the address and writes them to the file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._serving = False
        self._wrote_at = self._tried_at = float("-inf")
        self._last_error = ""

    def step(self) -> None:
        """Bind the address if it is not bound, and write the file if it is due."""
        now = time.monotonic()
        if self._settings.metrics_address and not self._serving and now - self._tried_at > CHECK_EVERY:
            self._tried_at = now
            self._serve()
        if self._settings.metrics_file and now - self._wrote_at > WRITE_EVERY:
            self._wrote_at = now
            self._write()

    def close(self) -> None:
        """Write to the file that no daemon runs."""
        if self._settings.metrics_file:
            self._write(ended=True)

    def _serve(self) -> None:
        from prometheus_client import make_wsgi_app

        host, _, port = self._settings.metrics_address.rpartition(":")
        try:
            serve_in_thread(host.strip("[]"), int(port), make_wsgi_app(registry(self._settings)))
        except OSError as error:
            log.error("metrics cannot be served at %s: %s; trying again", self._settings.metrics_address, error)
        else:
            self._serving = True
            log.info("metrics are served at http://%s/metrics", self._settings.metrics_address)

    def _write(self, *, ended: bool = False) -> None:
        path = self._settings.metrics_file
        try:
            write_metrics(Path(path), self._settings, ended=ended)
            self._last_error = ""
        except Exception as error:  # such as a full disk; the address can still be served
            why = getattr(error, "strerror", None) or str(error)  # the name of the unfinished file is random
            if why != self._last_error:
                log.error("metrics cannot be written to %s: %s", path, why)
            self._last_error = why


def main() -> None:
    """Export metrics until standard input ends."""
    use_private_umask()
    settings = load_settings()
    logging.basicConfig(
        handlers=[FollowedLog(settings.daemon_log)],
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s",
    )
    exporter = MetricsExporter(settings)
    poll = select.poll()
    poll.register(0, select.POLLIN)
    while True:
        exporter.step()
        if poll.poll(1000) and not os.read(0, 1):
            break
    exporter.close()


if __name__ == "__main__":
    main()
