"""Looks up whether the owner of a running job is still running on this machine."""

import socket

from wort_cli.model.lease import DAEMON, OwnerState, owner_pid, owner_state
from wort_cli.system.process_identity import identity_of, pid_namespace


def find_owner(owner: str, *, daemon_runs: bool) -> OwnerState:
    """Return whether an owner is running; `daemon_runs` decides for the jobs of the daemon.

    A process on another host, or in another container, cannot be looked up: its state is UNKNOWN.
    """
    if owner == DAEMON:
        return OwnerState.RUNNING if daemon_runs else OwnerState.GONE
    pid = owner_pid(owner)
    return owner_state(owner, socket.gethostname(), identity_of(pid) if pid else None, pid_namespace())
