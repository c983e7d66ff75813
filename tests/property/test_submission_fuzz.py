"""Damaged signatures and arbitrary bytes are refused with a message, or valid.  `make fuzz` runs this for minutes."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import damaged, read, seeds

CASES = 4000


def test_damaged_signature_is_refused_or_valid() -> None:
    random, known = Random(7), seeds()
    outcomes = [read(damaged(random.choice(known), random)) for _ in range(CASES)]
    assert 0 < outcomes.count("accepted") < CASES / 10


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    assert read(data) == "refused"


@given(
    st.binary(max_size=100), st.sampled_from([b"[", b"[{", b'[{"signatures":[{"mins":[', b"\x1f\x8b\x08\0\0\0\0\0\0\0"])
)
def test_arbitrary_bytes_after_a_valid_start_are_refused(data: bytes, start: bytes) -> None:
    assert read(start + data) == "refused"
