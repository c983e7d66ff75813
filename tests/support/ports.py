"""Ports for servers that take a number and cannot choose one themselves."""

import os
import random
import socket
from pathlib import Path

LOWEST = 12_000
SHARES = 16
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
"""The tests of this process take every 16th port, those of another process of the run take others."""
GIVEN: set[int] = set()
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Return a free port of the loopback that the kernel gives to nobody else.

    A port that the kernel chose and that was closed again can be given to any outgoing connection before the server
    listens.  So this one lies outside the range of such ports, and is chosen at random: other runs of the tests may be
    going on.  No test of this run has got it or will get it.
    """
    highest = max(int(EPHEMERAL.read_text(encoding="ascii").split()[0]), LOWEST + 10_000)
    while True:
        port = random.SystemRandom().randrange(LOWEST + int(WORKER[2:]) % SHARES, highest, SHARES)
        if port in GIVEN:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        GIVEN.add(port)
        return port
