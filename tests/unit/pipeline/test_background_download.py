"""An archive is read while it is downloaded, and nothing counts that was read of damaged bytes."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from wort_cli.model.archive_format import Format
from wort_cli.pipeline.archives.blob_index import UnknownIndex
from wort_cli.pipeline.archives.column_blobs import Rows
from wort_cli.pipeline.archives.obtain import ArrivingArchive, Obtained, Proof, ProvedBy
from wort_cli.pipeline.background_download import Announce, ArrivedWrong, BackgroundDownload
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.system.cancellation import NEVER, Cancellation, Cancelled

EARLY, LATE = (
    Obtained(Path("x.sra"), Format.NORMALIZED, 10, "", fetched, Proof(ProvedBy.COLUMN_SUMS, "", True, ""))
    for fetched in (1, 10)
)


@dataclass
class Arriving:
    """Stands for an ArrivingArchive whose rows up to `last` have arrived."""

    obtained: Obtained = EARLY
    last: int = 5

    def has(self, rows: Rows) -> bool:
        if self.last < 0:
            raise UnknownIndex("a block has another size than its kind")
        return rows.last <= self.last


class Server:
    """Does what a download does, step by step."""

    def __init__(self, announced: list[Arriving | None], error: Exception | None = None) -> None:
        self.may_end = threading.Event()
        self.announced, self.error = announced, error

    def obtain(self, announce: Announce, cancellation: Cancellation) -> Obtained:
        for archive in self.announced:
            announce(cast(ArrivingArchive | None, archive))
        while not self.may_end.wait(0.01):
            cancellation.check()
        if self.error:
            raise self.error
        return LATE


def test_archive_is_readable_before_all_of_it_has_arrived() -> None:
    server = Server([Arriving()])
    download = BackgroundDownload(server.obtain, NEVER)
    assert download.wait_until_readable() == EARLY
    assert (download.has(Slice(1, 5)), download.has(Slice(6, 9)), download.is_proved) == (True, False, False)
    server.may_end.set()
    assert download.wait()
    assert (download.has(Slice(6, 9)), download.is_proved, download.result()) == (True, True, LATE)
    download.stop()


@pytest.mark.parametrize("announced", [[Arriving(), None], [Arriving(), None, Arriving()], [Arriving(), Arriving()]])
def test_what_was_read_of_an_archive_that_was_fetched_again_does_not_count(announced: list[Arriving | None]) -> None:
    server = Server(announced)
    download = BackgroundDownload(server.obtain, NEVER)
    assert download.wait_until_readable() == EARLY
    server.may_end.set()
    assert download.result() == LATE
    assert not download.is_proved
    with pytest.raises(ArrivedWrong):
        download.has(Slice(1, 1))
    with pytest.raises(ArrivedWrong):
        download.wait()
    download.stop()


def test_archive_that_is_not_announced_is_readable_at_the_end() -> None:
    server = Server([])
    server.may_end.set()
    download = BackgroundDownload(server.obtain, NEVER)
    assert download.wait_until_readable() == LATE
    assert download.has(Slice(1, 9))
    download.stop()


def test_rows_of_an_unknown_index_have_arrived_at_the_end() -> None:
    server = Server([Arriving(last=-1)])
    download = BackgroundDownload(server.obtain, NEVER)
    download.wait_until_readable()
    assert not download.has(Slice(1, 1))
    server.may_end.set()
    download.result()
    assert download.has(Slice(1, 1))
    download.stop()


def test_failure_of_the_download_is_raised_where_rows_are_waited_for() -> None:
    server = Server([Arriving()], OSError("no space left"))
    download = BackgroundDownload(server.obtain, NEVER)
    download.wait_until_readable()
    server.may_end.set()
    with pytest.raises(OSError, match="no space left"):
        download.wait()
    with pytest.raises(OSError, match="no space left"):
        download.has(Slice(1, 1))
    assert not download.is_proved
    download.stop()


def test_stop_cancels_the_download() -> None:
    download = BackgroundDownload(Server([Arriving()]).obtain, NEVER)
    download.wait_until_readable()
    download.stop()
    with pytest.raises(Cancelled):
        download.result()
