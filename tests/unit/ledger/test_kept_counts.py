"""Counts that triggers keep: attempts by the minute, whatever the clock does, and amounts that do not overflow."""

from collections.abc import Iterator

import pytest

from tests.support.builders import request
from tests.support.groups import assert_counts_are_true
from wort_cli.ledger.kept_counts import count_again, wrong_counts
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.run_metadata import RunMetadata

NOW = 1.7e9
DAY = 86_400.0
EVENT = """
INSERT INTO events (job_id, at, before, after, reason, message, attempt) VALUES (1, ?, 'running', 'done', '', '', 1)
"""
MINUTES = "SELECT count(*) AS n FROM ended_counts"


@pytest.fixture
def one(ledger: Ledger) -> Iterator[Ledger]:
    """A ledger with a job."""
    ledger.jobs.enqueue([request("SRR000001", group="soil")])
    yield ledger
    assert_counts_are_true(ledger)
    assert wrong_counts(ledger.storage) == []


def end_at(ledger: Ledger, *times: float) -> None:
    ledger.storage.connection.executemany(EVENT, [(at,) for at in times])


def ended_since(ledger: Ledger, since: float) -> int:
    return sum(ledger.counts.ended_since(since).values())


def test_attempts_are_counted_by_the_minute_for_two_days(one: Ledger) -> None:
    end_at(one, *(NOW + 600 * n for n in range(1000)))
    [row] = one.storage.select(MINUTES, {})
    assert row["n"] == 2 * 144 + 1, "one for each of ten minutes of two days"
    assert ended_since(one, NOW + 600 * 999 - DAY) == 144
    assert ended_since(one, 0) == 1000, "earlier ones are counted by their events"


def test_attempts_are_counted_when_the_clock_was_wrong_for_a_while(one: Ledger) -> None:
    end_at(one, NOW, NOW + 60, NOW + 1000 * DAY, NOW + 120, NOW + 180)
    assert ended_since(one, NOW) == 4
    assert ended_since(one, NOW + 1000 * DAY - 3600) == 1
    one.storage.connection.execute("DELETE FROM events WHERE at > ?", [NOW + 999 * DAY])
    assert ended_since(one, NOW) == 3
    count_again(one.storage)
    assert ended_since(one, NOW) == 3


def test_pruned_attempts_are_not_counted(one: Ledger) -> None:
    end_at(one, NOW, NOW + 1, NOW + 61)
    one.storage.connection.execute("DELETE FROM events WHERE at = ?", [NOW + 1])
    assert ended_since(one, NOW - 1) == 2


def test_absurd_amounts_do_not_overflow(ledger: Ledger) -> None:
    """A table of metadata may have any numbers; they keep no run from its group."""
    names = [f"SRR{number:06d}" for number in range(4)]
    ledger.runs.record([(RunMetadata(name, bases=2**62 - 1, bytes=2**62 - 1), "a table") for name in names])
    ledger.jobs.enqueue([request(name, group="soil") for name in names])
    assert ledger.groups.amounts("soil").bases == 2**63 - 1, "the largest number of SQLite"
    assert ledger.groups.sizes() == {"soil": 4}
