"""More connections than the server allows; `make connections` opens ten thousand."""

import contextlib
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.attacks.connections import attack
from tests.support.certificate import make_certificate
from tests.support.homes import Home
from tests.support.processes import memory_of_tree
from tests.support.web_server import serving
from wort_cli.web.listener import MAX_HANDSHAKES
from wort_cli.web.protocol import MAX_CONNECTIONS_OF_A_CLIENT

MANY = MAX_CONNECTIONS_OF_A_CLIENT + 200


def test_address_with_too_many_connections_is_refused_and_others_are_answered(home: Home) -> None:
    with serving(home, "--rate", "0") as server:
        outcome = attack(server, MANY, MAX_CONNECTIONS_OF_A_CLIENT, of_one_address=MANY)
    assert (outcome.kept, outcome.refused) == (MAX_CONNECTIONS_OF_A_CLIENT, 200)
    assert outcome.memory < 200_000_000


def test_connections_that_never_agree_on_keys_do_not_stop_others(home: Home, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(certificate, key, "127.0.0.1", "IP:127.0.0.1")
    options = ("--tls-cert", str(certificate), "--tls-key", str(key))
    with serving(home, "--rate", "0", *options) as server, contextlib.ExitStack() as silent:
        address = (urlsplit(server.url).hostname, urlsplit(server.url).port)
        for _ in range(3 * MAX_HANDSHAKES):
            silent.enter_context(socket.create_connection(address, timeout=60))
        answer = httpx.get(f"{server.url}/health", verify=ssl.create_default_context(cafile=certificate), timeout=60)
        assert answer.status_code == 200
        assert memory_of_tree(server.running.process.pid) < 200_000_000
