"""The undocumented parts of Huey that the daemon uses, all of them.

Huey's documented API runs a consumer with signal handlers and a loop of its own.  The daemon has its own loop, so it
needs access to the consumer's processes.  A test checks that the installed Huey has every name listed here: an upgrade
that removes one fails there and not in production.
"""

from multiprocessing.process import BaseProcess, _children  # type: ignore[attr-defined]
from typing import Any

CONSUMER = ("worker_threads", "scheduler", "_create_worker", "_create_process", "check_worker_health", "start", "stop")
"""Attributes of a `huey.consumer.Consumer`."""
STORAGE = ("initialize_schema", "close")
"""Attributes of a `huey.storage.SqliteStorage`."""
SERIALIZER = ("_serialize", "_deserialize")
"""Methods of `huey.serializer.Serializer` that JsonSerializer overrides."""


def worker_processes(consumer: Any) -> list[BaseProcess]:
    """Return the worker processes of a consumer."""
    return [process for _, process in consumer.worker_threads]


def all_processes(consumer: Any) -> list[BaseProcess]:
    """Return the worker processes and the scheduler of a consumer."""
    return [*worker_processes(consumer), consumer.scheduler]


def add_worker(consumer: Any) -> None:
    """Start one more worker process, in the way in which `Consumer.__init__` and `Consumer.start` do."""
    worker = consumer._create_worker()
    process = consumer._create_process(worker, f"Worker-{len(consumer.worker_threads) + 1}")
    process.start()
    consumer.worker_threads.append((worker, process))


def replace_stuck_worker(consumer: Any, process: BaseProcess) -> None:
    """Start a new worker in place of one that was killed and does not end."""
    leave_behind(process)
    consumer.worker_threads[:] = [item for item in consumer.worker_threads if item[1] is not process]
    add_worker(consumer)


def leave_behind(process: BaseProcess) -> None:
    """Do not wait for a child process when this one ends."""
    _children.discard(process)


def replace_dead_processes(consumer: Any) -> None:
    """Start a new process in place of each that has died."""
    consumer.check_worker_health()


def create_tables(huey: Any) -> None:
    """Create the tables of Huey's storage."""
    huey.storage.initialize_schema()


def close_connection(huey: Any) -> None:
    """Close the storage's connection; the next use opens a new one."""
    huey.storage.close()
