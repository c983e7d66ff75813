"""A run that cannot be computed, and a check of everything that wort does about it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.homes import Done, Home
from tests.support.shelf import Shelf


@dataclass(frozen=True)
class BadCase:
    """A bad archive, and the expected outcome."""

    name: str
    make: Callable[[Shelf, Path], object]
    state: str
    reason: str
    code: int
    sentence: str
    hint: str


def check_bad_case(home: Home, name: str, done: Done, bad: BadCase) -> None:
    """Check the result, the messages, the ledger and the log of a job, and that it left no files."""
    done.expect(bad.code, name, bad.state, bad.reason, bad.sentence, bad.hint)
    assert done.rows() == [[name, bad.state, "1", bad.reason, ""]]
    job = home.job(name)
    assert (job.state, job.reason) == (bad.state, bad.reason)
    assert job.message
    assert home.events(name)[-1] == (bad.state, bad.reason)
    assert not home.signature_files()
    home.until_nothing_left()
    assert home.select("SELECT count(*) FROM signatures") == [(0,)]
    home("view", name).expect(2, f"is {bad.state}")
    logs = home("logs", name).expect(0).out
    assert bad.reason in logs
