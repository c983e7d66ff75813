"""Invariants of groups and counts, which hold after any change of a ledger."""

from dataclasses import asdict

from wort_cli.ledger.ledger import Ledger

MEMBERS = """
SELECT group_name, coalesce(state, 'done') AS state, coalesce(reason, '') AS reason, count(*) AS n
FROM group_members LEFT JOIN jobs ON jobs.id = job_id GROUP BY 1, 2, 3
"""
COUNTS = "SELECT group_name, state, reason, n FROM group_counts WHERE n <> 0"
NOT_THE_NEWEST = """
SELECT group_name, name FROM group_members AS members WHERE job_id IS NOT NULL AND job_id IS NOT
  (SELECT max(id) FROM jobs INDEXED BY jobs_by_name WHERE jobs.name = members.name AND jobs.profile = members.profile
                              AND jobs.subject = members.subject)
"""
HELD_WRONGLY = """
SELECT id FROM jobs WHERE state = 'queued' AND held <> EXISTS (
    SELECT 1 FROM group_members AS members JOIN paused_groups ON paused_groups.name = members.group_name
    WHERE members.name = jobs.name AND members.profile = jobs.profile AND members.subject = jobs.subject)
"""


def assert_groups_are_counted(ledger: Ledger) -> None:
    """The counts are those of the members; each member has the newest job; jobs of paused groups are held."""

    def rows(sql: str) -> set[tuple[object, ...]]:
        return {tuple(row.values()) for row in ledger.storage.select(sql, {})}

    assert rows(COUNTS) == rows(MEMBERS)
    assert rows(NOT_THE_NEWEST) == set()
    assert rows(HELD_WRONGLY) == set()
    for group in [*ledger.groups.sizes(), "no such group"]:
        assert asdict(ledger.groups.amounts(group)) == ledger.storage.select(AMOUNTS, {"group_name": group})[0]


ENDED_SINCE = """
SELECT after, reason, count(*) AS n FROM events
WHERE at > :since AND after IN ('done', 'failed', 'unavailable', 'waiting') GROUP BY after, reason
"""
AMOUNTS = """
SELECT count(*) AS runs, coalesce(sum(bases), 0) AS bases, coalesce(sum(bytes), 0) AS bytes,
       coalesce(sum(CASE WHEN coalesce(jobs.state, 'done') = 'done' THEN bases END), 0) AS bases_done,
       coalesce(sum(CASE WHEN coalesce(jobs.state, 'done') = 'done' THEN bytes END), 0) AS bytes_done
FROM group_members AS members JOIN runs ON runs.run = members.name LEFT JOIN jobs ON jobs.id = members.job_id
WHERE members.group_name = :group_name AND (bases IS NOT NULL OR bytes IS NOT NULL)
"""
SIGNATURES = "SELECT profile, count(*) AS n FROM signatures GROUP BY profile"
TIMES = (0.0, 1.7e9, 1.7e9 + 61, 1.7e9 + 90_000, 1.7e9 + 200_000)
"""Times since which attempts are counted, beside each minute that has some."""


def assert_counts_are_true(ledger: Ledger) -> None:
    """Assert that all counts that are kept are those of the rows: of jobs, groups, signatures and ended attempts."""
    counted = ledger.storage.select("SELECT state, reason, count(*) AS n FROM jobs GROUP BY state, reason", {})
    assert {(str(state), reason): n for (state, reason), n in ledger.counts.by_state().items()} == {
        (row["state"], row["reason"]): row["n"] for row in counted
    }
    assert_groups_are_counted(ledger)
    assert_signatures_are_counted(ledger)
    assert_ended_attempts_are_counted(ledger)


def assert_signatures_are_counted(ledger: Ledger) -> None:
    """The counts of signatures are those of the rows, and so is whether any of them is in a bucket."""
    found = {row["profile"]: row["n"] for row in ledger.storage.select(SIGNATURES, {})}
    assert ledger.catalog.count() == sum(found.values())
    for profile in ("sra-v1", "genomes-v1", *found):
        assert ledger.catalog.count(profile) == found.get(profile, 0)
    in_a_bucket = ledger.storage.select("SELECT 1 FROM signatures WHERE remote <> '' LIMIT 1", {})
    assert ledger.storage.rows("any_remote") == in_a_bucket


def assert_ended_attempts_are_counted(ledger: Ledger) -> None:
    """The attempts that ended since a time are those of the events, for times within and between minutes."""
    rows = ledger.storage.select("SELECT DISTINCT at FROM events ORDER BY at DESC LIMIT 4", {})
    ended = {since for row in rows for since in (row["at"], row["at"] - 60, row["at"] // 60 * 60, row["at"] - 172_800)}
    for since in (*TIMES, *ended):
        true = {(row["after"], row["reason"]): row["n"] for row in ledger.storage.select(ENDED_SINCE, {"since": since})}
        assert {(str(state), reason): n for (state, reason), n in ledger.counts.ended_since(since).items()} == true, (
            since
        )
