"""Jobs whose owner is dead, or has stopped renewing its lease, are abandoned."""

import socket
from dataclasses import replace

from tests.unit.daemon.conftest import Clock
from wort_cli.daemon.abandoned import AbandonedJobs
from wort_cli.model.lease import DAEMON, Claim, process_owner
from wort_cli.system.process_identity import own_identity

LEASE = 60.0
HERE = process_owner(socket.gethostname(), own_identity())
ELSEWHERE = "process 7 on elsewhere (started 1, boot b)"


def test_job_of_an_earlier_daemon_is_abandoned_at_once(clock: Clock) -> None:
    claim = Claim(1, 1, DAEMON, 0.0)
    assert AbandonedJobs(clock).abandoned([claim], LEASE) == [claim]


def test_job_of_a_live_process_is_not_abandoned_while_it_renews_its_lease(clock: Clock) -> None:
    jobs = AbandonedJobs(clock)
    for renewal in range(5):
        assert jobs.abandoned([Claim(1, 1, HERE, float(renewal))], LEASE) == []
        clock.advance(LEASE - 1)


def test_job_of_a_dead_process_is_abandoned_at_once(clock: Clock) -> None:
    dead = process_owner(socket.gethostname(), replace(own_identity(), started=1))
    claim = Claim(1, 1, dead, 1e12)
    assert AbandonedJobs(clock).abandoned([claim], LEASE) == [claim]


def test_lease_counts_from_when_it_was_first_seen(clock: Clock) -> None:
    """The wall clock of the other host does not matter: its lease may have expired long ago."""
    jobs, claim = AbandonedJobs(clock), Claim(1, 1, ELSEWHERE, 0.0)
    assert jobs.abandoned([claim], LEASE) == []
    clock.advance(LEASE)
    assert jobs.abandoned([claim], LEASE) == []
    clock.advance(1)
    assert jobs.abandoned([claim], LEASE) == [claim]


def test_new_attempt_of_a_job_starts_a_new_lease(clock: Clock) -> None:
    jobs = AbandonedJobs(clock)
    jobs.abandoned([Claim(1, 1, ELSEWHERE, 5.0)], LEASE)
    clock.advance(LEASE + 1)
    assert jobs.abandoned([Claim(1, 2, ELSEWHERE, 5.0)], LEASE) == []


def test_job_that_no_longer_runs_is_forgotten(clock: Clock) -> None:
    jobs, claim = AbandonedJobs(clock), Claim(1, 1, ELSEWHERE, 5.0)
    jobs.abandoned([claim], LEASE)
    jobs.abandoned([], LEASE)
    clock.advance(LEASE + 1)
    assert jobs.abandoned([claim], LEASE) == []
