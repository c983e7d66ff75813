"""A queue with TLS, on real servers: the right authority, a wrong one, another host name, and no authority."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificate import make_certificate
from tests.support.homes import Home
from tests.support.queue_servers import PASSWORD, SERVERS, QueueServer
from tests.support.shelf import Shelf
from tests.support.worker_hosts import Cluster


@pytest.fixture(scope="module", params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueueServer]:
    """A server with TLS, whose certificate names 127.0.0.1."""
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param) / "server", encrypted=True) as running:
        yield running


def test_worker_and_coordinator_meet_on_an_authenticated_server(
    home: Home, server: QueueServer, tmp_path: Path, shelf: Shelf
) -> None:
    """They share a key; a host without it, and one with another, take no part."""
    cluster = Cluster(home, server, tmp_path)
    host = cluster.add()
    host.home.keep("SRR1000001", shelf.archive())
    for name, text in (("key", "0123456789abcdef"), ("other", "fedcba9876543210")):
        (tmp_path / name).write_text(text, encoding="ascii")
        (tmp_path / name).chmod(0o600)
    home.env["WORT_QUEUE_KEY_FILE"] = host.home.env["WORT_QUEUE_KEY_FILE"] = str(tmp_path / "key")
    cluster.start()
    home("compute", "SRR1000001", "--wait").expect(0)
    stranger = cluster.add().home
    stranger("worker").expect(75, "not sealed with the key of this host (setting queue_key_file)", "copy the file")
    stranger.env["WORT_QUEUE_KEY_FILE"] = str(tmp_path / "other")
    stranger("worker").expect(75, "not sealed with the key of this host (setting queue_key_file)", "copy the file")
    stranger("daemon", "start").expect(75, "another coordinator, with another key (setting queue_key_file), uses")
    assert home.signature("SRR1000001") == shelf.reference(shelf.archive(), "SRR1000001")
    assert "(TLS, server authenticated)" in home("doctor").out
    cluster.end()


def test_server_that_is_not_the_right_one_is_refused(home: Home, server: QueueServer, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    make_certificate(other, tmp_path / "key.pem", "queue", "IP:127.0.0.1")
    right = str(server.certificate)
    elsewhere = "names the certificate of its authority; else another server may answer in its place"
    wrong = [
        (server.url.replace(right, str(other)), "not from an authority that this machine trusts", elsewhere),
        (
            server.url.replace("@127.0.0.1", "@localhost").replace("//127.0.0.1", "//localhost"),
            "is for another host",
            "",
        ),
        (server.url.replace(right, "/no/such"), "authority cannot be read", "check the path in `sslrootcert=FILE`"),
    ]
    home.env["WORT_QUEUE_PASSWORD"] = PASSWORD
    for url, sentence, hint in wrong:
        home.env["WORT_QUEUE"] = url
        found = home("doctor")
        assert sentence in found.out and hint in found.out, str(found)
    home.env["WORT_QUEUE"], sentence, hint = wrong[0]
    home("daemon", "start").expect(75, sentence, hint)
    home("worker").expect(75, sentence, hint)


def test_protection_of_the_connection_is_shown(home: Home, server: QueueServer) -> None:
    clear, encrypted = "sslmode=disable", "sslmode=require"
    if server.kind == "redis":
        clear, encrypted = "", "ssl_cert_reqs=none&ssl_check_hostname=false"
    bare = server.url.partition("?")[0]
    home.env |= {"WORT_QUEUE": f"{bare}?{encrypted}", "WORT_QUEUE_PASSWORD": PASSWORD}
    assert "(TLS), 0 orders" in home("doctor").out
    if clear:
        home.env["WORT_QUEUE"] = f"{bare}?{clear}"
        assert "(no TLS), 0 orders" in home("doctor").out
