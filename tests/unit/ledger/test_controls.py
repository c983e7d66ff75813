"""Controls: what a user tells the daemon is stored under stable keys."""

from wort_cli.ledger.ledger import Ledger


def test_controls_return_the_last_value_set(ledger: Ledger) -> None:
    assert not ledger.controls.paused
    for change, paused in (
        (ledger.controls.pause, True),
        (ledger.controls.resume, False),
        (ledger.controls.pause, True),
    ):
        change()
        assert ledger.controls.paused is paused
    assert ledger.controls.job_limit(default=2) == 2
    for jobs in (5, 3, None):
        ledger.controls.set_job_limit(jobs)
        assert ledger.controls.job_limit(default=2) == (jobs or 2)
        assert ledger.controls.has_job_limit is (jobs is not None)
    for killed in (True, False):
        ledger.controls.set_killed_on_purpose(killed)
        assert ledger.controls.killed_on_purpose is killed


def test_controls_keep_the_stored_keys_and_values(ledger: Ledger) -> None:
    """Earlier versions of wort wrote these rows."""
    ledger.controls.pause()
    ledger.controls.set_job_limit(3)
    ledger.controls.set_killed_on_purpose(True)
    rows = ledger.storage.select("SELECT key, value FROM control ORDER BY key", {})
    assert {row["key"]: row["value"] for row in rows} == {"jobs": "3", "killed": "yes", "paused": "yes"}


# ---- rules that triggers enforce
