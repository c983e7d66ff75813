"""`wort worker` waits for its coordinator, and ends when that is another one."""

from dataclasses import replace
from typing import Any

import pytest

import wort_cli
from tests.support.memory_queue import MemoryQueue
from wort_cli.daemon.remote.host import run_loop, wait_for_board
from wort_cli.daemon.remote.wire import Board
from wort_cli.errors import QueueUnavailable, WortError

BOARD = Board("h" * 16, 1, host="node0\x1b[31m")


class Signals:
    """No signal, and a test that acts whenever the worker waits."""

    stop = ""

    def __init__(self, meanwhile: Any = lambda: None) -> None:
        self.wait = lambda *_: meanwhile()


class Relay:
    """A relay that reads one board in each turn."""

    draining = is_empty = has_waited = False

    def __init__(self, *boards: Board) -> None:
        self.board: Board | None = None
        self._boards = list(boards)

    def turn(self) -> None:
        self.board = self._boards.pop(0)


def test_server_of_the_queue_may_restart_while_a_worker_waits() -> None:
    queue, seen = MemoryQueue(), []
    queue.broken = True

    def meanwhile() -> None:
        seen.append(queue.broken)
        if queue.broken:
            queue.broken = False
        else:
            queue.put_board(BOARD.pack())

    signals: Any = Signals(meanwhile)
    assert wait_for_board(queue, signals) == BOARD
    assert seen == [True, False]


@pytest.mark.parametrize(
    ("board", "kind", "why"),
    [
        (
            replace(BOARD, home="o" * 16),
            QueueUnavailable,
            r"passed to another coordinator, on the host 'node0\\x1b\[31m'",
        ),
        (
            replace(BOARD, version="9.9\x1b"),
            WortError,
            rf"is wort '9\.9\\x1b', and this is wort {wort_cli.__version__}",
        ),
    ],
    ids=["home", "version"],
)
def test_worker_ends_when_the_coordinator_is_another_one(board: Board, kind: type[WortError], why: str) -> None:
    relay: Any = Relay(BOARD, board)
    supervisor: Any = type("Supervisor", (), {"repair": lambda _: None})()
    signals: Any = Signals()
    workers: Any = type("Workers", (), {"wait_for_result": None})()
    with pytest.raises(kind, match=why):
        run_loop(relay, supervisor, workers, signals, BOARD.home)
    assert relay.board is board
