"""Ports for servers that take a number and cannot choose one themselves."""

import random
import socket
from pathlib import Path

LOWEST = 12_000
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Return a free port of the loopback that the kernel gives to nobody else.

    A port that the kernel chose and that was closed again can be given to any outgoing connection before the server
    listens.  So this one lies outside the range of such ports, and is chosen at random: tests run at the same time.
    """
    highest = max(int(EPHEMERAL.read_text(encoding="ascii").split()[0]), LOWEST + 10_000)
    while True:
        port = random.SystemRandom().randrange(LOWEST, highest)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
