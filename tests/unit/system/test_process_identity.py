"""Tests of process identities: only exactly the recorded process is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest

from tests.support.builders import eventually, is_process_running
from wort_cli.system.process_identity import (
    ProcessIdentity,
    boot_id,
    identity_of,
    is_running,
    is_stopped,
    kill_group,
    kill_process,
    own_identity,
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
    """The leader of a process group, and the process id of its child."""
    process = subprocess.Popen([sys.executable, "-c", LEADER], stdout=subprocess.PIPE, process_group=0)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    found = identity_of(process.pid)
    assert found is not None
    yield found, child
    for pid in (process.pid, child):
        if is_process_running(pid):
            os.kill(pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()


def test_own_identity_matches_this_process() -> None:
    me = own_identity()
    assert (me.pid, me.boot, me.session) == (os.getpid(), boot_id(), os.getsid(0))
    assert is_running(me)
    assert ProcessIdentity.from_json(asdict(me)) == me


@pytest.mark.parametrize("pid", [-1, 0])
def test_ids_that_address_several_processes_are_refused(pid: int) -> None:
    with pytest.raises(ValueError, match="not a process"):
        ProcessIdentity.from_json({**asdict(own_identity()), "pid": pid})


def test_first_process_of_a_container_has_an_identity_and_is_never_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ProcessIdentity.from_json({**asdict(own_identity()), "pid": 1})

    def kill(*_: object) -> None:
        raise AssertionError("a signal was sent")

    for name in ("os.killpg", "os.pidfd_open", "signal.pidfd_send_signal"):
        monkeypatch.setattr(f"wort_cli.system.process_identity.{name}", kill)
    assert not kill_process(first)
    assert not kill_group(first)


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}])
def test_other_process_with_the_same_id_is_not_killed(
    leader: tuple[ProcessIdentity, int], change: dict[str, object]
) -> None:
    process, child = leader
    other = replace(process, **change)  # type: ignore[arg-type]
    assert not is_running(other)
    assert not kill_process(other)
    assert not kill_group(other)
    assert is_process_running(process.pid)
    assert is_process_running(child)


def test_group_in_another_session_is_not_killed(leader: tuple[ProcessIdentity, int]) -> None:
    process, child = leader
    assert not kill_group(replace(process, session=process.session + 1))
    assert is_process_running(child)


def test_stopped_process_is_killed(leader: tuple[ProcessIdentity, int]) -> None:
    process, child = leader
    os.kill(process.pid, signal.SIGSTOP)
    assert eventually(lambda: is_stopped(process.pid))
    assert is_running(process)
    assert kill_process(process)
    assert eventually(lambda: not is_running(process))
    assert not kill_process(process)
    assert is_process_running(child)


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("leader_is_gone", [False, True])
def test_group_is_killed_even_if_it_is_stopped_or_its_leader_has_ended(
    leader: tuple[ProcessIdentity, int], stopped: bool, leader_is_gone: bool
) -> None:
    process, child = leader
    if stopped:
        os.killpg(process.pid, signal.SIGSTOP)
    if leader_is_gone:
        os.kill(process.pid, signal.SIGKILL)
        os.waitpid(process.pid, 0)
    killed = kill_group(process)
    assert killed or (stopped and leader_is_gone)  # the kernel kills a stopped group whose leader has ended
    assert eventually(lambda: not is_process_running(child) and not is_process_running(process.pid))
    assert eventually(lambda: not kill_group(process))
