"""Looks up whether the owner of a running job is still running on this machine."""

import socket

from wort_cli.model.lease import DAEMON, OwnerState, owner_pid, owner_state
from wort_cli.system.process_identity import boot_id, identity_of, pid_namespace


def find_owner(owner: str, *, daemon_runs: bool | None) -> OwnerState:
    """Return whether an owner is running; `daemon_runs` decides for the jobs of the daemon, None if it is unknown.

    A process on another host, in another container or of another boot cannot be looked up: its state is UNKNOWN.
    """
    if owner == DAEMON:
        known = {True: OwnerState.RUNNING, False: OwnerState.GONE, None: OwnerState.UNKNOWN}
        return known[daemon_runs]
    pid = owner_pid(owner)
    return owner_state(owner, socket.gethostname(), identity_of(pid) if pid else None, pid_namespace(), boot_id())
