"""The daemon's health: its own reports, problems that are seen from outside, and the metrics."""

import os
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.homes import Home
from tests.support.polling import LONGEST, until
from tests.support.ports import free_port
from tests.support.processes import processes_with
from tests.support.shelf import Shelf


def status(home: Home) -> dict[str, object]:
    return dict(home("daemon", "status", "--json").json())


def test_status_of_a_healthy_daemon_is_complete(home: Home, shelf: Shelf) -> None:
    home("daemon", "status", "--json").expect(3)
    assert home("daemon", "status", "--json").json()["loop"] is None
    home("daemon", "start").expect(0)
    until(lambda: status(home)["loop"], "the loop has run")
    home.keep("SRR000001", shelf.archive("one_read"))
    home("compute", "SRR000001", "SRR000404", "--wait").expect(0)
    home("daemon", "pause").expect(0)
    home.keep("SRR000002", shelf.archive("one_read"))
    home("compute", "SRR000002").expect(0)
    found = home("daemon", "status", "--json").expect(0).json()
    assert found["problems"] == []
    assert found["state"] == "paused"
    assert 0 <= found["loop"]["age"] < LONGEST
    assert found["loop"]["turns"] > 0
    assert 0 < found["loop"]["mean"] <= found["loop"]["longest"] < LONGEST
    assert found["workers"] == {"alive": 2, "wanted": 2}
    assert found["queued"] == 1
    assert 0 <= found["oldest_queued"] < LONGEST
    for span in ("hour", "day"):
        rates = found["failure_rates"][span]
        assert (rates["done"], rates["unavailable"], rates["failed"]) == (1, 1, 0)
        assert rates["reasons"] == {"not-found": 1}
    (disk,) = found["disks"]
    assert 0 < disk["reserve"] < disk["free"] <= disk["total"]
    lines = dict(row for row in home("daemon", "status").expect(0).rows())
    assert "ms per turn" in lines["loop"]
    assert lines["workers"] == "2 of 2 alive"


def test_stuck_loop_makes_the_daemon_unhealthy(home: Home) -> None:
    home("daemon", "start").expect(0)
    pid = home.daemon_pid()
    until(lambda: status(home)["loop"], "the loop has run")
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: status(home)["state"] == "unhealthy", "the status is unhealthy", pause=0.5)
        found = home("daemon", "status", "--json").expect(1).json()
        assert any("has been stuck" in sentence for sentence in found["problems"])
        assert "unhealthy" in home("status").expect(0).out
        assert "has been stuck" in home("doctor").expect(1).out
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: status(home)["state"] == "running", "the daemon is healthy again")


def test_unreadable_ledger_is_reported_as_a_problem(home: Home) -> None:
    home("daemon", "status").expect(3)
    home.ledger.write_bytes(b"no database" * 1000)
    found = home("daemon", "status", "--json").expect(3)
    assert any("cannot be read" in sentence for sentence in found.json()["problems"])
    home.ledger.unlink()


# ---- Metrics


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return the values by metric name and labels (state, reason)."""
    return {
        (sample.name, tuple(sample.labels[key] for key in ("state", "reason") if key in sample.labels)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def fetched(port: int) -> str:
    """Return the text of the endpoint; empty if it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def test_metrics_are_served_and_written_to_a_file(home: Home, shelf: Shelf) -> None:
    port, file = free_port(), home.root / "wort.prom"
    home.env.update(WORT_METRICS_ADDRESS=str(port), WORT_METRICS_FILE=str(file))
    home.keep("SRR000001", shelf.archive("one_read"))
    home("daemon", "start").expect(0)
    home("compute", "SRR000001", "SRR000404", "--wait").expect(0)
    found = samples(until(lambda: fetched(port), "metrics are served"))
    assert found["wort_up", ()] == found["wort_healthy", ()] == 1
    assert found["wort_jobs", ("done", "")] == 1
    assert found["wort_jobs", ("unavailable", "not-found")] == 1
    assert found["wort_jobs", ("queued", "")] == 0
    assert found["wort_job_moves_total", ("done", "")] == 1
    assert found["wort_job_moves_total", ("queued", "")] == 2
    assert found["wort_workers", ()] == 2
    assert found["wort_loop_age_seconds", ()] < LONGEST
    until(file.exists, "the file is written")
    assert samples(file.read_text())["wort_up", ()] == 1
    assert file.stat().st_mode & 0o777 == 0o644
    documented = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text()
    missing = {name for name, _ in found if f"`{name}`" not in documented}
    assert not missing
    home("daemon", "stop").expect(0)
    assert samples(file.read_text())["wort_up", ()] == 0
    until(lambda: not fetched(port), "nothing is served")


def test_metrics_process_is_restarted_when_it_dies_and_stopped_with_the_daemon(home: Home) -> None:
    port = free_port()
    home.env["WORT_METRICS_ADDRESS"] = f"127.0.0.1:{port}"
    home("daemon", "start").expect(0)

    def process() -> int:
        found = processes_with("WORT_HOME", str(home.path))
        return next((each.pid for each in found if "wort_cli.daemon.metrics_process" in each.argv), 0)

    until(lambda: fetched(port), "metrics are served")
    first = process()
    os.kill(first, signal.SIGKILL)
    until(lambda: process() not in (0, first), "the process is restarted")
    until(lambda: fetched(port), "metrics are served again")
    os.kill(home.daemon_pid(), signal.SIGKILL)
    home.until_idle()


def test_reload_changes_metrics_and_backups(home: Home) -> None:
    home("daemon", "start").expect(0)
    one, other, config = home.root / "one.prom", home.root / "other.prom", home.path / "config.toml"

    def reload(text: str) -> None:
        config.write_text(text)
        home("daemon", "reload").expect(0)

    reload(f'metrics_file = "{one}"\nbackup_hours = 1e-5\n')
    until(one.exists, "metrics are written")
    until(lambda: list((home.path / "backups").glob("*.db")), "the ledger is backed up")
    reload(f'metrics_file = "{other}"\n')
    until(other.exists, "metrics are written to another file")
    assert samples(one.read_text())["wort_up", ()] == 0
    reload("")
    until(lambda: samples(other.read_text())["wort_up", ()] == 0, "the metrics file reports that the daemon is down")


def test_daemon_works_when_the_metrics_address_is_taken(home: Home, shelf: Shelf) -> None:
    home.keep("SRR000001", shelf.archive("one_read"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        home.env["WORT_METRICS_ADDRESS"] = f"127.0.0.1:{taken.getsockname()[1]}"
        home("daemon", "start").expect(0)
        home("compute", "SRR000001", "--wait").expect(0)
        until(lambda: "metrics cannot be served" in home("logs", "--daemon").expect(0).out, "it is logged")


@pytest.mark.parametrize("address", ["70000", "x", "0", "127.0.0.1:", "a b:1"])
def test_invalid_metrics_address_is_refused(address: str, home: Home) -> None:
    home("daemon", "start", env={"WORT_METRICS_ADDRESS": address}).expect(2, "metrics_address")
