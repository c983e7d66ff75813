"""A job is lost or abandoned by rules about owners, leases and signs of life, whatever the clock on the wall says."""

from dataclasses import replace

import pytest

from wort_cli.model.lease import (
    Claim,
    Life,
    Loss,
    Owner,
    Patience,
    is_abandoned,
    is_silent,
    judge_owner,
    loss,
    pid_of,
    process_owner,
    short_owner,
)
from wort_cli.system.process_identity import ProcessIdentity

WORKER = ProcessIdentity(7, 1000, "boot", 5)
PATIENCE = Patience(silent=60.0, hanging=300.0, standing=600.0)
LIFE = Life(100.0, 100.0, 100.0, "validating", WORKER)
DAY = 86400.0


@pytest.mark.parametrize(
    ("life", "now", "worker_lives", "how"),
    [
        (LIFE, 101.0, True, None),
        (LIFE, 160.0, True, None),
        (LIFE, 160.1, True, Loss.SILENT),
        (LIFE, 101.0, False, Loss.DIED),
        (replace(LIFE, process=None), 101.0, False, None),  # nobody knows its worker yet
        (replace(LIFE, process=None), 161.0, False, Loss.UNKNOWN),  # and nobody ever will
        (replace(LIFE, heard_at=400.0), 400.0, True, None),
        (replace(LIFE, heard_at=401.0), 401.0, True, Loss.HUNG),  # the heart beats, the job says nothing
        (replace(LIFE, heard_at=9000.0, asked_at=9000.0), 9000.0, True, None),  # validating may take long
        (replace(LIFE, heard_at=700.0, asked_at=700.0, stage="sketching"), 700.0, True, None),
        (replace(LIFE, heard_at=701.0, asked_at=701.0, stage="sketching"), 701.0, True, Loss.STOOD),
    ],
)
def test_an_attempt_is_lost_when_its_worker_is_gone_silent_or_comes_no_further(
    life: Life, now: float, worker_lives: bool, how: Loss | None
) -> None:
    assert loss(life, now, PATIENCE, worker_lives=worker_lives) is how


@pytest.mark.parametrize(
    ("now", "owner", "abandoned"),
    [
        (99.0, Owner.UNKNOWN, False),
        (100.0, Owner.UNKNOWN, False),
        (100.1, Owner.UNKNOWN, True),
        (39.0, Owner.UNKNOWN, True),  # no lease is that long: the clock was set back
        (1.0, Owner.GONE, True),
        (100.0 + DAY, Owner.LIVES, False),  # the clock was set forward by a day
        (100.0 - DAY, Owner.LIVES, False),
    ],
)
def test_a_job_is_abandoned_when_its_owner_is_gone_or_a_lease_that_is_all_there_is_has_run_out(
    now: float, owner: Owner, abandoned: bool
) -> None:
    assert is_abandoned(Claim(1, 1, "x", 100.0), now, 60.0, owner) is abandoned


@pytest.mark.parametrize(
    ("unchanged", "owner", "silent"),
    [
        (0.0, Owner.GONE, True),
        (60.0, Owner.LIVES, False),
        (60.1, Owner.LIVES, True),
        (60.0, Owner.UNKNOWN, False),
        (60.1, Owner.UNKNOWN, True),
    ],
)
def test_who_is_watched_is_silent_when_its_lease_does_not_change(unchanged: float, owner: Owner, silent: bool) -> None:
    assert is_silent(unchanged, 60.0, owner) is silent


def test_the_owner_of_a_job_done_by_a_process_says_who_it_is() -> None:
    owner = process_owner("here", WORKER)
    assert owner == "process 7 on here (started 1000, boot boot)"
    assert short_owner(owner) == "process 7 on here"
    assert short_owner("daemon") == "daemon"
    assert pid_of(owner) == 7
    assert pid_of("daemon") is None


@pytest.mark.parametrize(
    ("owner", "found", "judged"),
    [
        (process_owner("here", WORKER), WORKER, Owner.LIVES),
        (process_owner("here", WORKER), None, Owner.GONE),
        (process_owner("here", WORKER), replace(WORKER, started=1001), Owner.GONE),  # another one of that number
        (process_owner("here", WORKER), replace(WORKER, boot="next"), Owner.GONE),
        (process_owner("elsewhere", WORKER), None, Owner.UNKNOWN),
        ("process 7 on here", WORKER, Owner.UNKNOWN),  # of an earlier version
        ("process 7 on here", None, Owner.GONE),
        ("somebody", None, Owner.UNKNOWN),
    ],
)
def test_an_owner_is_judged_by_its_identity(owner: str, found: ProcessIdentity | None, judged: Owner) -> None:
    assert judge_owner(owner, "here", found) is judged
