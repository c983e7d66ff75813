"""Checks of the ledger's rows against each other: counts that a program without the triggers made wrong."""

import pytest

from tests.support.builders import published, request
from tests.support.groups import assert_counts_are_true
from tests.support.job_states import in_state
from wort_cli.ledger.kept_counts import KEPT
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.upkeep import ledger_checks
from wort_cli.upkeep.ledger_checks import ledger_inconsistencies


@pytest.fixture
def counted(ledger: Ledger) -> Ledger:
    """A ledger of which each table of counts has a row."""
    ledger.runs.record([(RunMetadata("SRR000001", bases=100, bytes=25), "NCBI")])
    in_state(ledger, "failed", "SRR000001")
    ledger.jobs.enqueue([request("SRR000001", group="soil")])
    ledger.catalog.record(published("SRR000002"))
    return ledger


def test_right_counts_are_not_reported(counted: Ledger) -> None:
    assert list(ledger_inconsistencies(counted, full=False)) == []


@pytest.mark.parametrize("table", [one.table for one in KEPT])
def test_wrong_count_is_reported_and_repaired(counted: Ledger, table: str) -> None:
    column = "runs" if table == "group_amounts" else "n"
    counted.storage.connection.execute(f"UPDATE {table} SET {column} = {column} + 1")
    [found] = ledger_inconsistencies(counted, full=False)
    assert table in found.detail
    assert found.repair is not None
    assert "again" in found.repair()
    assert list(ledger_inconsistencies(counted, full=False)) == []
    assert_counts_are_true(counted)


def test_missing_counts_are_reported(counted: Ledger) -> None:
    for one in KEPT:
        counted.storage.connection.execute(f"DELETE FROM {one.table}")
    assert len(list(ledger_inconsistencies(counted, full=False))) == len(KEPT)


def test_rows_of_a_large_ledger_are_counted_with_full_only(counted: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_checks, "COUNT_LIMIT", 1)
    counted.storage.connection.execute("UPDATE job_counts SET n = n + 1")
    [left_out] = ledger_inconsistencies(counted, full=False)
    assert left_out.harmless
    assert "--full" in left_out.hint
    [found] = ledger_inconsistencies(counted, full=True)
    assert "job_counts" in found.detail
