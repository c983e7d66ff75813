"""Huey's storages on PostgreSQL and Redis, on one connection each, which notices that the network is cut.

The packages for the servers are imported here, when a queue of that kind is opened.
"""

from collections.abc import Callable
from typing import Any

NAME, BEATS = "wort", "wortbeats"
"""The names of the queue in a storage: of orders, answers and the board, and of beats."""
SILENCE = 15
"""Seconds after which a server that does not answer is given up."""
POSTGRESQL_OPTIONS = {
    "connect_timeout": "10",
    "keepalives_idle": "5",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": f"{SILENCE}000",
    "application_name": "wort",
}
"""Parameters of libpq, unless the URL has them."""
CREATE_LOCK = 0x776F7274
"""The advisory lock of the process that creates the tables."""
MOST_VALUE = 13_000_000
"""Bytes of a value or an order that are read; in place of a larger one, an empty one is.  See wire.MAX_DOCUMENT."""
MOST_VALUES = 50_000_000
"""Bytes of values after which no further one is read in the same call: there may be answers of hours."""
MOST_BEATS = 10_000
"""Beats that are read."""
READ_BOUNDED = """
local found, most, left = {}, tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 3, #ARGV do
    local size = redis.call('hstrlen', KEYS[1], ARGV[i])
    if size > most then
        found[i - 2] = ''
    elseif left <= 0 then
        found[i - 2] = false
    else
        found[i - 2] = redis.call('hget', KEYS[1], ARGV[i])
        left = left - size
    end
end
return found
"""
"""Returns the values of a hash, without transferring those that are too large, and those after too many bytes."""
Opened = tuple[Any, Any, tuple[type[Exception], ...]]
"""The storage of orders, answers and the board; that of beats; and the errors of both."""
VERIFIED = ("verify-ca", "verify-full")
"""Values of libpq's `sslmode` with which the server is authenticated."""
CLEAR, ENCRYPTED, AUTHENTICATED = "no TLS", "TLS", "TLS, server authenticated"
"""The protection of a connection."""


def postgresql(url: str, password: Callable[[], str]) -> Opened:
    """Return the storages in a PostgreSQL database; `password` is asked for at each connection.

    Raises ImportError if the package is not installed, ValueError if the URL is invalid.
    """
    import psycopg
    from huey.constants import EmptyData
    from huey.storage import PostgresStorage
    from psycopg.conninfo import conninfo_to_dict

    class Storage(PostgresStorage):  # type: ignore[misc]
        def delete_many(self, keys: list[str]) -> None:
            self.sql(f"delete from {self.table_kv} where queue = %s and key = any(%s)", (self.name, keys))  # noqa: S608

        def peek_data(self, key: str) -> Any:
            return self.peek_many([key]).get(key, EmptyData)

        def peek_many(self, keys: list[str]) -> dict[str, bytes]:
            size = f"octet_length({bounded('value')})"
            before = f"sum({size}) over (order by key) - {size} as before"
            found = f"select key, value, {before} from {self.table_kv} where queue = %s and key = any(%s)"  # noqa: S608
            return self._values(f"({found}) as found where before < %s", (self.name, list(keys), MOST_VALUES))

        def result_items(self) -> dict[str, bytes]:
            return self._values(f"{self.table_kv} where queue = %s limit %s", (self.name, MOST_BEATS))

        def result_keys(self) -> list[str]:
            statement = f"select key from {self.table_kv} where queue = %s"  # noqa: S608
            return [key for (key,) in self.sql(statement, (self.name,), results=True)]

        def _values(self, source: str, parameters: tuple[Any, ...]) -> dict[str, bytes]:
            rows = self.sql(f"select key, {bounded('value')} from {source}", parameters, results=True)  # noqa: S608
            return {key: bytes(value) for key, value in rows}

        def _dequeue(self) -> bytes | None:
            first = f"select id from {self.table_task} where queue = %s order by priority desc, id limit 1"  # noqa: S608
            rows = self.sql(
                f"delete from {self.table_task} where id = ({first} for update skip locked) "  # noqa: S608
                f"returning {bounded('data')}",
                (self.name,),
                results=True,
            )
            return bytes(rows[0][0]) if rows else None

        def disconnect(self) -> None:
            for connection in shared:
                self._close_quiet(connection)

        def protection(self) -> str:
            if not self.conn.pgconn.ssl_in_use:
                return CLEAR
            options = self.conn.info.get_parameters()
            return AUTHENTICATED if options.get("sslmode") in VERIFIED else ENCRYPTED

    def bounded(column: str) -> str:
        return f"case when octet_length({column}) <= {MOST_VALUE} then {column} else '' end"

    try:
        known = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise ValueError(str(error)) from None
    shared: list[Any] = []

    def connect() -> Any:
        if not shared or shared[0].closed or shared[0].broken:
            options: dict[str, Any] = {key: value for key, value in POSTGRESQL_OPTIONS.items() if key not in known}
            if "password" not in known and (found := password()):
                options["password"] = found
            shared[:] = [psycopg.connect(url, autocommit=True, **options)]
            create_tables(shared[0])
        return shared[0]

    def create_tables(connection: Any) -> None:
        if connection.execute(f"select to_regclass('{tasks.table_task}')").fetchone()[0] is not None:
            return
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (CREATE_LOCK,))
            for statement in tasks.ddl:
                connection.execute(statement)

    tasks, beats = (
        Storage(name, connection=connect, table_prefix="wort", create_tables=False) for name in (NAME, BEATS)
    )
    return tasks, beats, (psycopg.Error, OSError)


