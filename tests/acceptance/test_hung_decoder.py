"""libncbi-vdb hangs in this process: the attempt fails, the process ends, and fastq-dump decodes the run."""

from collections.abc import Iterator

import pytest

from tests.support.homes import Home
from tests.support.hung_library import hung_library
from tests.support.polling import until
from tests.support.shelf import Shelf

RUN = "SRR000001"
PATIENT = {"WORT_STALL_TIMEOUT": "60"}
"""For an attempt that is to succeed, however busy this machine is."""


@pytest.fixture
def hung(home: Home, shelf: Shelf) -> Iterator[Home]:
    """A home whose libncbi-vdb hangs when it reads spots."""
    home.keep(RUN, shelf.archive())
    home.env |= {**hung_library(home.root), "WORT_STALL_TIMEOUT": "2"}
    yield home
    assert not home.leftovers()


def check_decoded_by_fastq_dump(home: Home, shelf: Shelf) -> None:
    assert "an earlier attempt died or hung" in home("logs", RUN).out
    assert home.signature(RUN) == shelf.reference(shelf.archive(), RUN)


def test_now_ends_although_a_thread_hangs(hung: Home, shelf: Shelf) -> None:
    ended = hung("compute", RUN, "--now", timeout=300)
    assert ended.code == 75, str(ended)
    assert (hung.job(RUN).state, hung.job(RUN).reason) == ("waiting", "timeout")
    hung("compute", RUN, "--now", env=PATIENT).expect(0)
    check_decoded_by_fastq_dump(hung, shelf)


def test_archive_that_does_not_open_is_decoded_by_fastq_dump(hung: Home, shelf: Shelf) -> None:
    env = {"HANG_IN": "SRAMgrOpenAltTableRead", "WORT_STALL_TIMEOUT": "4"}
    hung("compute", RUN, "--now", env=env, timeout=300).expect(0)
    assert "did not open the archive within 4 seconds" in hung("logs", RUN).out
    assert hung.signature(RUN) == shelf.reference(shelf.archive(), RUN)


def test_worker_with_a_hung_thread_is_replaced(hung: Home, shelf: Shelf) -> None:
    hung("daemon", "start", env={"WORT_JOBS": "1", "WORT_RETRY_DELAY": "0.5"}).expect(0)
    idle = {process.pid for process in hung.processes()}
    hung("compute", RUN).expect(0)
    hung("wait", RUN).expect(0)
    reasons = [reason for state, reason in hung.events(RUN) if state != "queued" and reason]
    assert set(reasons) == {"timeout"}
    check_decoded_by_fastq_dump(hung, shelf)
    until(lambda: idle - {process.pid for process in hung.processes()}, "the worker has ended")
    until(lambda: hung("daemon", "status", "--json").json()["workers"]["alive"] == 1, "it was replaced")
