"""A ledger of each earlier version is upgraded, keeps all its rows, and its jobs can be worked on."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import published, request
from tests.support.groups import assert_counts_are_true, assert_groups_are_counted
from tests.support.ledgers import (
    VERSIONS,
    Tables,
    make_ledger_of_release_0_1,
    make_ledger_of_version,
    schema_of,
    tables_of,
)
from wort_cli.ledger.jobs import EnqueueStatus, JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.migrations import latest_version, version_of
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.ledger.submissions import VerifyRequest
from wort_cli.model.accession import parse_name
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState, Source
from wort_cli.model.job_result import JobResult
from wort_cli.model.lease import DAEMON
from wort_cli.model.provenance import Trust
from wort_cli.model.verdict import Depth, Verdict
from wort_cli.upkeep.backups import list_backups, read_backup
from wort_cli.upkeep.merge_ledger import SAME_SINCE, merge_ledger

POLICY = RetryPolicy()
TABLES_SINCE = {
    1: {"jobs", "legal_moves", "events", "progress", "signatures", "control"},
    3: {"submissions", "lookups"},
    4: {"paused_groups"},
    5: {"repairs"},
    6: {"job_counts", "move_counts"},
    9: {"group_members", "group_counts"},
    12: {"sketches"},
    13: {"runs"},
    15: {"profiles"},
    14: {"claimed_absences"},
    17: {"follows"},
    19: {"intakes"},
    21: {"ended_counts", "signature_counts", "group_amounts"},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def of_version(version: int) -> Callable[[Path], None]:
    return lambda path: make_ledger_of_version(path, version)


EARLIER = [
    *(pytest.param(of_version(version), id=f"version-{version}") for version in VERSIONS),
    pytest.param(make_ledger_of_release_0_1, id="release-0.1.0"),
]


@pytest.fixture(params=EARLIER)
def earlier(request: pytest.FixtureRequest, path: Path) -> tuple[Path, Tables]:
    """A ledger of an earlier version and what it has."""
    request.param(path)
    return path, tables_of(path)


@pytest.fixture
def upgraded(earlier: tuple[Path, Tables]) -> Iterator[Ledger]:
    """The same ledger, opened."""
    made = Ledger(earlier[0])
    yield made
    assert made.check() == "ok"
    assert made.storage.select("PRAGMA foreign_key_check", {}) == []
    assert_counts_are_true(made)
    made.close()


def job_named(ledger: Ledger, name: str) -> int:
    return ledger.jobs.named(parse_name(name))[0].id


def test_earlier_ledger_is_copied_before_it_is_upgraded(earlier: tuple[Path, Tables], upgraded: Ledger) -> None:
    """The copy has every row of the earlier version, and is one of the backups.  An upgraded ledger is not copied."""
    path, before = earlier
    with closing(sqlite3.connect(path)) as connection:
        version = version_of(connection)
    upgraded.open()
    upgraded.close()
    Ledger(path).open()
    copies = list_backups(path.parent / "backups")
    assert [copy.name.partition("-version-")[2] for copy in copies] == [f"{version}.db"] * (version < latest_version())
    assert all(tables_of(copy) == before for copy in copies)
    assert [read_backup(copy).version for copy in copies] == [version] * len(copies)


@pytest.mark.parametrize("version", VERSIONS)
def test_jobs_of_a_damaged_ledger_of_each_version_are_copied(tmp_path: Path, version: int) -> None:
    """Columns that the version does not have get their default; rows that are damaged are counted."""
    make_ledger_of_version(tmp_path / "damaged.db", version)
    with closing(sqlite3.connect(tmp_path / "damaged.db")) as connection:
        (victim,) = connection.execute("SELECT min(id) FROM jobs WHERE state = 'queued'").fetchone()
        connection.execute("UPDATE jobs SET name = '../../etc' WHERE id = ?", (victim,))
        connection.commit()
        wanted = dict(connection.execute("SELECT id, state FROM jobs WHERE id <> ?", (victim,)).fetchall())
    ledger = Ledger(tmp_path / "new.db")
    jobs, *others = merge_ledger(tmp_path / "damaged.db", ledger.storage)
    assert str(jobs) == f"jobs: copied {len(wanted)}, left out 1 that are not valid"
    assert bool(others) == (version >= SAME_SINCE)
    assert {job.id: str(job.state) for job in ledger.jobs.matching(JobFilter())} == wanted
    assert {"night"} | ({"late"} if version >= 9 else set()) <= set(ledger.groups.sizes())
    assert_groups_are_counted(ledger)
    ledger.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_earlier_ledger_has_rows_in_every_table(path: Path, version: int) -> None:
    """This test guards the data of the others."""
    make_ledger_of_version(path, version)
    tables = tables_of(path)
    expected = {name for since, names in TABLES_SINCE.items() if since <= version for name in names}
    assert set(tables) == expected
    assert all(tables.values()), {name for name, rows in tables.items() if not rows}
    assert {row["state"] for row in tables["jobs"]} == {str(state) for state in JobState}


def test_upgrade_keeps_every_row_of_every_table(earlier: tuple[Path, Tables], upgraded: Ledger) -> None:
    path, before = earlier
    upgraded.open()
    after = tables_of(path)
    for name, rows in before.items():
        kept = [{key: row[key] for key in rows[0] if key != "group_name" or name != "jobs"} for row in after[name]]
        assert kept == [as_now(name, row) for row in rows], name
    members = {(row["group_name"], row["name"], row["job_id"]) for row in after["group_members"]}
    assert {
        (row["group_name"], row["name"], row["id"]) for row in before["jobs"] if row.get("group_name")
    } <= members or "group_members" in before
    assert {row["crashes"] for row in after["jobs"]} <= {0, 1, 2}
    assert upgraded.storage.select("PRAGMA user_version", {}) == [{"user_version": latest_version()}]


def as_now(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of an earlier version as it is now.

    Since version 7, what only a bucket has was not computed here; since version 9, groups have a table.
    """
    if table == "jobs":
        return {key: value for key, value in row.items() if key != "group_name"}
    if table != "signatures":
        return row
    only_in_a_bucket = row["path"] == "" and row.get("remote") and row["trust"] == "computed" and "sha256" not in row
    return {**row, "trust": "published"} if only_in_a_bucket else row