def redis(url: str, password: Callable[[], str]) -> Opened:
    """Return the storages on a Redis server; `password` is asked for when connections have failed.

    Raises ImportError if the package is not installed, ValueError or TypeError if the URL is invalid.
    """
    from huey.constants import EmptyData
    from huey.storage import PriorityRedisStorage
    from redis import ConnectionPool, SSLConnection
    from redis.exceptions import RedisError

    class Storage(PriorityRedisStorage):  # type: ignore[misc]
        def delete_many(self, keys: list[str]) -> None:
            if keys:
                self.conn.hdel(self.result_key, *keys)

        def peek_many(self, keys: list[str]) -> dict[str, bytes]:
            return self._values(keys, MOST_VALUES)

        def peek_data(self, key: str) -> Any:
            return self.peek_many([key]).get(key, EmptyData)

        def result_items(self) -> dict[str, bytes]:
            keys = self.result_keys()[:MOST_BEATS]
            return self._values(keys, MOST_VALUE * len(keys))

        def result_keys(self) -> list[Any]:
            return list(self.conn.hkeys(self.result_key))

        def _values(self, keys: list[Any], most: int) -> dict[Any, bytes]:
            arguments = [MOST_VALUE, most, *keys]
            values = read_bounded(keys=[self.result_key], args=arguments, client=self.conn) if keys else []
            return {key: value for key, value in zip(keys, values, strict=False) if value is not None}

        def disconnect(self) -> None:
            self.pool.disconnect()
            if has_own and (found := password()):
                self.pool.connection_kwargs["password"] = found
                self.pool.reset()

        def protection(self) -> str:
            if not issubclass(self.pool.connection_class, SSLConnection):
                return CLEAR
            return ENCRYPTED if self.pool.connection_kwargs.get("ssl_cert_reqs") == "none" else AUTHENTICATED

    options: dict[str, Any] = {"socket_timeout": SILENCE, "socket_connect_timeout": 10, "socket_keepalive": True}
    pool = ConnectionPool.from_url(url, **options)
    has_own = "password" not in pool.connection_kwargs
    if has_own and (first := password()):
        pool.connection_kwargs["password"] = first
    pool.connection_class(**pool.connection_kwargs)  # does not connect; raises if an option is unknown
    tasks, beats = (Storage(name, connection_pool=pool) for name in (NAME, BEATS))
    read_bounded = tasks.conn.register_script(READ_BOUNDED)
    return tasks, beats, (RedisError, OSError)
