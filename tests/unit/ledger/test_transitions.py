"""Transitions: every one writes an event, and triggers allow the legal ones only."""

import sqlite3
import time

import pytest

from tests.support.job_states import LEGAL, STATES, in_state, move, moves, queued, snapshot
from wort_cli.ledger.ledger import Ledger


def test_every_transition_writes_an_event(ledger: Ledger) -> None:
    job_id = in_state(ledger, "waiting")
    ledger.attempts.claim(job_id, "me", 60)
    ledger.attempts.requeue(job_id, 2, "lost")
    ledger.jobs.cancel([job_id])
    ledger.jobs.retry([job_id])
    move(ledger, job_id, "done")
    events = ledger.jobs.events(job_id)
    path = "queued running waiting queued running queued cancelled queued running done"
    assert " ".join(event.after for event in events) == path
    assert [event.before for event in events[1:]] == [event.after for event in events[:-1]]
    assert [event.attempt for event in events] == [0, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    assert [event.reason for event in events if event.reason][:1] == ["network"]
    assert [event.at for event in events] == pytest.approx([time.time()] * 10, abs=60)


@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("before", STATES)
def test_triggers_allow_legal_transitions_only(ledger: Ledger, before: str, after: str) -> None:
    job_id = in_state(ledger, before)
    other = sqlite3.connect(ledger.storage.path, isolation_level=None)
    try:
        events = len(moves(ledger, job_id))
        if (before, after) in LEGAL or before == after:
            other.execute("UPDATE jobs SET state = ? WHERE id = ?", (after, job_id))
        else:
            with pytest.raises(sqlite3.IntegrityError, match="illegal move"):
                other.execute("UPDATE jobs SET state = ? WHERE id = ?", (after, job_id))
        moved = (before, after) in LEGAL
        assert ledger.jobs.get(job_id).state == (after if moved else before)
        assert len(moves(ledger, job_id)) == events + moved
    finally:
        other.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM jobs",
        "DELETE FROM jobs WHERE id = 1",
        "UPDATE jobs SET state = 'paused' WHERE id = 1",
        "UPDATE jobs SET name = NULL WHERE id = 1",
        "UPDATE jobs SET priority = 'high' WHERE id = 1",
        "INSERT INTO jobs (name, profile, state, created_at) VALUES ('x', 'sra-v1', 'done', 1)",
        "INSERT INTO jobs (name, profile, created_at) VALUES ('SRR139146', 'sra-v1', 1)",
        "INSERT OR REPLACE INTO jobs (id, name, profile, created_at) VALUES (1, 'SRR139146', 'sra-v1', 1)",
    ],
)
def test_triggers_refuse_statements_that_would_lose_or_duplicate_a_job(ledger: Ledger, statement: str) -> None:
    queued(ledger)
    before = snapshot(ledger)
    other = sqlite3.connect(ledger.storage.path, isolation_level=None)
    try:
        with pytest.raises(sqlite3.IntegrityError):
            other.execute(statement)
    finally:
        other.close()
    assert snapshot(ledger) == before
