"""Tests of the trust in a signature after a verification."""

import pytest

from wort_cli.model.provenance import Trust
from wort_cli.model.verdict import Comparison, Depth, Verdict, trust_after

U, Q, V, M, X, C = (
    Trust.UNVERIFIED, Trust.QUICK_CHECKED, Trust.VERIFIED, Trust.MISMATCH, Trust.UNVERIFIABLE, Trust.COMPUTED,
)  # fmt: skip


@pytest.mark.parametrize("before", Trust)
@pytest.mark.parametrize("found", [V, M])
def test_full_verification_or_mismatch_decides(before: Trust, found: Trust) -> None:
    assert trust_after(before, found) is found


@pytest.mark.parametrize(("before", "after"), [(U, Q), (Q, Q), (X, Q), (V, V), (M, M), (C, C)])
def test_quick_verification_does_not_lower_trust(before: Trust, after: Trust) -> None:
    assert trust_after(before, Q) is after


@pytest.mark.parametrize(("before", "after"), [(U, X), (X, X), (Q, Q), (V, V), (M, M), (C, C)])
def test_missing_source_does_not_lower_trust(before: Trust, after: Trust) -> None:
    assert trust_after(before, X) is after


def test_verdict_is_restored_from_json_with_unknown_keys() -> None:
    comparison = Comparison(21, 10, 11, 1, 0, 2, 0.5, 0.9, 0.95)
    verdict = Verdict(M, Depth.QUICK, "why", (comparison,), ((1, 5), (9, 10)), "kernel", 77)
    assert Verdict.from_json({**verdict.to_json(), "later": 1}) == verdict
    assert comparison.differs
    assert "1 of 11 hashes are missing" in comparison.sentence()
