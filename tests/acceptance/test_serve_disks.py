"""`wort serve` where it can only read: a read-only disk, no daemon, no ledger, a ledger of an earlier version."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.homes import WORT, Home
from tests.support.ledgers import make_ledger_of_release_0_1, tables_of
from tests.support.polling import until
from tests.support.served_home import DONE, RUNNING, make_served_home
from tests.support.web_server import serving
from wort_cli.web import server as web_server

PAGES = (
    "/",
    f"/view/sra/{DONE}/",
    "/queue",
    "/catalog",
    "/groups",
    f"/v1/status/{DONE}",
    "/v1/jobs",
    "/health",
    "/metrics",
)


@contextlib.contextmanager
def on_read_only_disk(home: Home) -> Iterator[str]:
    """Run a read-only server in a mount namespace where the home is a read-only disk; yield its URL."""
    script = f'mount --bind "{home.path}" "{home.path}"\nmount -o remount,ro,bind "{home.path}"\nexec "$@"'
    unshare = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")
    out, err = home.root / "out", home.root / "err"
    with out.open("wb") as out_file, err.open("wb") as err_file:
        process = subprocess.Popen(
            [*unshare, "bash", "-ec", script, "bash", WORT, "serve", "--read-only", "--port", "0", "--json"],
            stdout=out_file, stderr=err_file, env=home.env, cwd=home.cwd,
        )  # fmt: skip

        def announced() -> str:
            assert process.poll() is None, err.read_text()
            return out.read_text()

        try:
            until(lambda: announced().endswith("}\n"), "the server is ready")
            yield str(json.loads(out.read_text())["url"]).rstrip("/")
            process.terminate()
            assert process.wait(60) == 0, err.read_text()
        finally:
            process.kill()
            process.wait()
    assert "Traceback" not in err.read_text()


@pytest.fixture
def served(home: Home) -> Home:
    """A home in which no job runs, because nothing would end it."""
    make_served_home(home.path)
    home("cancel", RUNNING).expect(0)
    return home


def test_server_reads_a_read_only_disk(served: Home) -> None:
    with on_read_only_disk(served) as url:
        for page in PAGES:
            assert httpx.get(f"{url}{page}").status_code == 200, page
        assert httpx.get(f"{url}/v1/view/sra/{DONE}", follow_redirects=True).status_code == 200
        assert len(httpx.get(f"{url}/wort-sra/SOURMASH-MANIFEST.parquet").content) > 1000
        refused = httpx.post(f"{url}/v1/compute/sra/SRR000099")
        assert refused.status_code in (401, 403)


def test_server_works_without_a_daemon(served: Home) -> None:
    with serving(served) as server:
        assert httpx.get(f"{server.url}/health").json()["daemon"] == "stopped"
        assert "No daemon runs" in httpx.get(f"{server.url}/queue").text
        assert httpx.get(f"{server.url}/v1/view/sra/{DONE}").status_code == 302


def test_server_of_an_empty_home_answers(home: Home) -> None:
    with serving(home, "--read-only") as server:
        for page in ("/", "/queue", "/catalog", "/health"):
            assert httpx.get(f"{server.url}{page}").status_code == 200, page
        assert httpx.get(f"{server.url}/v1/view/sra/{DONE}").status_code == 404


def test_server_reads_a_ledger_that_took_the_place_of_the_first(served: Home) -> None:
    with serving(served) as server:
        assert httpx.get(f"{server.url}/v1/view/sra/{DONE}").status_code == 302
        copy = served.root / "copy.db"
        with contextlib.closing(sqlite3.connect(served.ledger)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        shutil.copyfile(copy, served.root / "new.db")
        (served.root / "new.db").chmod(0o600)
        (served.root / "new.db").rename(served.ledger)
        until(lambda: httpx.get(f"{server.url}/v1/view/sra/{DONE}").status_code == 302, "it reads the new ledger")
        assert httpx.get(f"{server.url}/queue").status_code == 200


def test_server_reads_an_old_ledger_on_a_read_only_disk(tmp_path: Path) -> None:
    home = Home(tmp_path / "h")
    home.path.mkdir(mode=0o700)
    make_ledger_of_release_0_1(home.ledger)
    home.ledger.chmod(0o600)
    before = tables_of(home.ledger)
    with on_read_only_disk(home) as url:
        for page in ("/", "/queue", "/catalog", "/v1/jobs", "/health"):
            assert httpx.get(f"{url}{page}").status_code == 200, page
    assert tables_of(home.ledger) == before, "the file was not migrated"


def test_hangup_opens_the_log_again(home: Home) -> None:
    log = home.root / "serve.log"
    with serving(home, "--log", str(log)) as server:
        httpx.get(f"{server.url}/robots.txt?first")
        until(lambda: "/robots.txt" in log.read_text(), "the request is logged")
        log.rename(home.root / "old.log")
        server.running.signal(signal.SIGHUP)
        until(log.exists, "the log is opened again")
        httpx.get(f"{server.url}/about")
        until(lambda: "/about" in log.read_text(), "later requests are in the new file")


def test_server_answers_while_another_process_writes_the_ledger(served: Home) -> None:
    with serving(served) as server, contextlib.closing(sqlite3.connect(served.ledger, timeout=60)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for page in PAGES:
            assert httpx.get(f"{server.url}{page}").status_code == 200, page
        connection.execute("ROLLBACK")


def test_streams_end_when_the_server_stops(served: Home) -> None:
    with serving_until_cut(served) as (url, process):
        with httpx.stream("GET", f"{url}/v1/events", timeout=60) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            process.send_signal(signal.SIGTERM)
            assert not [line for line in lines if line.startswith("data")], "the stream has ended, and was not cut"
        assert process.wait(web_server.GRACE + 60) == 0


@contextlib.contextmanager
def serving_until_cut(home: Home) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Run a server that the body stops."""
    with home.running("serve", "--port", "0", "--json") as running:
        until(lambda: running.out.read_text().endswith("}\n"), "the server is ready")
        yield json.loads(running.out.read_text())["url"].rstrip("/"), running.process


def test_request_that_never_ends_is_cut_by_a_second_signal(served: Home) -> None:
    with serving_until_cut(served) as (url, process):
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            head = (
                f"POST /v1/status HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nSRR"
            )
            connection.sendall(head.encode())
            until(lambda: httpx.get(f"{url}/health").status_code == 200, "the server reads requests in their order")
            process.send_signal(signal.SIGTERM)
            until(lambda: not accepts(host, int(port)), "it accepts no connections")
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 130


def accepts(host: str, port: int) -> bool:
    """Return whether something listens."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=5):
        return True
    return False