def test_upgrade_leads_to_the_schema_of_a_new_ledger(
    earlier: tuple[Path, Tables], upgraded: Ledger, tmp_path: Path
) -> None:
    upgraded.open()
    new = Ledger(tmp_path / "new.db")
    new.open()
    new.close()
    assert schema_of(earlier[0]) == schema_of(tmp_path / "new.db")


def test_migrations_that_were_released_have_not_changed(path: Path, tmp_path: Path) -> None:
    """The scripts must lead to what the last release made; their comments may change."""
    make_ledger_of_release_0_1(path)
    make_ledger_of_version(tmp_path / "scripts.db", 6)
    assert schema_of(path) == schema_of(tmp_path / "scripts.db")


def test_jobs_events_and_signatures_of_an_earlier_ledger_can_be_read(
    earlier: tuple[Path, Tables], upgraded: Ledger
) -> None:
    before = earlier[1]
    jobs = upgraded.jobs.matching(JobFilter())
    assert [job.id for job in reversed(jobs)] == [row["id"] for row in before["jobs"]]
    assert {(job.id, str(job.state)) for job in jobs} == {(row["id"], row["state"]) for row in before["jobs"]}
    assert [
        (event.job_id, event.after, event.reason) for job in reversed(jobs) for event in upgraded.jobs.events(job.id)
    ] == [
        (row["job_id"], row["after"], row["reason"])
        for row in sorted(before["events"], key=lambda row: (row["job_id"], row["id"]))
    ]
    assert upgraded.catalog.count() == len(before["signatures"])
    for row in before["signatures"]:
        record = upgraded.catalog.get(parse_name(row["name"]), row["profile"])
        assert record is not None
        assert (record.digest, record.path, record.provenance.name) == (row["digest"], row["path"], row["name"])
        assert [sketch.ksize for sketch in record.provenance.sketches] == [21, 31]
    for row in before.get("submissions", []):
        [submission] = upgraded.submissions.named(parse_name(row["name"]))
        assert (submission.digest, str(submission.trust)) == (row["digest"], row["trust"])
    assert sum(job.progress is not None for job in jobs) == len(before["progress"])
    assert upgraded.controls.job_limit(default=9) == (3 if jobs[-1].created_at == 1700000001.0 else 2)
    assert not upgraded.controls.paused


def test_queued_jobs_of_an_earlier_ledger_are_claimed_and_finished(
    earlier: tuple[Path, Tables], upgraded: Ledger
) -> None:
    ready = upgraded.jobs.next_jobs(limit=100)
    held = {row["id"] for row in earlier[1]["jobs"] if row.get("held")}
    behind = {row["id"] for row in earlier[1]["jobs"] if row.get("behind")}
    assert set(ready) == {row["id"] for row in earlier[1]["jobs"] if row["state"] == "queued"} - held - behind
    for job_id in ready:
        job = upgraded.attempts.claim(job_id, DAEMON, 60)
        assert job is not None
        verdict = Verdict(Trust.VERIFIED, Depth.FULL) if job.kind == "verify" else None
        result = JobResult(job_id, job.attempt, published(str(job.name)), None, verdict)
        assert upgraded.attempts.finish(result, POLICY) is JobState.DONE
        assert upgraded.catalog.has(job.source, job.profile)
        assert [event.after for event in upgraded.jobs.events(job_id)][-2:] == ["running", "done"]
    assert set(upgraded.jobs.next_jobs(limit=100)) == behind


