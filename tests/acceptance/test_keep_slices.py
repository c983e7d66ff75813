"""`--keep-slices`: a task that is asked to end leaves its work in the store for the next one, on another node."""

import contextlib
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_download import RUN, serving
from tests.acceptance.test_slices import first_spots
from tests.support.archive_server import ArchiveServer
from tests.support.bucket import Bucket
from tests.support.homes import FASTQ_DUMP, Home
from tests.support.polling import until
from tests.support.shelf import Shelf

ALL = [1, 251, 501, 751, 1001, 1251, 1501, 1751]
"""The first spots of the slices."""
LEFT = [501, 751, 1001, 1251, 1501, 1751]
NEXT = "SRR000002"
SMALL = 20_000
"""Bytes that are fetched of an archive that is there already: its head is asked for again."""


class Nodes:
    """Two nodes, each with a home of its own, and what they share."""

    def __init__(self, home: Home, shelf: Shelf, server: ArchiveServer, bucket: Bucket | None) -> None:
        self._home, self._shelf, self._bucket = home, shelf, bucket
        self.server = server
        self.shared = home.root / "shared"
        self.shared.mkdir()
        self._hold = home.root / "hold"
        hold = f"""
if [[ " $* " == *" -N 501 "* && -e {self._hold} ]]; then
    touch {self._hold}.reached
    while [ -e {self._hold} ]; do sleep 0.05; done
fi
exec {FASTQ_DUMP} "$@"
"""
        store = {} if bucket else {"WORT_S3_BUCKET": f"file://{self.shared}"}
        self._env = {
            **home.with_tool("fastq-dump", hold),
            **store,
            "WORT_SLICE_BASES": "50000",
            "WORT_THREADS": "1",
            "WORT_KEEP_SLICES_KEY": str(home.root / "key"),
        }

    def env(self, number: int, **more: str) -> dict[str, str]:
        return {**self._env, "WORT_HOME": str(self._home.root / f"node-{number}"), **more}

    def stop_the_first(self, **more: str) -> None:
        """Have the first node finish two slices, and then ask it to end."""
        with self.stopping("--keep-slices", **more):
            pass
        self.remove_the_first()

    def remove_the_first(self) -> None:
        """Remove the home of the first node; the second one decodes without a stop."""
        self._hold.unlink()
        shutil.rmtree(self._home.root / "node-1")

    @contextlib.contextmanager
    def stopping(self, *words: str, **more: str) -> Iterator[None]:
        """Have the first node finish two slices; after the block, ask it to end."""
        self._hold.touch()
        with self._home.running("compute", RUN, "--now", *words, env=self.env(1, **more)) as task:
            until(Path(f"{self._hold}.reached").exists, "two slices are finished")
            yield
            task.signal(signal.SIGTERM)
            task.wait().expect(75, "terminated by SIGTERM")

    def run_the_second(self, **more: str) -> list[int]:
        """Compute the run on the second node; return the first spots of the slices that it decoded."""
        sent = self.server.sent
        self._home("compute", RUN, "--now", "--keep-slices", env=self.env(2, **more)).expect(0)
        self.fetched = self.server.sent - sent
        node = Home.__new__(Home)
        node.path = self._home.root / "node-2"
        assert node.signature(RUN) == self._shelf.reference(self._shelf.archive(), RUN)
        return first_spots(node, 1)

    def keys(self) -> list[str]:
        if self._bucket:
            return self._bucket.all_keys()
        files = [path.relative_to(self.shared) for path in self.shared.rglob("*") if path.is_file()]
        return sorted(str(path) for path in files if path.parts[0] != ".wort")

    def unfinished(self) -> list[str]:
        return [key for key in self.keys() if key.startswith("unfinished/")]


@pytest.fixture
def server(home: Home, shelf: Shelf) -> Iterator[ArchiveServer]:
    """A server that has the run."""
    with serving(home, shelf.archive()) as made:
        yield made


@pytest.fixture
def nodes(home: Home, shelf: Shelf, server: ArchiveServer) -> Nodes:
    """Two nodes that share a directory."""
    return Nodes(home, shelf, server, None)


@pytest.mark.parametrize("store", ["directory", "bucket"])
def test_next_task_decodes_and_fetches_only_what_is_missing(
    store: str, home: Home, shelf: Shelf, server: ArchiveServer, request: pytest.FixtureRequest
) -> None:
    bucket = request.getfixturevalue("bucket") if store == "bucket" else None
    nodes = Nodes(home, shelf, server, bucket)
    nodes.stop_the_first()
    names = sorted(key.rpartition("/")[2] for key in nodes.unfinished())
    assert names == ["1-250.slice", "251-500.slice", "archive"]
    assert nodes.run_the_second() == LEFT
    assert nodes.fetched < SMALL
    assert nodes.keys() == [f"prov/{RUN}.json", f"sigs/{RUN}.sig"], "what was left is deleted"


def test_archive_that_was_fetched_ahead_is_left_too(nodes: Nodes, home: Home, shelf: Shelf) -> None:
    nodes.server.files[NEXT] = shelf.archive().read_bytes()
    work = home.root / "node-1" / "work"
    with nodes.stopping(NEXT, "--keep-slices", WORT_KEEP_SLICES_SECONDS="120"):
        until(lambda: list(work.glob("2/archive/*.map")), "the second archive arrives")
        until(lambda: not list(work.glob("2/attempt-*")), "the second archive is there")
    nodes.remove_the_first()
    assert [key for key in nodes.unfinished() if f"/{NEXT}/" in key and key.endswith("/archive")]
    sent = nodes.server.sent
    home("compute", NEXT, "--now", "--keep-slices", env=nodes.env(2)).expect(0)
    assert nodes.server.sent - sent < SMALL
    assert [key for key in nodes.unfinished() if NEXT in key] == [], "what was left is deleted"


def test_work_with_another_key_is_not_taken(nodes: Nodes, home: Home) -> None:
    nodes.stop_the_first()
    assert nodes.run_the_second(WORT_KEEP_SLICES_KEY=str(home.root / "other-key")) == ALL
    assert nodes.unfinished() == []


@pytest.mark.parametrize("at", [0, 40, -40, -1])
def test_damaged_work_is_not_taken(at: int, nodes: Nodes) -> None:
    nodes.stop_the_first()
    assert len(nodes.unfinished()) == 3
    for key in nodes.unfinished():
        path = nodes.shared / key
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)
    assert nodes.run_the_second() == ALL
    assert nodes.fetched > SMALL
    assert nodes.unfinished() == []


def test_work_above_the_limit_is_not_left(nodes: Nodes) -> None:
    nodes.stop_the_first(WORT_KEEP_SLICES_BYTES="1000")
    assert nodes.unfinished() == []
    assert nodes.run_the_second() == ALL


def test_task_ends_in_order_if_the_store_is_gone(nodes: Nodes, home: Home) -> None:
    """It has found the store when it looked for the signature."""
    with nodes.stopping("--keep-slices"):
        nodes.shared.rename(nodes.shared.with_name("away"))
    log = next((home.root / "node-1").glob("logs/jobs/*/*.log")).read_text()
    assert "unfinished work is not left" in log and "does not exist" in log


def test_nothing_is_left_without_the_option(nodes: Nodes) -> None:
    with nodes.stopping():
        pass
    assert nodes.keys() == []


def test_option_needs_a_bucket_and_now(home: Home) -> None:
    home("compute", RUN, "--now", "--keep-slices").expect(2, "needs a bucket")
    home("compute", RUN, "--keep-slices", env={"WORT_S3_BUCKET": "file:///x"}).expect(2, "needs --now")
