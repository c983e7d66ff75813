"""Tests of the look-up of a running job's owner."""

import os
import socket
from dataclasses import replace

import pytest

from wort_cli.ledger.owners import find_owner
from wort_cli.model.lease import DAEMON, OwnerState, process_owner
from wort_cli.system.process_identity import own_identity


@pytest.mark.parametrize(("daemon_runs", "state"), [(True, OwnerState.RUNNING), (False, OwnerState.GONE)])
def test_daemon_is_running_if_the_caller_has_found_it_running(daemon_runs: bool, state: OwnerState) -> None:
    assert find_owner(DAEMON, daemon_runs=daemon_runs) is state


@pytest.mark.parametrize("daemon_runs", [True, False])
def test_process_is_running_whether_or_not_the_daemon_runs(daemon_runs: bool) -> None:
    assert (
        find_owner(process_owner(socket.gethostname(), own_identity()), daemon_runs=daemon_runs) is OwnerState.RUNNING
    )


def test_process_is_gone_if_its_process_id_was_reused() -> None:
    earlier = replace(own_identity(), started=own_identity().started - 1)
    assert find_owner(process_owner(socket.gethostname(), earlier), daemon_runs=True) is OwnerState.GONE


def test_process_on_another_host_is_unknown() -> None:
    owner = process_owner("another-host", own_identity())
    assert find_owner(owner, daemon_runs=True) is OwnerState.UNKNOWN


def test_process_of_an_earlier_version_that_still_runs_is_unknown() -> None:
    owner = f"process {os.getpid()} on {socket.gethostname()}"
    assert find_owner(owner, daemon_runs=True) is OwnerState.UNKNOWN
