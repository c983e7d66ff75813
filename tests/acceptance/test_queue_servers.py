"""Queues whose server is full, read-only or restarted, or has another password: real PostgreSQL and Redis."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.polling import until
from tests.support.queue_servers import PASSWORD, Postgresql, QueueServer, Redis
from wort_cli.daemon.remote.message_seal import NOT_AUTHENTIC
from wort_cli.daemon.remote.remote_queue import RemoteQueue
from wort_cli.daemon.remote.storages import MOST_VALUE
from wort_cli.errors import QueueUnavailable, SettingsError

OTHER = "another-password"


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """The file with the password of the queue."""
    return secret(tmp_path / "password", PASSWORD)


@pytest.fixture
def queue(server: QueueServer, password: Path) -> Iterator[RemoteQueue]:
    """A queue without orders."""
    opened = RemoteQueue(server.url, str(password))
    opened.withdraw_all()
    yield opened
    opened.close()


def secret(path: Path, text: str) -> Path:
    path.write_text(f"{text}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def fails(call: Callable[[], Any], sentence: str) -> None:
    """Assert that the server refuses a call, with a sentence and a hint."""
    with pytest.raises(QueueUnavailable, match=sentence) as error:
        call()
    assert error.value.hint and PASSWORD not in error.value.sentence


def drop_connections(server: QueueServer) -> None:
    """End all connections of clients."""
    if isinstance(server, Redis):
        server.cli("client", "kill", "type", "normal")
    else:
        assert isinstance(server, Postgresql)
        server.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'wort'", "postgres")


def test_values_and_orders_that_are_too_large_are_read_as_empty(queue: RemoteQueue) -> None:
    large = b"x" * (MOST_VALUE + 1)
    queue.put("answer:large", large)
    queue.put("answer:small", b"small")
    queue.beat("worker", large)
    assert queue.get(["answer:large", "answer:small", "answer:none"]) == {"answer:large": b"", "answer:small": b"small"}
    assert queue.beats() == {"worker": b""}
    queue.put_board(large)
    assert queue.board() == b""
    queue.delete(["answer:large", "answer:small", "board"])
    queue.remove_beat("worker")
    assert queue.board() is None and queue.beats() == {}
    if queue.kind == "postgresql":  # Redis has no way to ask for the size of a value that it returns
        queue.send(large)
        assert queue.take() == b""


def test_many_large_values_are_read_in_several_calls(queue: RemoteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.daemon.remote.storages.MOST_VALUES", 2500)
    left = {f"answer:{n}": str(n).encode() * 1000 for n in range(1, 8)}
    for key, value in left.items():
        queue.put(key, value)
    assert sorted(queue.all_keys()) == sorted(left)
    for number in (3, 3, 1):
        found = queue.get(list(left))
        assert len(found) == number and found.items() <= left.items()
        queue.delete(list(found))
        for key in found:
            del left[key]
    assert queue.get(["answer:1"]) == {} and queue.all_keys() == []


def test_messages_without_the_key_of_the_hosts_are_not_read(
    server: QueueServer, queue: RemoteQueue, password: Path, tmp_path: Path
) -> None:
    key = secret(tmp_path / "key", "0123456789abcdef")
    sealed = RemoteQueue(server.url, str(password), str(key))
    sealed.put_board(b"board")
    sealed.put("answer:1", b"one")
    sealed.beat("worker", b"beat")
    assert (sealed.board(), sealed.get(["answer:1"]), sealed.beats()) == (
        b"board",
        {"answer:1": b"one"},
        {"worker": b"beat"},
    )
    assert queue.board() == NOT_AUTHENTIC  # a host without the key
    forged = queue._tasks.peek_data("answer:1")
    for place, message in (("answer:1", b"one"), ("answer:2", forged), ("answer:3", forged[:-1] + b"x")):
        queue._tasks.put_data(place, message)
        assert sealed.get([place]) == {place: NOT_AUTHENTIC}
    queue.send(b"order")
    assert sealed.take() == NOT_AUTHENTIC
    sealed.send(b"order", 5)
    assert sealed.take() == b"order"
    queue.delete(["board", "answer:1", "answer:2", "answer:3"])
    queue.remove_beat("worker")
    sealed.close()


@pytest.mark.parametrize(
    ("text", "mode"), [("short", 0o600), ("0123456789abcdef", 0o640), ("0123456789\nabcdef", 0o600)]
)
def test_key_that_cannot_be_used_is_refused(server: QueueServer, tmp_path: Path, text: str, mode: int) -> None:
    key = secret(tmp_path / "key", text)
    key.chmod(mode)
    with pytest.raises(SettingsError, match="queue_key_file") as error:
        RemoteQueue(server.url, "", str(key))
    assert text not in str(error.value)


def test_orders_leave_by_priority_and_then_in_order(queue: RemoteQueue) -> None:
    for order, priority in ((b"a", 0), (b"b", -5), (b"c", 1000), (b"d", 0), (b"e", 1000)):
        queue.send(order, priority)
    assert [queue.take() for _ in range(6)] == [b"c", b"e", b"a", b"d", b"b", None]


def test_password_that_changes_while_wort_runs_is_read_again(
    server: QueueServer, queue: RemoteQueue, password: Path
) -> None:
    def change(new: str) -> None:
        if isinstance(server, Redis):
            server.cli("config", "set", "requirepass", new)
        else:
            assert isinstance(server, Postgresql)
            server.sql(f"alter role wort password '{new}'")
        server.password = new
        drop_connections(server)

    queue.send(b"order")
    change(OTHER)
    try:
        with pytest.raises(QueueUnavailable):
            queue.pending()  # the connection has ended
        fails(queue.pending, "refuses the user or the password")
        password.unlink()  # an editor replaces it just now
        fails(queue.pending, "refuses the user or the password")
        secret(password, OTHER)
        until(lambda: works(queue), "the new password is used", 20)
        assert queue.take() == b"order"
    finally:
        change(PASSWORD)


def works(queue: RemoteQueue) -> bool:
    try:
        queue.pending()
    except QueueUnavailable:
        return False
    return True


def test_read_only_replica_is_named_and_used_again_as_a_primary(server: QueueServer, queue: RemoteQueue) -> None:
    queue.pending()
    if isinstance(server, Redis):
        server.cli("config", "set", "replica-serve-stale-data", "yes")
        server.cli("replicaof", "127.0.0.1", "1")
    else:
        server.sql("alter database wort set default_transaction_read_only = on")  # type: ignore[attr-defined]
        drop_connections(server)
        assert not works(queue)
    try:
        fails(lambda: queue.send(b"order"), "read-only")
    finally:
        if isinstance(server, Redis):
            server.cli("replicaof", "no", "one")
        else:
            server.sql("alter database wort reset default_transaction_read_only", "postgres")  # type: ignore[attr-defined]
            drop_connections(server)
    until(lambda: works(queue), "the server is used again", 20)
    queue.send(b"order")
    assert queue.take() == b"order"


def test_server_without_connections_is_named(server: QueueServer, queue: RemoteQueue, tmp_path: Path) -> None:
    if isinstance(server, Redis):
        queue.close()
        held = redis.Redis(port=server.port, password=PASSWORD)
        held.config_set("maxclients", 1)
        try:
            fails(queue.pending, "the server has no connection left")
        finally:
            held.config_set("maxclients", 1000)
            held.close()
        until(lambda: works(queue), "the server is used again", 20)
        return
    assert isinstance(server, Postgresql)
    server.sql("create role few login password 'few' connection limit 0")
    few = RemoteQueue(server.url.replace("wort@", "few@"), str(secret(tmp_path / "few", "few")))
    fails(few.pending, "the server has no connection left")
    server.sql("drop role few")


def test_full_memory_of_redis_is_named(server: QueueServer, queue: RemoteQueue) -> None:
    if not isinstance(server, Redis):
        return
    server.cli("config", "set", "maxmemory", "1")
    try:
        fails(lambda: queue.send(b"order"), "the memory of the server is full")
    finally:
        server.cli("config", "set", "maxmemory", "0")
    queue.send(b"order")
    assert queue.take() == b"order"


def test_order_is_sent_again_after_a_restart_in_the_middle_of_it(server: QueueServer, queue: RemoteQueue) -> None:
    """PostgreSQL is killed while the order waits for a lock."""
    if not isinstance(server, Postgresql):
        return
    queue.pending()
    other = RemoteQueue(server.url, queue._password_file)
    connection = other._tasks.conn
    connection.autocommit = False
    connection.execute("lock table wort_task in exclusive mode")
    problems: list[QueueUnavailable] = []

    def send() -> None:
        try:
            queue.send(b"order")
        except QueueUnavailable as problem:
            problems.append(problem)

    sending = threading.Thread(target=send)
    sending.start()
    waiting = (
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into wort_task%'"
    )
    until(lambda: server.sql(waiting).strip() == "1", "the order waits for the lock")
    server.restart()
    sending.join(60)
    other.close()
    assert [problem.sentence for problem in problems if "cannot be used" in problem.sentence]
    until(lambda: works(queue), "the server is used again", 20)
    assert queue.pending() == 0
    queue.send(b"order")
    assert queue.take() == b"order"
