"""A process is known by more than its number, and only that one is ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest

from tests.support.builders import eventually, process_lives
from wort_cli.system.process_identity import (
    ProcessIdentity,
    identity_of,
    is_stopped,
    kill_group,
    kill_process,
    lives,
    own_identity,
    this_boot,
)

SLEEP = "import time; time.sleep(600)"
LEADER = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "{SLEEP}"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def leader() -> Iterator[tuple[ProcessIdentity, int]]:
    """Who leads a process group, and the number of its child."""
    process = subprocess.Popen([sys.executable, "-c", LEADER], stdout=subprocess.PIPE, process_group=0)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    found = identity_of(process.pid)
    assert found is not None
    yield found, child
    for pid in (process.pid, child):
        if process_lives(pid):
            os.kill(pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()


def test_this_process_lives_and_is_itself() -> None:
    me = own_identity()
    assert (me.pid, me.boot, me.session) == (os.getpid(), this_boot(), os.getsid(0))
    assert lives(me)
    assert ProcessIdentity.from_json(asdict(me)) == me


@pytest.mark.parametrize("pid", [-1, 0, 1])
def test_everybody_is_nobody_to_be_ended(pid: int) -> None:
    with pytest.raises(ValueError, match="no process of ours"):
        ProcessIdentity.from_json({**asdict(own_identity()), "pid": pid})


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}])
def test_another_one_of_the_same_number_is_left_in_peace(
    leader: tuple[ProcessIdentity, int], change: dict[str, object]
) -> None:
    process, child = leader
    other = replace(process, **change)  # type: ignore[arg-type]
    assert not lives(other)
    assert not kill_process(other)
    assert not kill_group(other)
    assert process_lives(process.pid)
    assert process_lives(child)


def test_a_group_of_another_session_is_left_in_peace(leader: tuple[ProcessIdentity, int]) -> None:
    process, child = leader
    assert not kill_group(replace(process, session=process.session + 1))
    assert process_lives(child)


def test_a_stopped_process_is_ended(leader: tuple[ProcessIdentity, int]) -> None:
    process, child = leader
    os.kill(process.pid, signal.SIGSTOP)
    assert eventually(lambda: is_stopped(process.pid))
    assert lives(process)
    assert kill_process(process)
    assert eventually(lambda: not lives(process))
    assert not kill_process(process)
    assert process_lives(child)


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("leader_is_gone", [False, True])
def test_a_group_is_ended_even_when_it_is_stopped_or_its_leader_gone(
    leader: tuple[ProcessIdentity, int], stopped: bool, leader_is_gone: bool
) -> None:
    process, child = leader
    if stopped:
        os.killpg(process.pid, signal.SIGSTOP)
    if leader_is_gone:
        os.kill(process.pid, signal.SIGKILL)
        os.waitpid(process.pid, 0)
    ended = kill_group(process)
    assert ended or (stopped and leader_is_gone)  # the kernel itself ends a stopped group that nobody leads any more
    assert eventually(lambda: not process_lives(child) and not process_lives(process.pid))
    assert eventually(lambda: not kill_group(process))
