"""References are shared by all jobs: fetched once, kept while they are used, and bounded."""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from wort_cli.pipeline.archives.reference_store import Reference, ReferenceStore, Sum
from wort_cli.system.cancellation import NEVER, Cancellation, Cancelled


def reference(name: str) -> Reference:
    return Reference(name, None)


def fetcher(
    store: ReferenceStore, name: str, data: bytes = b"x" * 100, log: list[str] | None = None
) -> Callable[[], None]:
    def fetch() -> None:
        if log is not None:
            log.append(name)
        partial = store.partial(reference(name))
        partial.mkdir(parents=True)
        (partial / "archive").write_bytes(data)
        store.add(reference(name), partial / "archive", Sum(hashlib.md5(data).hexdigest(), len(data)))

    return fetch


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("NC_000005.8", "refseq/NC_000005.8"),
        ("CM000001.1", "refseq/CM000001.1"),
        ("AAAB01006027.1", "wgs/AAAB01"),
        ("NZ_AAAB01006027.1", "wgs/NZ_AAAB01"),
        ("AAABCD010000001.1", "wgs/AAABCD01"),
        ("AAAB01", "refseq/AAAB01"),
    ],
)
def test_file_of_a_reference_is_where_the_toolkit_looks(name: str, file: str, tmp_path: Path) -> None:
    assert ReferenceStore(tmp_path, 0).path(reference(name)) == tmp_path / file


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "-x", "é1", "x" * 65, "a\n"])
def test_name_that_is_no_plain_one_is_recognized(name: str) -> None:
    assert not reference(name).has_plain_name


def test_reference_is_fetched_once(tmp_path: Path) -> None:
    store, log = ReferenceStore(tmp_path, 10**6), list[str]()
    for _ in range(2):
        with store.held(reference("A1"), fetcher(store, "A1", log=log), NEVER) as found:
            assert found.size == 100
    assert log == ["A1"]
    assert not store.partial(reference("A1")).exists()


def test_waiting_jobs_use_what_the_first_one_fetches(tmp_path: Path) -> None:
    store, log = ReferenceStore(tmp_path, 10**6), list[str]()
    together = threading.Barrier(6)

    def use() -> None:
        together.wait()
        with store.held(reference("A1"), fetcher(store, "A1", log=log), NEVER):
            together.wait(60)  # all hold it at the same time

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert log == ["A1"]
    assert not any(thread.is_alive() for thread in threads)


def test_failed_download_is_left_to_the_next_job(tmp_path: Path) -> None:
    def fail() -> None:
        raise LookupError

    store = ReferenceStore(tmp_path, 10**6)
    with pytest.raises(LookupError), store.held(reference("A1"), fail, NEVER):
        raise AssertionError("a reference that was not fetched")
    with store.held(reference("A1"), fetcher(store, "A1"), NEVER):
        pass


def test_waiting_ends_when_the_job_is_cancelled(tmp_path: Path) -> None:
    store, fetching, over = ReferenceStore(tmp_path, 10**6), threading.Event(), threading.Event()

    def fetch() -> None:
        fetching.set()
        over.wait(60)
        fetcher(store, "A1")()

    def use() -> None:
        with store.held(reference("A1"), fetch, NEVER):
            pass

    thread = threading.Thread(target=use)
    thread.start()
    fetching.wait(60)
    try:
        cancelled = Cancellation(lambda: True)
        with pytest.raises(Cancelled), store.held(reference("A1"), fetch, cancelled):
            raise AssertionError("a cancelled job continues")
    finally:
        over.set()
        thread.join(30)


def test_changed_reference_is_fetched_again(tmp_path: Path) -> None:
    store, log = ReferenceStore(tmp_path, 10**6), list[str]()
    for _ in range(2):
        with store.held(reference("A1"), fetcher(store, "A1", log=log), NEVER):
            assert store.path(reference("A1")).read_bytes() == b"x" * 100
        store.path(reference("A1")).write_bytes(b"x" * 99 + b"y")
    assert log == ["A1", "A1"]


@pytest.mark.parametrize("forger", [b"", b"another home's key"])
def test_planted_reference_is_not_used(tmp_path: Path, forger: bytes) -> None:
    planted, store, log = ReferenceStore(tmp_path, 10**6, forger), ReferenceStore(tmp_path, 10**6, b"key"), list[str]()
    with planted.held(reference("A1"), fetcher(planted, "A1"), NEVER):
        planted.path(reference("A1")).write_bytes(b"y" * 100)
        planted.add(reference("A1"), planted.path(reference("A1")), Sum(hashlib.md5(b"y" * 100).hexdigest(), 100))
    with store.held(reference("A1"), fetcher(store, "A1", log=log), NEVER):
        assert store.path(reference("A1")).read_bytes() == b"x" * 100
    assert log == ["A1"]


def test_sum_of_one_reference_does_not_prove_another(tmp_path: Path) -> None:
    store, log = ReferenceStore(tmp_path, 10**6, b"key"), list[str]()
    with store.held(reference("A1"), fetcher(store, "A1"), NEVER):
        pass
    shutil.copyfile(store.path(reference("A1")), store.path(reference("A2")))
    shutil.copyfile(tmp_path / "sums" / "A1.json", tmp_path / "sums" / "A2.json")
    with store.held(reference("A2"), fetcher(store, "A2", log=log), NEVER):
        assert log == ["A2"]


def test_reference_that_never_matches_is_refused(tmp_path: Path) -> None:
    store = ReferenceStore(tmp_path, 10**6)

    def fetch() -> None:
        fetcher(store, "A1")()
        store.path(reference("A1")).write_bytes(b"y" * 100)

    with pytest.raises(OSError, match="is changed"), store.held(reference("A1"), fetch, NEVER):
        raise AssertionError("a wrong reference")


def test_least_recently_used_references_are_removed_unless_they_are_in_use(tmp_path: Path) -> None:
    store = ReferenceStore(tmp_path, 250)
    for age, name in enumerate(["A1", "A2"]):
        with store.held(reference(name), fetcher(store, name), NEVER):
            os.utime(store.path(reference(name)), (age, age))
    with store.held(reference("A1"), fetcher(store, "A1"), NEVER):
        os.utime(store.path(reference("A1")), (0, 0))
        with store.held(reference("A3"), fetcher(store, "A3"), NEVER):
            left = sorted(path.name for path in (tmp_path / "refseq").iterdir())
    assert left == ["A1", "A3"]
    assert store.known_sum(reference("A2")) is None


def test_part_of_a_reference_is_discarded_unless_a_job_fetches_it(tmp_path: Path) -> None:
    store = ReferenceStore(tmp_path, 250)

    def fetch() -> None:
        store.partial(reference("A1")).mkdir(parents=True)
        (left,) = store.unfinished()
        assert not store.discard(left)
        raise LookupError

    with pytest.raises(LookupError), store.held(reference("A1"), fetch, NEVER):
        raise AssertionError("a reference that was not fetched")
    (left,) = store.unfinished()
    assert store.discard(left)
    assert store.unfinished() == []
