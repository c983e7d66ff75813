"""The HTTP server as a child of the daemon: `wort daemon start --serve`."""

import os
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.homes import Home
from tests.support.polling import until
from tests.support.ports import free_port
from tests.support.processes import processes_with


@pytest.fixture
def port(home: Home) -> int:
    """The port of the home's server."""
    found = free_port()
    home.env["WORT_SERVE_PORT"] = str(found)
    return found


def answers(port: int) -> bool:
    """Return whether a server answers at a port."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.TransportError:
        return False


def server_of(home: Home) -> dict[str, Any]:
    """Return what `wort daemon status` says of the server."""
    return dict(home("daemon", "status", "--json").json()["server"] or {})


def pid_of(home: Home) -> int:
    """Return the process of the server; 0 if there is none."""
    found = processes_with("WORT_HOME", str(home.path))
    return next((each.pid for each in found if "--with-parent" in each.argv), 0)


def test_server_runs_with_the_daemon_and_is_started_again(home: Home, port: int) -> None:
    started = home("daemon", "start", "--serve").expect(0)
    assert f"serving http://127.0.0.1:{port}/" in started.out
    assert answers(port)
    first = server_of(home)
    assert (first["url"], first["pid"], first["error"]) == (f"http://127.0.0.1:{port}/", pid_of(home), None)
    os.kill(first["pid"], signal.SIGKILL)
    until(lambda: pid_of(home) not in (0, first["pid"]) and answers(port), "the server runs again")
    until(lambda: server_of(home)["error"] is None and server_of(home)["ended"] == 1, "the daemon reports it")
    assert f"http://127.0.0.1:{port}/" in home("daemon", "status").out
    assert "ok\tserver" in home("doctor").out
    restarted = home("daemon", "restart", "--json").json()
    assert restarted["url"] == f"http://127.0.0.1:{port}/"
    home("daemon", "stop").expect(0)
    until(lambda: not answers(port) and pid_of(home) == 0, "the server has ended")
    assert '"path": "/health"' in (home.path / "logs" / "serve.log").read_text()


def test_server_ends_with_a_daemon_that_is_killed(home: Home, port: int) -> None:
    home("daemon", "start", "--serve").expect(0)
    os.kill(home.daemon_pid(), signal.SIGKILL)
    home.until_idle()
    assert not answers(port)


def test_daemon_works_while_the_address_is_taken(home: Home, port: int) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        home("daemon", "start", "--serve").expect(0, "the HTTP server does not run: cannot listen at")
        status = home("daemon", "status", "--json")
        assert status.code == 1
        assert any("cannot listen at" in problem for problem in status.json()["problems"])
    until(lambda: answers(port), "the server runs once the address is free")
    until(lambda: home("daemon", "status").code == 0, "the daemon is healthy")


def test_reload_starts_and_stops_the_server(home: Home, port: int) -> None:
    home("daemon", "start").expect(0)
    assert server_of(home) == {}
    home("daemon", "start", "--serve").expect(0, "wort daemon restart --serve")
    (home.path / "config.toml").write_text("serve = true\nserve_read_only = true\n")
    home("daemon", "reload").expect(0)
    until(lambda: answers(port), "the server runs")
    assert httpx.get(f"http://127.0.0.1:{port}/health").json()["read_only"] is True
    (home.path / "config.toml").write_text("")
    home("daemon", "reload").expect(0)
    until(lambda: not answers(port) and server_of(home) == {}, "the server has stopped")


def test_options_that_no_server_may_have_are_refused_before_the_daemon_starts(home: Home) -> None:
    home("daemon", "start", "--serve", env={"WORT_SERVE_HOST": "0.0.0.0"}).expect(2, "would not be encrypted")
    home("daemon", "start", "--serve", env={"WORT_SERVE_ROOT_PATH": "wort"}).expect(2, "serve_root_path")
    assert home("daemon", "status").code == 3


def test_settings_are_the_options_of_serve(home: Home, tmp_path: Path) -> None:
    (home.path).mkdir(mode=0o700, exist_ok=True)
    (home.path / "config.toml").write_text('serve_host = "0.0.0.0"\nserve_rate = 7\n')
    home("serve").expect(2, "would not be encrypted")
    with home.running("serve", "--host", "127.0.0.1", "--port", "0", "--json") as running:
        until(lambda: "url" in running.out.read_text(), "the option is stronger than the setting")
        running.signal(signal.SIGTERM)
        assert running.wait().code == 0
