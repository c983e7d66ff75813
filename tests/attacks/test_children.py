"""Children of wort, which read data of strangers or answer them, get nothing that they do not need."""

import socket
import urllib.request
from pathlib import Path

import pytest

from tests.support.polling import until
from wort_cli.daemon import metrics_server
from wort_cli.daemon.metrics_process import MetricsProcess
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.settings import load_settings
from wort_cli.system.cancellation import NEVER
from wort_cli.system.environment import WORT, child_environment

SECRET = "wJalrXUtnFEMI"
SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "MY_PASSWORD")


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets in the environment of wort, and a configuration of the toolkit."""
    for name in SECRETS:
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("VDB_CONFIG", "/some/config")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")


def environment_of(pid: int) -> dict[str, str]:
    """The environment of a running process. The kernel shows none for an instant while a program is started."""
    text = until(lambda: Path(f"/proc/{pid}/environ").read_bytes(), f"the environment of process {pid}").decode()
    return dict(word.split("=", 1) for word in text.rstrip("\0").split("\0") if "=" in word)


def test_tools_get_no_credentials(secrets: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "bin" / "tool"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\nexec env\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    directory = tmp_path / "run"
    directory.mkdir()
    with ToolGroup(directory, NEVER, lambda _: None) as tools:
        printed = tools.run(["tool"]).stdout
        guard = environment_of(tools._guard.pid if tools._guard else 0)
    assert SECRET not in printed
    assert {"VDB_CONFIG=/some/config", "https_proxy=http://proxy:3128", f"TMPDIR={directory}"} <= set(printed.split())
    assert not set(SECRETS) & set(guard)


def test_metrics_process_gets_no_credentials(secrets: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WORT_METRICS_FILE", str(tmp_path / "wort.prom"))
    monkeypatch.setenv("LD_PRELOAD", "")
    settings = load_settings()
    settings.daemon_log.parent.mkdir(parents=True)
    process = MetricsProcess(settings)
    process.ensure_running()
    try:
        assert process._process is not None
        found = environment_of(process._process.pid)
    finally:
        process.stop()
    assert not set(SECRETS) & set(found)
    assert found["WORT_METRICS_FILE"] == str(tmp_path / "wort.prom")
    assert found == child_environment(WORT)


def answer(environ: object, start: object) -> list[bytes]:
    """Answer every request."""
    assert callable(start)
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"wort_up 1\n"]


def test_metrics_address_has_a_limit_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server.SilentHandler, "timeout", 1.0)
    server = metrics_server.serve_in_thread("127.0.0.1", 0, answer)
    url = f"http://127.0.0.1:{server.server_port}/metrics"
    silent = []
    try:
        for _ in range(metrics_server.MAX_CONNECTIONS):
            silent.append(socket.create_connection(("127.0.0.1", server.server_port)))
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as refused:
            assert refused.recv(1) == b""
        assert all(each.recv(1) == b"" for each in silent)  # closed after a second of silence
        with urllib.request.urlopen(url, timeout=5) as reply:
            assert reply.read() == b"wort_up 1\n"
    finally:
        for each in silent:
            each.close()
        server.shutdown()
        server.server_close()
