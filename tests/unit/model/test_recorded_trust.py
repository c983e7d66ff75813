"""Tests of the record of a signature, if the catalog has one of the same run already."""

import pytest

from wort_cli.model.provenance import ESTABLISHED, RANKS, Recorded, Trust, trust_to_record

SAME, OTHER = "a" * 64, "b" * 64


def test_ranks_have_every_trust() -> None:
    assert sorted(RANKS) == sorted(Trust)


@pytest.mark.parametrize("trust", Trust)
def test_first_signature_is_recorded_with_its_trust(trust: Trust) -> None:
    assert trust_to_record(None, SAME, trust) is trust


@pytest.mark.parametrize("before", Trust)
@pytest.mark.parametrize("trust", Trust)
def test_same_content_keeps_the_higher_trust(before: Trust, trust: Trust) -> None:
    found = trust_to_record(Recorded(SAME, before), SAME, trust)
    assert found is not None
    if before is Trust.MISMATCH and trust not in (Trust.COMPUTED, Trust.VERIFIED, Trust.UNPROVED):
        assert found is Trust.MISMATCH
    else:
        assert RANKS.index(found) == min(RANKS.index(before), RANKS.index(trust))


@pytest.mark.parametrize("before", Trust)
@pytest.mark.parametrize("trust", Trust)
def test_other_content_never_replaces_what_is_worth_more(before: Trust, trust: Trust) -> None:
    kept = before in ESTABLISHED and RANKS.index(trust) > RANKS.index(before)
    assert trust_to_record(Recorded(SAME, before), OTHER, trust) is (None if kept else trust)
