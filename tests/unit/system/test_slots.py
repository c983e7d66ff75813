"""Slots bound what happens at the same time, are given out in order, and are free again when their holder dies."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from tests.support.polling import until
from wort_cli.system.cancellation import Cancellation, Cancelled
from wort_cli.system.process_identity import boot_tag
from wort_cli.system.slots import Slots


def names(directory: Path, kind: str) -> list[str]:
    """Return the files of a kind, without the boot in their names."""
    return sorted(path.name.replace(f"-{boot_tag()}-", "-") for path in directory.glob(f"{kind}-*"))


def test_number_bounds_holders_and_released_slot_is_taken_again(tmp_path: Path) -> None:
    slots = Slots(tmp_path, 2)
    first, second = slots.take(), slots.take()
    with pytest.raises(Cancelled):
        slots.take(Cancellation(lambda: True))
    assert len(names(tmp_path, "held")) == 2
    assert names(tmp_path, "waiting") == []
    first()
    first()
    with slots.taken():
        assert len(names(tmp_path, "held")) == 2
    second()
    assert names(tmp_path, "held") == []


def test_those_that_wait_get_slots_in_the_order_of_their_places(tmp_path: Path) -> None:
    slots, order = Slots(tmp_path, 1), []

    def wait_for_one(place: str) -> None:
        with slots.taken(place=place):
            order.append(place)

    release = slots.take()
    threads = []
    for place in ("3", "1", "2"):
        threads.append(threading.Thread(target=wait_for_one, args=(place,)))
        threads[-1].start()
        until(lambda place=place: f"waiting-{place}" in names(tmp_path, "waiting"), "it waits")  # type: ignore[misc]
    assert slots.is_wanted()
    release()
    for thread in threads:
        thread.join()
    assert order == ["1", "2", "3"]
    assert not slots.is_wanted()


def test_new_number_applies_to_those_that_wait(tmp_path: Path) -> None:
    slots, taken = Slots(tmp_path, 1), threading.Event()

    def wait_for_one() -> None:
        with Slots(tmp_path, 1).taken():
            taken.set()

    with slots.taken():
        thread = threading.Thread(target=wait_for_one)
        thread.start()
        until(slots.is_wanted, "it waits")
        slots.set_number(2)
        assert taken.wait(60)
    thread.join()
    slots.set_number(1)
    with slots.taken(), pytest.raises(Cancelled):
        Slots(tmp_path, 2).take(Cancellation(lambda: True))


def hold(directory: Path, number: int, held: Event) -> None:
    """Take slots and keep them until the process is killed."""
    slots = Slots(directory, number)
    kept = [slots.take() for _ in range(number)]
    held.set()
    signal.pause()
    del kept


def test_killed_process_holds_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held = context.Event()
    process = context.Process(target=hold, args=(tmp_path, 2, held))
    process.start()
    assert held.wait(60)
    with pytest.raises(Cancelled):
        Slots(tmp_path, 2).take(Cancellation(lambda: True))
    process.kill()
    process.join()
    with Slots(tmp_path, 2).taken():
        assert len(names(tmp_path, "held")) == 1, "the files of the dead process are removed"


def use_often(directory: Path, number: int, times: int) -> None:
    """Hold a slot many times, with a file that shows it."""
    for _ in range(times):
        with Slots(directory / "slots", number).taken():
            mark = directory / f"{os.getpid()}-{threading.get_ident()}.mark"
            mark.touch()
            count = len(list(directory.glob("*.mark")))
            with contextlib.suppress(OSError):
                (directory / "most").open("a").write(f"{count}\n")
            time.sleep(0.002)
            mark.unlink()


def test_four_processes_with_four_threads_never_hold_more_than_the_number(tmp_path: Path) -> None:
    def run() -> None:
        threads = [threading.Thread(target=use_often, args=(tmp_path, 3, 3)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    processes = [multiprocessing.get_context("fork").Process(target=run) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    counts = [int(line) for line in (tmp_path / "most").read_text().split()]
    assert len(counts) == 48
    assert max(counts) <= 3
