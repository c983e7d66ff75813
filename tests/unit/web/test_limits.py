"""Tests of the limits of requests."""

from wort_cli.web import limits
from wort_cli.web.limits import Limiter, Rate


def test_burst_is_allowed_and_then_the_rate() -> None:
    limiter = Limiter(Rate(2.0, 3.0))
    assert [limiter.wait("a", now=10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert limiter.wait("b", now=10.0) == 0.0
    assert limiter.wait("a", now=10.5) == 0.0
    assert limiter.wait("a", now=10.5) == 0.5


def test_number_of_keys_is_bounded() -> None:
    limiter = Limiter(Rate(1.0, 1.0))
    for number in range(limits.MAX_KEYS + 10):
        limiter.wait(str(number), now=1.0)
    assert len(limiter._left) == limits.MAX_KEYS
