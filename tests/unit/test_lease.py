"""A job is lost or abandoned by rules about owners, leases and signs of life."""

import pytest

from wort_cli.lease import Claim, Life, is_abandoned, is_lost, process_owner


@pytest.mark.parametrize(
    ("life", "now", "worker_lives", "lost"),
    [
        (Life(100.0, 7), 101.0, True, False),
        (Life(100.0, 7), 160.0, True, False),
        (Life(100.0, 7), 160.1, True, True),  # silent for too long
        (Life(100.0, 7), 101.0, False, True),  # its worker is gone
        (Life(100.0), 101.0, False, False),  # nobody knows its worker yet
        (Life(100.0), 161.0, False, True),  # and nobody ever will
    ],
)
def test_an_attempt_is_lost_when_its_worker_is_gone_or_silent(
    life: Life, now: float, worker_lives: bool, lost: bool
) -> None:
    assert is_lost(life, now, 60.0, worker_lives=worker_lives) is lost


@pytest.mark.parametrize(
    ("now", "owner_lives", "abandoned"),
    [(99.0, True, False), (100.0, True, False), (100.1, True, True), (1.0, False, True)],
)
def test_a_job_is_abandoned_when_its_owner_is_gone_or_its_lease_has_run_out(
    now: float, owner_lives: bool, abandoned: bool
) -> None:
    assert is_abandoned(Claim(1, 1, "daemon", 100.0), now, owner_lives=owner_lives) is abandoned


def test_the_owner_of_a_job_done_by_a_process_names_process_and_host() -> None:
    assert process_owner("here", 12) == "process 12 on here"
