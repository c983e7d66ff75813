"""Ordered listings merge into the copies of each run; work in threads is bounded."""

import threading
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wort_cli.model.accession import Accession
from wort_cli.stores.local import LocalStore
from wort_cli.stores.parallel import AHEAD, in_parallel
from wort_cli.stores.run_copies import RunCopies

RUNS = st.from_regex(r"\A[SDE]RR[0-9]{6,9}\Z")


@given(st.lists(RUNS, unique=True))
def test_keys_have_the_order_of_their_runs(names: list[str]) -> None:
    """Accessions have 6 to 9 digits: SRR139146.sig comes before SRR1391460.sig."""
    keys = sorted(f"sigs/{name}.sig".encode() for name in names)
    assert [key.decode()[5:-4] for key in keys] == sorted(names)


@given(names=st.lists(RUNS, unique=True, max_size=20))
def test_local_store_lists_runs_in_order(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    store = LocalStore(tmp_path_factory.mktemp("store"))
    for name in names:
        path = store.path(Accession(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        path.with_name(f"{name}.prov.json").touch()
        path.with_name(f"{name}.sig.partial").touch()
    assert list(store.runs()) == sorted(names)


def test_copies_of_a_run_are_merged() -> None:
    name = Accession("SRR139146")
    assert RunCopies(name, local_path=Path("x")) | RunCopies(name) == RunCopies(name, local_path=Path("x"))


def test_few_items_run_at_a_time_and_few_are_read_ahead() -> None:
    consumed, lock, running, most = 0, threading.Lock(), 0, 0

    def numbers() -> Iterator[int]:
        nonlocal consumed
        for number in count():
            consumed += 1
            yield number

    def double(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        return 2 * number

    done = list(islice(in_parallel(numbers(), double, 3), 100))
    assert all(result == 2 * number for number, result in done)
    assert most <= 3
    assert consumed <= 100 + 3 * AHEAD


def test_exception_of_an_item_is_yielded_and_the_others_continue() -> None:
    def half(number: int) -> float:
        return 1 / number

    outcomes = dict(in_parallel(range(3), half, 2))
    assert isinstance(outcomes[0], ZeroDivisionError)
    assert (outcomes[1], outcomes[2]) == (1.0, 0.5)
