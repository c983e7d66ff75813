"""A queue in the memory of the test's process, by Huey's storage for that, and ways to lose its content."""

from typing import Any

from huey.storage import MemoryStorage

from wort_cli.daemon.remote.message_seal import MessageSeal
from wort_cli.daemon.remote.remote_queue import RemoteQueue
from wort_cli.errors import QueueUnavailable


class Storage(MemoryStorage):  # type: ignore[misc]
    """Huey's storage in memory, with what RemoteQueue needs beyond it."""

    blocking = True
    read_timeout = 0.0

    def delete_many(self, keys: list[str]) -> None:
        for key in keys:
            self.delete_data(key)

    def result_keys(self) -> list[str]:
        return list(self.result_items())

    def disconnect(self) -> None:
        """There is no connection."""


class MemoryQueue(RemoteQueue):
    """A queue in memory; `broken` makes each call fail, as a server does that cannot be reached."""

    def __init__(self) -> None:
        self.url, self.kind, self._password = "redis://queue.example.org/0", "redis", ""
        self._tasks, self._beats, self._errors = Storage("wort"), Storage("wortbeats"), (OSError,)
        self._seal = MessageSeal()
        self.broken = False

    def _asking(self) -> Any:
        if self.broken:
            raise QueueUnavailable("the queue cannot be reached")
        return super()._asking()

    def check(self) -> list[str]:
        return []

    def lose_everything(self) -> None:
        """Lose all content, as after a flush."""
        for storage in (self._tasks, self._beats):
            storage.flush_all()

    @property
    def keys(self) -> set[str]:
        """The keys of all values but the board."""
        return {key if isinstance(key, str) else key.decode() for key in self._tasks.result_items()} - {"board"}