def test_running_job_of_an_earlier_ledger_is_requeued_after_a_crash(upgraded: Ledger) -> None:
    [claim] = upgraded.attempts.running()
    assert claim.owner == DAEMON
    late = JobResult(claim.job_id, claim.attempt - 1, published("SRR000002"))
    assert upgraded.attempts.finish(late, POLICY) is None
    after = upgraded.attempts.record_death(claim.job_id, claim.attempt, 0, POLICY, by_memory=False, alone=True)
    assert after is JobState.QUEUED
    assert upgraded.jobs.get(claim.job_id).progress is None
    job = upgraded.attempts.claim(claim.job_id, DAEMON, 60)
    assert job is not None
    assert job.attempt == claim.attempt + 1
    failure = Failure(Reason.NETWORK, "timed out")
    assert upgraded.attempts.finish(JobResult(job.id, job.attempt, failure=failure), POLICY) is JobState.WAITING


def test_ended_jobs_of_an_earlier_ledger_are_retried_and_waiting_ones_cancelled(upgraded: Ledger) -> None:
    names = {state: upgraded.jobs.matching(JobFilter(state=state)) for state in JobState}
    ended = [job.id for state in ("failed", "unavailable", "cancelled") for job in names[JobState(state)]]
    assert upgraded.jobs.retry(ended) == len(ended) == 3
    waiting = [job.id for job in names[JobState.WAITING]]
    assert upgraded.jobs.cancel(waiting) == len(waiting) == 1
    assert upgraded.jobs.get(waiting[0]).state is JobState.CANCELLED
    assert upgraded.attempts.wake() == 0
    [done, *_] = [job for job in names[JobState.DONE] if job.kind == "compute"]
    assert upgraded.jobs.retry([done.id]) == 0


def test_requests_meet_the_jobs_and_signatures_of_an_earlier_ledger(upgraded: Ledger) -> None:
    names = ["SRR000001", "SRR000004", "SRR000006", "SRR777777"]
    assert [answer.status for answer in upgraded.jobs.enqueue([request(name) for name in names])] == [
        EnqueueStatus.LIVE,
        EnqueueStatus.EXISTS,
        EnqueueStatus.UNAVAILABLE,
        EnqueueStatus.QUEUED,
    ]


def test_groups_of_an_earlier_ledger_are_paused_and_resumed(upgraded: Ledger) -> None:
    upgraded.jobs.enqueue([request("SRR777777", group="new")])
    job_id = job_named(upgraded, "SRR777777")
    upgraded.controls.pause_group("new")
    assert job_id not in upgraded.jobs.next_jobs(limit=100)
    assert upgraded.controls.resume_group("new")
    assert job_id in upgraded.jobs.next_jobs(limit=100)


def test_signature_of_an_earlier_ledger_is_verified(upgraded: Ledger) -> None:
    record = upgraded.catalog.get(parse_name("SRR000004"), "sra-v1")
    assert record is not None
    wanted = VerifyRequest(Source(record.name), record.profile, record.path, record.digest, Depth.FULL)
    [job_id] = upgraded.submissions.enqueue_verifications([wanted])
    job = upgraded.attempts.claim(job_id, DAEMON, 60)
    assert job is not None
    verdict = Verdict(Trust.VERIFIED, Depth.FULL)
    assert upgraded.attempts.finish(JobResult(job_id, job.attempt, verdict=verdict), POLICY) is JobState.DONE
    assert upgraded.submissions.last_verdict(record.path) == verdict
    verified = upgraded.catalog.get(record.name, record.profile)
    assert verified is not None
    assert verified.trust is Trust.VERIFIED


def test_rules_of_the_jobs_table_hold_in_an_earlier_ledger(upgraded: Ledger) -> None:
    connection = upgraded.storage.connection
    for statement, message in (
        ("DELETE FROM jobs WHERE id = 1", "a live job is never deleted"),
        ("UPDATE jobs SET state = 'done' WHERE id = 1", "illegal move of a job"),
        ("INSERT OR REPLACE INTO jobs (id, name, profile, created_at) VALUES (1, 'x', 'y', 1.0)", "replaces no other"),
    ):
        with pytest.raises(sqlite3.IntegrityError, match=message):
            connection.execute(statement)


def test_backups_of_each_version_can_be_read(earlier: tuple[Path, Tables]) -> None:
    path, before = earlier
    found = read_backup(path)
    assert (found.jobs, found.signatures) == (len(before["jobs"]), len(before["signatures"]))
    assert found.submissions == len(before.get("submissions", []))
