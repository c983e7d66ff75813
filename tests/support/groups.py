"""Invariants of groups, which hold after any change of a ledger."""

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


def assert_counts_are_true(ledger: Ledger) -> None:
    """Assert that the counts of jobs by state and reason, and those of groups, are those of the rows."""
    counted = ledger.storage.select("SELECT state, reason, count(*) AS n FROM jobs GROUP BY state, reason", {})
    assert {(str(state), reason): n for (state, reason), n in ledger.counts.by_state().items()} == {
        (row["state"], row["reason"]): row["n"] for row in counted
    }
    assert_groups_are_counted(ledger)
