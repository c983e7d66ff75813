"""No query reads a whole table that grows with the number of jobs or signatures, but those that must."""

import re

from wort_cli.ledger.database import queries
from wort_cli.ledger.ledger import Ledger

GROWING = re.compile(r"SCAN (jobs|events|signatures|sketches|submissions|group_members|runs)\b")
FIRST_ENTRIES = {
    *("any_run", "next_jobs", "oldest_queued", "last_ended_reason", "measured", "newest_signatures"),
}
"""These read the first entries of an index, or the newest rows."""
OF_ALL = {
    "contents",
    "unverified_submissions",
    "signature_without_sketches",
    "add_sketches_of_earlier_versions",
    "runs_of_record",
}
"""These answer about all rows, in commands about all of them, or once in a while."""
UPKEEP = {
    *("assign_jobs_again", "hold_jobs_again", "inconsistent_jobs"),
    *("count_job_counts", "count_group_counts", "count_group_amounts", "count_signature_counts"),
    *("orphaned_events", "remove_orphaned_events", "catalog_bytes"),
}
"""`wort doctor` and the upkeep of the daemon."""
ALL_OF_A_STATE = re.compile(r"SEARCH jobs USING (COVERING )?INDEX \w+ \(state=\?\)")
OF_A_STATE = {
    *("running_jobs", "progress_since", "orphaned_progress", "remove_orphaned_progress"),
    *("contents", "own_absences"),
}
"""These read all jobs of a state: the running ones; or they answer about all jobs."""


def plans(ledger: Ledger) -> dict[str, list[str]]:
    """Return the plan of each query, but of SQL that ledger/ completes, and of plain insertions."""
    found = {}
    for name, sql in queries().items():
        if "{" not in sql and "?" not in sql:
            values = dict.fromkeys(re.findall(r"(?<!:):(\w+)", sql), "")
            found[name] = [row["detail"] for row in ledger.storage.select(f"EXPLAIN QUERY PLAN {sql}", values)]
    return found


def test_only_these_queries_read_a_whole_table(ledger: Ledger) -> None:
    found = {name for name, plan in plans(ledger).items() if any(map(GROWING.match, plan))}
    assert found == FIRST_ENTRIES | OF_ALL | UPKEEP


def test_only_these_queries_read_all_jobs_of_a_state(ledger: Ledger) -> None:
    found = {name for name, plan in plans(ledger).items() if any(map(ALL_OF_A_STATE.match, plan))}
    assert found == OF_A_STATE


def test_step_of_pruning_reads_its_own_events_only(ledger: Ledger) -> None:
    (first,) = [
        detail for detail in plans(ledger)["prune_old_events"] if re.match(r"(SEARCH|SCAN) (old|jobs)\b", detail)
    ][:1]
    assert first == "SEARCH old USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"


def test_jobs_that_are_not_due_are_not_read_to_wake_others(ledger: Ledger) -> None:
    found = [detail for detail in plans(ledger)["wake_jobs"] if "jobs_to_wake" in detail]
    assert found == [
        "SEARCH jobs USING INDEX jobs_to_wake (wait_until<?)",
        "SEARCH jobs USING INDEX jobs_to_wake (wait_until>?)",
    ]


def test_counts_of_a_day_are_read_by_the_minute(ledger: Ledger) -> None:
    """Only the events of the first minute are read, however many attempts ended since."""
    found = [detail for detail in plans(ledger)["ended_since"] if re.search(r" (events|ended_counts) ", f"{detail} ")]
    assert found == [
        "SEARCH ended_counts USING PRIMARY KEY (minute>?)",
        "SEARCH ended_counts USING PRIMARY KEY",  # the newest minute
        "SEARCH events USING COVERING INDEX events_ended (at>? AND at<?)",
    ]


def test_rate_of_a_group_is_that_of_the_newest_attempts(ledger: Ledger) -> None:
    found = [detail for detail in plans(ledger)["ended_of_group"] if "SEARCH" in detail]
    assert found == [
        "SEARCH events USING INDEX events_ended (at>?)",
        "SEARCH members USING COVERING INDEX members_by_job (group_name=? AND job_id=?)",
    ]


def test_amounts_and_signatures_are_not_counted_by_rows(ledger: Ledger) -> None:
    found = {name: plans(ledger)[name] for name in ("amounts_of_group", "count_signatures_of_profile", "any_remote")}
    assert found == {
        "amounts_of_group": ["SEARCH group_amounts USING PRIMARY KEY (group_name=?)"],
        "count_signatures_of_profile": ["SEARCH signature_counts USING PRIMARY KEY (profile=?)"],
        "any_remote": ["SCAN signature_counts"],
    }
