"""Tests of the decisions about lost and abandoned jobs; none depends on how the wall clock is set."""

from dataclasses import replace

import pytest

from wort_cli.model.lease import (
    SILENCES,
    Claim,
    Liveness,
    LivenessLimits,
    Loss,
    OwnerState,
    Silence,
    decide_silence,
    detect_loss,
    has_stopped_renewing,
    is_abandoned,
    owner_pid,
    owner_state,
    process_owner,
    short_owner,
)
from wort_cli.system.process_identity import ProcessIdentity

WORKER = ProcessIdentity(7, 1000, "boot", 5)
LIMITS = LivenessLimits(heartbeat=60.0, check=300.0, progress=600.0)
ACTIVE = Liveness(100.0, 100.0, 100.0, "validating", WORKER)
DAY = 86400.0


@pytest.mark.parametrize(
    ("liveness", "now", "process_runs", "expected"),
    [
        (ACTIVE, 101.0, True, None),
        (ACTIVE, 160.0, True, None),
        (ACTIVE, 160.1, True, Loss.SILENT),
        (ACTIVE, 101.0, False, Loss.DIED),
        (replace(ACTIVE, process=None), 101.0, False, None),  # its worker is not known yet
        (replace(ACTIVE, process=None), 161.0, False, Loss.NOT_STARTED),
        (replace(ACTIVE, heartbeat_at=400.0), 400.0, True, None),
        (replace(ACTIVE, heartbeat_at=401.0), 401.0, True, Loss.HUNG),  # heartbeats arrive, the job does not respond
        (replace(ACTIVE, heartbeat_at=9000.0, checked_at=9000.0), 9000.0, True, None),  # validation may take long
        (replace(ACTIVE, heartbeat_at=700.0, checked_at=700.0, stage="sketching"), 700.0, True, None),
        (replace(ACTIVE, heartbeat_at=701.0, checked_at=701.0, stage="sketching"), 701.0, True, Loss.STALLED),
    ],
)
def test_attempt_is_lost_when_its_worker_dies_hangs_or_makes_no_progress(
    liveness: Liveness, now: float, process_runs: bool, expected: Loss | None
) -> None:
    assert detect_loss(liveness, now, LIMITS, process_runs=process_runs) is expected


@pytest.mark.parametrize(
    ("now", "owner", "abandoned"),
    [
        (99.0, OwnerState.UNKNOWN, False),
        (100.0, OwnerState.UNKNOWN, False),
        (100.1, OwnerState.UNKNOWN, True),
        (39.0, OwnerState.UNKNOWN, True),  # no lease is that long: the clock was set back
        (1.0, OwnerState.GONE, True),
        (100.0 + DAY, OwnerState.RUNNING, False),  # the clock was set forward by a day
        (100.0 - DAY, OwnerState.RUNNING, False),
    ],
)
def test_job_is_abandoned_when_its_owner_is_gone_or_its_lease_has_expired_and_nothing_else_is_known(
    now: float, owner: OwnerState, abandoned: bool
) -> None:
    assert is_abandoned(Claim(1, 1, "x", 100.0), now, 60.0, owner) is abandoned


@pytest.mark.parametrize(
    ("unchanged", "owner", "expected"),
    [
        (0.0, OwnerState.GONE, True),
        (60.0, OwnerState.RUNNING, False),
        (60.1, OwnerState.RUNNING, True),
        (60.0, OwnerState.UNKNOWN, False),
        (60.1, OwnerState.UNKNOWN, True),
    ],
)
def test_watched_job_is_abandoned_when_its_lease_is_not_renewed(
    unchanged: float, owner: OwnerState, expected: bool
) -> None:
    assert has_stopped_renewing(unchanged, 60.0, owner) is expected


def test_owner_names_the_process_that_runs_the_job() -> None:
    owner = process_owner("here", WORKER)
    assert owner == "process 7 on here (started 1000, boot boot)"
    assert short_owner(owner) == "process 7 on here"
    assert short_owner("daemon") == "daemon"
    assert owner_pid(owner) == 7
    assert owner_pid("daemon") is None


@pytest.mark.parametrize(
    ("owner", "found", "expected"),
    [
        (process_owner("here", WORKER), WORKER, OwnerState.RUNNING),
        (process_owner("here", WORKER), None, OwnerState.GONE),
        (process_owner("here", WORKER), replace(WORKER, started=1001), OwnerState.GONE),  # the pid was reused
        (
            process_owner("here", replace(WORKER, boot="last")),
            None,
            OwnerState.UNKNOWN,
        ),  # or another host
        (process_owner("here", replace(WORKER, boot="last")), WORKER, OwnerState.UNKNOWN),
        (process_owner("elsewhere", WORKER), None, OwnerState.UNKNOWN),
        ("process 7 on here", WORKER, OwnerState.UNKNOWN),  # written by an earlier version
        ("process 7 on here", None, OwnerState.GONE),
        ("somebody", None, OwnerState.UNKNOWN),
    ],
)
def test_owner_is_recognized_by_start_time_and_boot(
    owner: str, found: ProcessIdentity | None, expected: OwnerState
) -> None:
    assert owner_state(owner, "here", found, boot="boot") is expected


@pytest.mark.parametrize(
    ("silent_for", "earlier", "expected"),
    [
        (900.0, 0, Silence.WAIT),
        (900.1, 0, Silence.REQUEUE),
        (900.1, SILENCES - 1, Silence.REQUEUE),
        (900.1, SILENCES, Silence.FAIL),
        (900.0, SILENCES, Silence.WAIT),
    ],
)
def test_silence_of_a_worker_counts_as_failure_when_the_job_had_several(
    silent_for: float, earlier: int, expected: Silence
) -> None:
    assert decide_silence(silent_for, 900.0, earlier) is expected
