"""A reservation is valid while its attempt runs, and counts only what the attempt does not use yet."""

import json
import multiprocessing
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from wort_cli.pipeline.reservations import FILE, Need, Reservation, reservations
from wort_cli.system.machine import resident_memory
from wort_cli.system.process_identity import ProcessIdentity, identity_of, own_identity

NEED = Need(work=1000, store=200, memory=10**15)


@pytest.fixture
def attempt(tmp_path: Path) -> Path:
    """The directory of an attempt."""
    path = tmp_path / "7" / "attempt-1"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def sleeper() -> Iterator[ProcessIdentity]:
    """Another running process."""
    with subprocess.Popen(["sleep", "600"]) as process:
        found = identity_of(process.pid)
        assert found is not None
        yield found
        process.kill()


def reserve(directory: Path, *given: Reservation) -> None:
    """Add reservations."""
    with reservations(directory) as book:
        for reservation in given:
            book.add(reservation)


def outstanding(directory: Path) -> Need:
    """Return the sum of all outstanding reservations."""
    with reservations(directory) as book:
        return book.outstanding


def reservation_of(attempt: Path, process: ProcessIdentity, need: Need = NEED) -> Reservation:
    """Return a reservation of another process."""
    return Reservation(attempt, process, need, resident_memory(process.pid), attempt.parent / "slices")


def test_reservation_is_valid_until_its_attempt_ends(tmp_path: Path, attempt: Path) -> None:
    assert outstanding(tmp_path) == Need()
    reserve(tmp_path, Reservation.now(attempt, attempt.parent / "slices", Need(5, 6, 0)))
    assert outstanding(tmp_path) == Need(5, 6, 0)
    attempt.rmdir()
    assert outstanding(tmp_path) == Need()
    attempt.mkdir()  # of an attempt that has the number again, nothing was kept
    assert outstanding(tmp_path) == Need()


def test_reservations_add_up_and_each_attempt_has_one(tmp_path: Path, attempt: Path, sleeper: ProcessIdentity) -> None:
    other = tmp_path / "8" / "attempt-3"
    other.mkdir(parents=True)
    mine = Reservation.now(attempt, attempt.parent / "slices", Need(5, 6, 0))
    reserve(tmp_path, mine, reservation_of(other, sleeper, Need(10, 20, 0)), replace(mine, need=Need(1, 2, 0)))
    assert outstanding(tmp_path) == Need(11, 22, 0)


def test_reservation_of_killed_process_is_dropped(tmp_path: Path, attempt: Path) -> None:
    process = subprocess.Popen(["sleep", "600"])
    found = identity_of(process.pid)
    assert found is not None
    reserve(tmp_path, reservation_of(attempt, found))
    assert outstanding(tmp_path).work == NEED.work
    process.kill()
    process.wait()
    assert outstanding(tmp_path) == Need()


def test_used_memory_and_disk_are_subtracted(tmp_path: Path, attempt: Path) -> None:
    slices = attempt.parent / "slices"
    slices.mkdir()
    before = resident_memory(os.getpid())
    reserve(tmp_path, Reservation(attempt, own_identity(), NEED, before, slices))
    (slices / "0").write_bytes(b"x" * 300)
    block = b"x" * 50_000_000
    taken = resident_memory(os.getpid()) - before
    assert taken > len(block) / 2
    found = outstanding(tmp_path)
    assert found.work == NEED.work - 300
    assert found.memory == pytest.approx(NEED.memory - taken, abs=20_000_000)
    (slices / "1").write_bytes(b"x" * 3000)
    assert outstanding(tmp_path).work == 0


def test_reservation_is_zero_if_the_process_uses_more_than_its_need(
    tmp_path: Path, attempt: Path, sleeper: ProcessIdentity
) -> None:
    reserve(tmp_path, Reservation(attempt, sleeper, Need(0, 0, 1), 0, attempt / "none"))
    assert outstanding(tmp_path) == Need()


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"a": 1}', b"[{}]", b"\xff", b"null"])
def test_damaged_file_has_no_reservations(tmp_path: Path, attempt: Path, data: bytes) -> None:
    (tmp_path / FILE).write_bytes(data)
    assert outstanding(tmp_path) == Need()
    reserve(tmp_path, Reservation.now(attempt, attempt, NEED))
    assert len(json.loads((tmp_path / FILE).read_bytes())) == 1


def test_first_process_of_a_container_can_reserve(tmp_path: Path, attempt: Path) -> None:
    """`wort compute --now` is process 1 of a container whose entry point it is."""
    first = identity_of(1)
    assert first is not None
    reserve(tmp_path, reservation_of(attempt, first, Need(1000, 200, 0)))
    assert outstanding(tmp_path) == Need(1000, 200, 0)


def test_invalid_reservation_does_not_hide_the_others(tmp_path: Path, attempt: Path) -> None:
    reserve(tmp_path, Reservation.now(attempt, attempt, Need(5, 6, 0)))
    found = json.loads((tmp_path / FILE).read_bytes())
    (tmp_path / FILE).write_text(json.dumps([{"attempt": "x"}, *found, 7]))
    assert outstanding(tmp_path) == Need(5, 6, 0)


def test_exception_while_locked_changes_nothing(tmp_path: Path, attempt: Path) -> None:
    reserve(tmp_path, Reservation.now(attempt, attempt, Need(1, 1, 0)))
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(ValueError, match="too little"), reservations(tmp_path) as book:
        book.add(Reservation.now(attempt.with_name("attempt-2"), attempt, NEED))
        raise ValueError("too little")
    assert (tmp_path / FILE).read_bytes() == before


def take_one(directory: Path, number: int, most: int) -> None:
    """Reserve one unit if fewer than `most` are reserved; run in many processes at once."""
    attempt = directory / str(number) / "attempt-1"
    attempt.mkdir(parents=True)
    with reservations(directory) as book:
        if book.outstanding.store < most:
            book.add(Reservation(attempt, parent_identity(), Need(0, 1, 0), 0, attempt))


def parent_identity() -> ProcessIdentity:
    """Return the identity of the parent process, which outlives this one."""
    found = identity_of(os.getppid())
    assert found is not None
    return found


def test_concurrent_reservations_do_not_exceed_the_limit(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    others = [context.Process(target=take_one, args=(tmp_path, number, 5)) for number in range(20)]
    for other in others:
        other.start()
    for other in others:
        other.join()
        assert other.exitcode == 0
    assert outstanding(tmp_path).store == 5
