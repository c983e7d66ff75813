"""The queue on a PostgreSQL or Redis server: Huey's storages, with orders, answers, beats and the board in them.

Each call is one round trip.  A server that does not answer is given up after some seconds (storages.py).  Errors become
QueueUnavailable, whose sentence has no password.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from huey.constants import EmptyData

from wort_cli.daemon.remote import storages
from wort_cli.daemon.remote.message_seal import MessageSeal
from wort_cli.daemon.remote.server_answers import INVALID, plain, unavailable
from wort_cli.errors import QueueUnavailable, SettingsError, UsageError, cause_of
from wort_cli.model.queue_address import POSTGRESQL, host_of, is_loopback, kind_of, passwords_in, without_password
from wort_cli.settings import Settings
from wort_cli.system.private_files import not_ours

BOARD, ORDER, BEAT = "board", "order", "beat "
SHORTEST_KEY = 16
"""Characters of the key in `queue_key_file`, at least."""
PASSWORD_VARIABLE = "WORT_QUEUE_PASSWORD"  # noqa: S105 (the name of a variable)
EXTRAS = {POSTGRESQL: "postgres", "redis": "redis"}


class RemoteQueue:
    """The queue at a URL.  Connects when it is first used, and again after an error."""

    def __init__(self, url: str, password_file: str = "", key_file: str = "") -> None:
        """Raises QueueUnavailable if a package is not installed, UsageError for the URL, the password or the key."""
        self.url = url
        self.kind = kind_of(url)
        self._password_file = password_file
        self._password = queue_password(password_file)
        self._seal = MessageSeal(secret_in("queue_key_file", key_file, least=SHORTEST_KEY) if key_file else "")
        make = storages.postgresql if self.kind == POSTGRESQL else storages.redis
        try:
            self._tasks, self._beats, self._errors = make(url, self._current_password)
        except ImportError:
            extra = EXTRAS[self.kind]
            raise QueueUnavailable(
                f"a queue on {self.kind} needs a package that is not installed",
                f"install it: `pip install 'wort-cli[{extra}]'`",
            ) from None
        except (ValueError, TypeError) as error:
            sentence, hint = INVALID
            raise UsageError(f"{sentence}: {plain(str(error), self._secrets)}", hint) from None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the queue of these settings."""
        return cls(settings.queue, settings.queue_password_file, settings.queue_key_file)

    @property
    def where(self) -> str:
        """The address of the server, without a password."""
        return str(without_password(self.url))

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with contextlib.suppress(*self._errors):
            self._tasks.disconnect()

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            found = unavailable(self.url, cause_of(error), self._secrets)
            self.close()
            raise found from None

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (self._password, *passwords_in(self.url))

    def _current_password(self) -> str:
        """Return the password, which may have changed since the last connection."""
        with contextlib.suppress(SettingsError):  # somebody changes the file just now
            self._password = queue_password(self._password_file)
        return self._password

    # ---- orders

    def send(self, order: bytes, priority: int = 0) -> None:
        """Put an order into the queue."""
        with self._asking():
            self._tasks.enqueue(self._seal.sealed(ORDER, order), priority)

    def take(self, seconds: float = 0.0) -> bytes | None:
        """Take the first order; wait for one at most so long.  Return None if there is none."""
        with self._asking():
            self._tasks.blocking = seconds > 0
            self._tasks.read_timeout = seconds
            found = self._tasks.dequeue()
            return None if found is None else self._seal.opened(ORDER, bytes(found))

    def pending(self) -> int:
        """Return how many orders nobody has taken."""
        with self._asking():
            return int(self._tasks.queue_size())

    def withdraw_all(self) -> None:
        """Remove all orders that nobody has taken."""
        with self._asking():
            self._tasks.flush_queue()

    # ---- values

    def acquire(self, key: str, worker: str) -> bool:
        """Acquire an attempt; return False if another worker has it."""
        with self._asking():
            return bool(self._tasks.put_if_empty(key, worker.encode()))

    def put(self, key: str, value: bytes) -> None:
        """Store a value."""
        with self._asking():
            self._tasks.put_data(key, self._seal.sealed(key, value))

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the values of those keys that have one; of many large values only some, and at least one."""
        if not keys:
            return {}
        with self._asking():
            found = self._tasks.peek_many(list(keys))
        return {name(key): self._seal.opened(name(key), bytes(value)) for key, value in found.items()}

    def all_keys(self) -> list[str]:
        """Return the keys of all values."""
        with self._asking():
            return [name(key) for key in self._tasks.result_keys()]

    def delete(self, keys: Sequence[str]) -> None:
        """Delete values."""
        with self._asking():
            self._tasks.delete_many(list(keys))

    def put_board(self, board: bytes) -> None:
        """Store the board."""
        self.put(BOARD, board)

    def board(self) -> bytes | None:
        """Return the board; None if there is none."""
        found = self.raw_board()
        return None if found is None else self._seal.opened(BOARD, found)

    def raw_board(self) -> bytes | None:
        """Return the board as it is in the queue, of any writer; None if there is none."""
        with self._asking():
            found = self._tasks.peek_data(BOARD)
        return None if found is EmptyData else bytes(found)

    # ---- beats

    def beat(self, worker: str, beat: bytes) -> None:
        """Store the beat of a worker in place of its last one."""
        with self._asking():
            self._beats.put_data(worker, self._seal.sealed(BEAT + worker, beat))

    def beats(self) -> dict[str, bytes]:
        """Return the beats of all workers."""
        with self._asking():
            found = self._beats.result_items()
        return {name(key): self._seal.opened(BEAT + name(key), bytes(value)) for key, value in found.items()}

    def remove_beat(self, worker: str) -> None:
        """Remove the beat of a worker that has ended."""
        with self._asking():
            self._beats.delete_many([worker])

    # ---- the server

    def check(self) -> list[str]:
        """Return warnings about the server's configuration.  Raises QueueUnavailable if it cannot be used."""
        warnings = []
        if self.protection() == storages.CLEAR and not is_loopback(self.url):
            warnings.append(
                f"the connection to the queue at {host_of(self.url)} is not encrypted: others in the network can read "
                "and change what is sent"
            )
        if self.kind == POSTGRESQL:
            self.pending()
            return warnings
        with self._asking():
            info = self._tasks.conn.info()
        version = str(info.get("redis_version", "0"))
        if int(version.partition(".")[0] or 0) < 5:
            raise QueueUnavailable(f"the server is Redis {version}; a queue needs Redis 5 or newer")
        policy = info.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise QueueUnavailable(
                f"the Redis server at {host_of(self.url)} removes values when its memory is full (maxmemory-policy is "
                f"{policy})",
                "set `maxmemory-policy noeviction` in redis.conf",
            )
        if not info.get("aof_enabled"):
            warnings.append(
                "the Redis server keeps no append-only file, so its restart repeats jobs: set `appendonly yes`"
            )
        return warnings

    def protection(self) -> str:
        """Return how the connection is protected: CLEAR, ENCRYPTED or AUTHENTICATED.  Connects to the server."""
        with self._asking():
            return str(self._tasks.protection())


def name(key: str | bytes) -> str:
    """Return a key as text."""
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else key


def queue_password(file: str) -> str:
    """Return the password in a file, else that of the environment; empty for none.  Raises SettingsError."""
    return secret_in("queue_password_file", file) if file else os.environ.get(PASSWORD_VARIABLE, "")


def secret_in(setting: str, file: str, least: int = 1) -> str:
    """Return the secret in a file that a setting names; raise SettingsError if it is not private or not one line."""
    path = Path(file)
    try:
        others = path.stat().st_mode & 0o077
        text = path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(setting, file, cause_of(error)) from None
    if others or any(not_ours((), (path,))):
        raise SettingsError(setting, file, "others can read it: `chmod 600` it")
    if "\n" in text or not least <= len(text) <= 1000:
        raise SettingsError(setting, file, f"it must have one line of {least} to 1000 characters, the secret")
    return text
