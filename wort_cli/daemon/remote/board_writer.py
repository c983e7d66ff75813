"""Writes the board of the coordinator, and notices that the queue has lost it or that somebody else writes one."""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from wort_cli.daemon.remote.remote_queue import RemoteQueue
from wort_cli.daemon.remote.wire import Board
from wort_cli.errors import QueueUnavailable, shown

WRITE_EVERY = 2.0
"""Seconds between writings of a board that has not changed, which repair one that the queue has lost."""

log = logging.getLogger(__name__)


class BoardWriter:
    """The board in the queue."""

    def __init__(self, queue: RemoteQueue, home: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._queue = queue
        self._home = home
        self._clock = clock
        self._written: Board | None = None
        self._wrote_at = float("-inf")

    def claim(self) -> None:
        """Take the queue for this home.  Raises QueueUnavailable if another coordinator uses it."""
        bytes_there, there = self._queue.raw_board(), self._read()
        if bytes_there is not None and (there is None or there.home != self._home):
            time.sleep(2 * WRITE_EVERY)
            if self._queue.raw_board() not in (None, bytes_there):
                raise self._used_by(there)
            self._queue.withdraw_all()
        turn = there.turn if there is not None and there.home == self._home else 0
        self._written = Board(self._home, turn, host=os.uname().nodename)
        self._queue.put_board(self._written.pack())

    def write(self, attempts: Mapping[int, int], draining: Sequence[str], ended: Mapping[str, tuple[int, ...]]) -> bool:
        """Write the board if it has changed, or now and then; return whether the queue had lost it.

        Raises QueueUnavailable if another coordinator has written one.
        """
        last = self._written or Board(self._home, 0, host=os.uname().nodename)
        now = self._clock()
        due = now - self._wrote_at >= WRITE_EVERY
        board = replace(last, attempts=dict(attempts), draining=tuple(draining), ended=dict(ended))
        if not due and board == last:
            return False
        was_lost = due and self._was_lost(last)
        board = replace(board, turn=last.turn + 1)
        self._queue.put_board(board.pack())
        self._written, self._wrote_at = board, now
        return was_lost

    def _read(self) -> Board | None:
        found = self._queue.board()
        try:
            return Board.unpack(found) if found is not None else None
        except ValueError:
            return None

    def _was_lost(self, last: Board) -> bool:
        found = self._read()
        if found is not None and found.home != self._home:
            raise self._used_by(found)
        if found is not None and found.turn == last.turn:
            return False
        log.warning("the queue at %s has lost its content or some of it; writing it again", self._queue.where)
        return True

    def _used_by(self, board: Board | None) -> QueueUnavailable:
        other = f"on the host {shown(board.host)}" if board else "with another key (setting queue_key_file)"
        return QueueUnavailable(
            f"another coordinator, {other}, uses the queue at {self._queue.where}",
            "stop its daemon, or give each home a database of its own; on a host that computes, start `wort worker`",
        )
