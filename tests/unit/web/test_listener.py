"""Connections that are not encrypted yet."""

import socket

from wort_cli.web.listener import HandshakeLimit


def test_connection_above_the_limit_closes_the_oldest() -> None:
    limit, pairs = HandshakeLimit(most=2), [socket.socketpair() for _ in range(4)]
    for number, (mine, _) in enumerate(pairs[:2]):
        limit.add(mine, number)
    limit.remove(0)  # it has keys
    limit.add(pairs[2][0], 2)
    limit.add(pairs[3][0], 3)
    for mine, other in pairs:
        other.setblocking(False)
        mine.setblocking(False)
    assert pairs[1][1].recv(1) == b""
    for number in (0, 2, 3):
        pairs[number][0].send(b"x")
        assert pairs[number][1].recv(1) == b"x"
    for pair in pairs:
        for one in pair:
            one.close()
