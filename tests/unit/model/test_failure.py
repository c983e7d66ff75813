"""Tests of the reasons: sentence, hint and disposition."""

import pytest

from wort_cli.model.failure import TABLE, Disposition, Failure, JobFailed, Reason

STORED = (
    "not-found controlled withdrawn no-reads reads-shorter-than-k incomplete network rate-limited disk-low memory"
    " tool-missing tool-crash storage-denied storage-credentials storage-down params-mismatch interrupted"
)


@pytest.mark.parametrize("reason", Reason)
def test_reason_has_a_sentence_a_hint_and_a_disposition(reason: Reason) -> None:
    assert reason.sentence.isprintable()
    assert reason.sentence[0].islower()
    assert not reason.sentence.endswith(".")
    assert reason.hint.isprintable()
    assert len(reason.hint) > 10
    assert reason.disposition in Disposition


def test_table_has_every_reason_once() -> None:
    assert set(TABLE) == set(Reason)
    assert len({reason.sentence for reason in Reason}) == len(Reason)


def test_stored_reasons_keep_their_names() -> None:
    assert {str(reason) for reason in Reason} >= set(STORED.split())


@pytest.mark.parametrize(
    ("disposition", "reasons"),
    [
        (Disposition.UNAVAILABLE, "not-found controlled withdrawn no-reads technical-reads"),
        (Disposition.NOTE, "reads-shorter-than-k few-kmers"),
        (
            Disposition.FAILED,
            "corrupt not-an-archive wrong-format bad-reads tool-missing storage-denied params-mismatch conflict"
            " set-aside not-asked local-files queue-limit",
        ),
        (
            Disposition.RETRY,
            "incomplete network rate-limited disk-low disk-error memory tool-crash storage-down interrupted timeout"
            " no-data not-published unprovable locator-refused reference-missing machine-error storage-credentials"
            " bad-result",
        ),
    ],
)
def test_reasons_of_each_disposition(disposition: Disposition, reasons: str) -> None:
    assert {str(reason) for reason in Reason if reason.disposition is disposition} == set(reasons.split())


@pytest.mark.parametrize("reason", Reason)
def test_lasting_failure_is_never_retried(reason: Reason) -> None:
    lasting = Failure(reason, "", lasting=True).disposition
    assert Failure(reason, "").disposition is reason.disposition
    assert lasting is (Disposition.FAILED if reason.disposition is Disposition.RETRY else reason.disposition)


def test_job_failed_contains_the_failure() -> None:
    assert JobFailed(Reason.NETWORK, "no route", lasting=True).failure == Failure(Reason.NETWORK, "no route", True)
