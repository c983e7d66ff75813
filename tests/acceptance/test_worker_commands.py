"""Commands for jobs that run on workers of other hosts: verify, cancel, retry; and what a restart loses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_workers import hold
from tests.support.forgeries import forge, remove_one
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.queue_servers import PASSWORD, Redis
from tests.support.shelf import Shelf
from tests.support.worker_hosts import Cluster

FIRST, SECOND = "SRR1000001", "SRR1000002"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    """A Redis server that keeps nothing when it ends."""
    with Redis(tmp_path / "redis", options=("--appendonly", "no")) as running:
        yield running


@pytest.fixture
def cluster(home: Home, server: Redis, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(home, server, tmp_path)
    yield made
    made.end()


def test_signatures_are_verified_on_workers(cluster: Cluster, shelf: Shelf) -> None:
    home = cluster.home
    cluster.add()
    cluster.keep(FIRST, shelf.archive())
    cluster.start()
    home("compute", FIRST, "--wait").expect(0)
    (home.cwd / "right.sig").write_bytes(shelf.reference(shelf.archive(), FIRST))
    (home.cwd / "wrong.sig").write_bytes(forge(shelf.reference(shelf.archive(), FIRST), remove_one))
    found = home("verify", FIRST, "right.sig", "wrong.sig", "--wait", "--json").expect(5)
    trusts = [record["verdict"]["trust"] for record in found.records()]
    assert sorted(trusts) == ["mismatch", "verified", "verified"]
    assert home.signature(FIRST) == shelf.reference(shelf.archive(), FIRST)
    assert not cluster.hosts[0].home.path.joinpath("signatures").exists()


def test_cancelled_job_is_computed_when_it_is_retried(cluster: Cluster, shelf: Shelf, tmp_path: Path) -> None:
    home = cluster.home
    host = cluster.add(**hold(tmp_path))
    cluster.keep(FIRST, shelf.archive())
    cluster.start()
    home("compute", FIRST).expect(0)
    until((tmp_path / "held").exists, "the worker decodes")
    home("cancel", FIRST).expect(0)
    until(lambda: not host.is_decoding(), "the worker has ended it")
    (tmp_path / "go").touch()
    home("retry", FIRST).expect(0)
    assert home.until_job(FIRST, "done").attempt == 2
    assert home.signature(FIRST) == shelf.reference(shelf.archive(), FIRST)


def test_redis_without_a_file_loses_everything_and_no_job(cluster: Cluster, shelf: Shelf, tmp_path: Path) -> None:
    home = cluster.home
    cluster.add(**hold(tmp_path))
    for name in (FIRST, SECOND):
        cluster.keep(name, shelf.archive())
    cluster.start()
    home("compute", FIRST, SECOND).expect(0)
    until((tmp_path / "held").exists, "the worker decodes")
    cluster.server.restart()
    (tmp_path / "go").touch()
    for name in (FIRST, SECOND):
        home.until_job(name, "done")
        assert [event[0] for event in home.events(name)].count("done") == 1
    assert home.job(FIRST).attempt == 1
    until(lambda: not cluster.server.values(), "the queue is empty")


def test_status_says_what_is_wrong_with_the_queue_and_jobs_go_on(
    cluster: Cluster, server: Redis, shelf: Shelf, tmp_path: Path
) -> None:
    """The password changes while a job runs; then the memory of the server is full."""
    home, password = cluster.home, tmp_path / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    host = cluster.add(**hold(tmp_path))
    cluster.keep(FIRST, shelf.archive())
    for each in (home, host.home):
        del each.env["WORT_QUEUE_PASSWORD"]
        each.env["WORT_QUEUE_PASSWORD_FILE"] = str(password)
    cluster.start()
    home("compute", FIRST).expect(0)
    until((tmp_path / "held").exists, "the worker decodes")
    server.cli("config", "set", "requirepass", "another")
    server.password = "another"
    server.cli("client", "kill", "type", "normal")
    until(lambda: "the server refuses the user or the password" in home("daemon", "status").out, "the status says so")
    until(lambda: "refuses the user or the password" in host.log, "the worker says so")
    password.write_text("another")
    until(lambda: "cannot be used" not in home("daemon", "status").out, "the daemon continues")
    server.cli("config", "set", "maxmemory", "1")
    (tmp_path / "go").touch()
    until(lambda: "the memory of the server is full" in home("daemon", "status").out, "the status says so")
    until(lambda: "the memory of the server is full" in host.log, "the worker says so")
    server.cli("config", "set", "maxmemory", "0")
    assert home.until_job(FIRST, "done").attempt == 1
    assert home.signature(FIRST) == shelf.reference(shelf.archive(), FIRST)
