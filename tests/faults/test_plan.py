"""The plan of a campaign depends on its seed only, and contains all kinds of strikes."""

import pytest

from tests.faults.plan import CASES, LASTING, POSSIBLE, Kind, Target, orders, strikes


@pytest.mark.parametrize("seed", range(5))
def test_same_seed_gives_the_same_plan(seed: int) -> None:
    assert strikes(seed, 120, 3) == strikes(seed, 120, 3) != strikes(seed + 1, 120, 3)
    assert orders(seed, 100, 120) == orders(seed, 100, 120) != orders(seed + 1, 100, 120)


@pytest.mark.parametrize("seed", range(1, 11))
def test_strikes_are_in_order_and_have_valid_durations(seed: int) -> None:
    found = strikes(seed, 120, 3)
    assert 30 <= len(found) <= 55
    assert [one.at for one in found] == sorted(one.at for one in found)
    for one in found:
        assert (one.kind in LASTING) == (one.lasting > 0)
        assert (one.kind, one.target) in POSSIBLE


def test_all_strikes_occur_and_the_daemon_is_never_stopped_permanently() -> None:
    pairs = [(one.kind, one.target) for one in strikes(1, 1000, 3)]
    assert set(pairs[: len(POSSIBLE)]) == set(POSSIBLE)
    assert {kind for kind, _ in POSSIBLE} == set(Kind)
    assert (Kind.STOP, Target.DAEMON) not in POSSIBLE


def test_orders_are_distinct_and_cover_every_case() -> None:
    found = orders(1, 100, 120)
    assert len({order.run for order in found}) == len(found) == 100
    assert {order.case for order in found} == set(CASES)
    assert [order.at for order in found] == sorted(order.at for order in found)
    assert sum(order.at == 0 for order in found) == 50
