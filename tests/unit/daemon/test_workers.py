"""The worker processes are started, replaced and stopped: with real forks, in a process of their own.

Starting Huey's consumer installs signal handlers and registers a hook for forks, which must not stay in the process of
the tests.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import clean_environment, eventually
from wort_cli.daemon.workers import HUEY_SIGNALS
from wort_cli.system.process_identity import identity_of

PROGRAM = """
import json, signal, sys
from pathlib import Path
from wort_cli.daemon import workers
from wort_cli.daemon.huey_internals import worker_processes
from wort_cli.daemon.queue import WorkQueue

workers.import_kernels = lambda: None  # they take seconds to import
workers.work = lambda queue, document: {"echo": document}
queue = WorkQueue.create(Path(sys.argv[1]))
closed = []
crew = workers.Workers(queue, 2, before_fork=lambda: (closed.append(1), queue.close()))
crew.start()
for number in workers.HUEY_SIGNALS:
    signal.signal(number, signal.SIG_DFL)
for line in sys.stdin:
    name, *arguments = json.loads(line)
    answer = getattr(crew, name)(*arguments) if name != "result" else queue.huey.get(arguments[0], peek=True)
    pids = [process.pid for process in worker_processes(crew._consumer)]
    handlers = [signal.getsignal(number) is signal.SIG_DFL for number in workers.HUEY_SIGNALS]
    print(json.dumps({"answer": answer, "pids": pids, "closed": len(closed), "handlers": handlers}), flush=True)
crew.stop()
"""


class Crew:
    """Workers in another process, whose methods are called by name."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )

    def call(self, name: str, *arguments: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def end(self) -> None:
        """End the process as if the daemon stopped."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def kill(self) -> None:
        self._process.kill()


def is_running(pid: int) -> bool:
    return identity_of(pid) is not None


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    made = Crew(tmp_path / "queue.db")
    yield made
    made.end()


def test_task_is_done_by_a_worker(crew: Crew) -> None:
    task = crew.call("enqueue", {"job_id": 1})["answer"]
    assert eventually(lambda: crew.call("result", task)["answer"] == {"echo": {"job_id": 1}})


def test_result_wakes_the_daemon(crew: Crew) -> None:
    assert crew.call("wait_for_result", 0.0)["answer"] is False
    task = crew.call("enqueue", {"job_id": 1})["answer"]
    assert crew.call("wait_for_result", 20.0)["answer"] is True
    assert crew.call("result", task)["answer"] == {"echo": {"job_id": 1}}
    assert crew.call("wait_for_result", 0.0)["answer"] is False


def test_workers_are_added_and_never_removed(crew: Crew) -> None:
    assert crew.call("count_alive")["answer"] == [2, 2]
    crew.call("grow", 4)
    assert crew.call("count_alive")["answer"] == [4, 4]
    pids = crew.call("grow", 1)["pids"]
    assert len(pids) == 4
    assert all(is_running(pid) for pid in pids)


def test_dead_worker_is_replaced_after_connections_were_closed(crew: Crew) -> None:
    before = crew.call("repair", 60.0)
    dead, alive = before["pids"]
    os.kill(dead, signal.SIGKILL)
    assert eventually(lambda: crew.call("count_alive")["answer"] == [1, 2])
    after = crew.call("repair", 60.0)
    assert alive in after["pids"]
    assert dead not in after["pids"]
    assert after["closed"] == before["closed"] + 1
    assert crew.call("count_alive")["answer"] == [2, 2]


def test_stopped_worker_is_killed_after_the_patience_and_replaced(crew: Crew) -> None:
    stopped, alive = crew.call("repair", 0.2)["pids"]
    os.kill(stopped, signal.SIGSTOP)
    started = time.monotonic()
    assert stopped in crew.call("repair", 0.2)["pids"]
    assert eventually(lambda: stopped not in crew.call("repair", 0.2)["pids"])
    assert time.monotonic() - started > 0.1
    assert not is_running(stopped)
    assert is_running(alive)


def test_workers_start_again_after_a_stop_and_keep_the_signal_handlers(crew: Crew) -> None:
    before = crew.call("stop")["pids"]
    assert not any(is_running(pid) for pid in before)
    after = crew.call("start_again")
    assert len(after["pids"]) == 2
    assert not set(after["pids"]) & set(before)
    assert after["handlers"] == [True] * len(HUEY_SIGNALS)
    task = crew.call("enqueue", 1)["answer"]
    assert eventually(lambda: crew.call("result", task)["answer"] == {"echo": 1})


def test_workers_die_with_their_parent(crew: Crew) -> None:
    pids = crew.call("count_alive")["pids"]
    crew.kill()
    assert eventually(lambda: not any(is_running(pid) for pid in pids))


ORPHAN = """
import os, time
from wort_cli.daemon.workers import let_children_die_with

parent = os.getpid()

def wait_until_orphan():
    while os.getppid() == parent:
        time.sleep(0.001)

os.register_at_fork(after_in_child=wait_until_orphan)
let_children_die_with(parent)
if os.fork() == 0:
    print("alive", flush=True)
os._exit(0)
"""


def test_worker_whose_parent_died_during_the_fork_ends() -> None:
    done = subprocess.run([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    assert done.stdout == ""
