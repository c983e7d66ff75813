"""The metrics process runs while metrics are configured; the exporter writes the file and serves the address."""

import logging
import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import eventually
from tests.support.ports import free_port
from wort_cli.daemon import metrics_process
from wort_cli.daemon.metrics_process import MetricsExporter, MetricsProcess
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.system.process_identity import identity_of


def is_running(pid: int) -> bool:
    return identity_of(pid) is not None


@pytest.fixture
def with_file(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that export metrics to a file, for this process and the metrics process."""
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    monkeypatch.setenv("WORT_METRICS_FILE", str(tmp_path / "wort.prom"))
    return replace(settings, metrics_file=str(tmp_path / "wort.prom"))


@pytest.fixture
def handle(with_file: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[MetricsProcess]:
    monkeypatch.setattr(metrics_process, "CHECK_EVERY", 0.0)
    made = MetricsProcess(with_file)
    yield made
    made.stop()


def pid_of(handle: MetricsProcess) -> int:
    assert handle._process is not None
    return handle._process.pid


def test_no_process_is_started_without_a_destination(settings: Settings) -> None:
    handle = MetricsProcess(settings)
    handle.ensure_running()
    assert handle._process is None
    handle.stop()


def test_process_writes_the_file_and_is_stopped(handle: MetricsProcess, with_file: Settings) -> None:
    handle.ensure_running()
    pid = pid_of(handle)
    path = Path(with_file.metrics_file)
    assert eventually(lambda: path.exists() and "wort_up" in path.read_text())
    handle.ensure_running()
    assert pid_of(handle) == pid
    handle.stop()
    assert not is_running(pid)
    assert "wort_up 0" in path.read_text()


def test_process_that_died_is_started_again(handle: MetricsProcess) -> None:
    handle.ensure_running()
    pid = pid_of(handle)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not is_running(pid))
    handle.ensure_running()
    assert pid_of(handle) != pid


def test_changed_destination_starts_a_new_process(handle: MetricsProcess, with_file: Settings, tmp_path: Path) -> None:
    handle.ensure_running()
    pid = pid_of(handle)
    handle.reconfigure(replace(with_file, jobs=9))
    handle.ensure_running()
    assert pid_of(handle) == pid
    handle.reconfigure(replace(with_file, metrics_file=str(tmp_path / "other.prom")))
    assert not is_running(pid)
    handle.ensure_running()
    assert pid_of(handle) != pid


def test_exporter_writes_the_file_and_says_at_the_end_that_no_daemon_runs(ledger: Ledger, with_file: Settings) -> None:
    exporter = MetricsExporter(with_file)
    exporter.step()
    path = Path(with_file.metrics_file)
    assert "wort_disk_free_bytes" in path.read_text()
    exporter.close()
    assert "wort_up 0" in path.read_text()


def test_write_error_is_logged_once(ledger: Ledger, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    exporter = MetricsExporter(replace(settings, metrics_file="/proc/self/wort.prom"))
    exporter.close()
    exporter.close()
    assert len(caplog.messages) == 1
    assert "metrics cannot be written to /proc/self/wort.prom" in caplog.messages[0]


def test_exporter_serves_the_address(ledger: Ledger, settings: Settings) -> None:
    port = free_port()
    exporter = MetricsExporter(replace(settings, metrics_address=f"127.0.0.1:{port}"))
    exporter.step()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        assert b"wort_up 0" in answer.read()


def test_address_in_use_is_logged_and_tried_again(
    ledger: Ledger, settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_process, "CHECK_EVERY", 0.0)
    caplog.set_level(logging.INFO)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        exporter = MetricsExporter(replace(settings, metrics_address=f"127.0.0.1:{port}"))
        exporter.step()
        assert "metrics cannot be served" in caplog.messages[0]
    exporter.step()
    assert "metrics are served" in caplog.messages[-1]
