"""A directory that takes the place of a bucket, with processes that are killed and users who are not to be believed."""

import errno
import io
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.homes import Home
from tests.support.polling import until
from wort_cli.commands.shared.checking.bucket_check import check_bucket
from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target, bucket_or_directory
from wort_cli.settings import load_settings
from wort_cli.stores import directory_tree
from wort_cli.stores.directory import DirectoryStore
from wort_cli.stores.object_store import Headers, ObjectTooLarge, PreconditionFailed, StoreError

TEXT = Headers("text/plain", metadata={"a": "b"})
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty directory."""
    made = tmp_path / "shared"
    made.mkdir()
    return made


@pytest.fixture
def store(root: Path) -> DirectoryStore:
    """Return the store in it."""
    return DirectoryStore(S3Target(f"file://{root}"))


def content_of(store: DirectoryStore, key: str) -> bytes:
    """Return the content of an object."""
    file = io.BytesIO()
    assert store.read(key, file, 10**9) is not None
    return file.getvalue()


def test_object_is_a_file_under_its_key(store: DirectoryStore, root: Path) -> None:
    etag = store.put("sigs/SRR1.sig", b"content", TEXT)
    assert (root / "sigs" / "SRR1.sig").read_bytes() == b"content"
    found = store.head("sigs/SRR1.sig")
    assert found is not None and found.etag == etag == "9a0364b9e99bb480dd25e1f0284c8555"
    assert list(os.scandir(root / ".wort" / "partial")) == []


def test_listing_has_the_order_of_keys(store: DirectoryStore) -> None:
    keys = ["a-b", "a/x", "a/y.z", "a.b/c", "a0", "b"]
    for key in keys:
        store.put(key, b"x", TEXT)
    assert [found.key for found in store.list("")] == sorted(keys)
    assert [found.key for found in store.list("a/")] == ["a/x", "a/y.z"]
    assert [found.key for found in store.list("a/y")] == ["a/y.z"]
    assert list(store.list("nothing/")) == []


def test_one_of_many_processes_creates_or_replaces_an_object(store: DirectoryStore) -> None:
    def write(number: int, replacing: str, answers: Any, start: Any) -> None:
        start.wait()
        try:
            store.put("sigs/SRR1.sig", content(number, replacing), TEXT, replacing=replacing)
        except PreconditionFailed:
            answers.put(-1)
        else:
            answers.put(number)

    def content(number: int, replacing: str) -> bytes:
        """Return what no other writer writes, before or after: an ETag names a content, not the time of its writing."""
        return f"{number} after {replacing}".encode()

    replacing = ""
    for _ in range(3):
        answers, start = FORK.Queue(), FORK.Event()
        writers = [FORK.Process(target=write, args=(n, replacing, answers, start)) for n in range(8)]
        for writer in writers:
            writer.start()
        start.set()
        won = [n for n in (answers.get() for _ in writers) if n >= 0]
        for writer in writers:
            writer.join()
        assert len(won) == 1
        assert content_of(store, "sigs/SRR1.sig") == content(won[0], replacing)
        found = store.head("sigs/SRR1.sig")
        assert found is not None
        replacing = found.etag


def test_killed_writer_leaves_no_object_and_its_file_is_removed_later(store: DirectoryStore, root: Path) -> None:
    def write_slowly() -> None:
        def parts() -> object:
            yield b"half"
            (root / "started").touch()
            time.sleep(600)

        store._write("sigs/SRR1.sig", parts(), TEXT, replacing="")  # type: ignore[arg-type]

    writer = FORK.Process(target=write_slowly)
    writer.start()
    until((root / "started").exists)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert store.head("sigs/SRR1.sig") is None
    assert list(store.unfinished_uploads("")) == ["sigs/SRR1.sig"]
    (left,) = (root / ".wort" / "partial").iterdir()
    old = time.time() - directory_tree.ABANDONED - 60
    os.utime(left, (old, old))
    store.put("sigs/SRR1.sig", b"whole", TEXT)
    assert list(store.unfinished_uploads("")) == []


def test_file_that_was_changed_has_no_metadata_and_its_own_checksum(store: DirectoryStore, root: Path) -> None:
    etag = store.put("sigs/SRR1.sig", b"content", TEXT)
    (root / "sigs" / "SRR1.sig").write_bytes(b"CONTENT")
    found = store.head("sigs/SRR1.sig")
    assert found is not None and found.etag != etag and "a" not in found.metadata
    with pytest.raises(PreconditionFailed):
        store.put("sigs/SRR1.sig", b"other", TEXT, replacing=etag)


@pytest.mark.parametrize("about", [b"", b"[", b"[]", b'{"schema": 1}', b"\xff", b"9" * 100_000])
def test_damaged_metadata_are_ignored(about: bytes, store: DirectoryStore, root: Path) -> None:
    etag = store.put("sigs/SRR1.sig", b"content", TEXT)
    (root / ".wort" / "about" / "sigs" / "SRR1.sig.json").write_bytes(about)
    found = store.head("sigs/SRR1.sig")
    assert found is not None and found.etag == etag and set(found.metadata) == {"sha256"}


def test_links_and_pipes_are_not_followed(store: DirectoryStore, root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "SRR1.sig").write_bytes(b"secret")
    (root / "sigs").symlink_to(secret)
    (root / "prov").mkdir()
    (root / "prov" / "a").symlink_to(secret / "SRR1.sig")
    os.mkfifo(root / "prov" / "b")
    for call in (
        lambda: store.head("sigs/SRR1.sig"),
        lambda: store.put("sigs/SRR2.sig", b"x", TEXT),
        lambda: store.head("prov/a"),
        lambda: store.head("prov/b"),
    ):
        with pytest.raises(StoreError) as caught:
            call()
        assert caught.value.reason is Reason.STORAGE_DENIED
    assert sorted(path.name for path in secret.iterdir()) == ["SRR1.sig"]
    assert list(store.list("prov/")) == []


def test_keys_that_are_no_paths_are_refused(store: DirectoryStore) -> None:
    for key in ("../x", "a/../x", ".wort/about/x", "a//b", "a/", "a\0b"):
        with pytest.raises(StoreError):
            store.put(key, b"x", TEXT)


def test_missing_directory_is_not_created(tmp_path: Path) -> None:
    store = DirectoryStore(S3Target(f"file://{tmp_path / 'not-mounted'}"))
    with pytest.raises(StoreError, match="does not exist") as caught:
        store.put("sigs/SRR1.sig", b"x", TEXT)
    assert caught.value.reason is Reason.STORAGE_DENIED
    assert list(tmp_path.iterdir()) == []


def test_object_is_created_once_without_hard_links(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr("wort_cli.stores.directory_tree.os.link", refuse)
    store.put("a", b"one", TEXT)
    with pytest.raises(PreconditionFailed):
        store.put("a", b"two", TEXT)
    assert content_of(store, "a") == b"one"
    assert not store.has_hard_links()


def test_link_whose_answer_was_lost_is_a_success(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def lose_the_answer(*arguments: str, **options: int) -> None:
        link(*arguments, **options)  # type: ignore[arg-type]
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    monkeypatch.setattr("wort_cli.stores.directory_tree.os.link", lose_the_answer)
    store.put("a", b"one", TEXT)
    assert content_of(store, "a") == b"one"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, Reason.STORAGE_DOWN),
        (errno.EDQUOT, Reason.STORAGE_DOWN),
        (errno.ESTALE, Reason.STORAGE_DOWN),
        (errno.EROFS, Reason.STORAGE_DENIED),
        (errno.EACCES, Reason.STORAGE_DENIED),
    ],
)
def test_error_of_the_disk_has_a_reason(
    code: int, reason: Reason, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("wort_cli.stores.directory.os.fsync", fail)
    with pytest.raises(StoreError) as caught:
        store.put("a", b"one", TEXT)
    assert caught.value.reason is reason
    monkeypatch.undo()
    assert store.head("a") is None
    assert list(store.unfinished_uploads("")) == []


def test_large_object_is_not_read(store: DirectoryStore) -> None:
    store.put("a", b"0123456789", TEXT)
    with pytest.raises(ObjectTooLarge):
        store.read("a", io.BytesIO(), 9)
    assert store.read_range("a", 2, 3) == b"234"


@pytest.mark.parametrize(
    "value", ["file:///", "file://x/y", "file:///a/../b", "file:////a", "file:///a//b", "file:///a\n"]
)
def test_url_of_a_directory_is_an_absolute_path(value: str) -> None:
    with pytest.raises(ValueError, match="absolute path"):
        bucket_or_directory(value)


def test_target_of_a_directory_survives_the_queue() -> None:
    target = S3Target(bucket_or_directory("file:///shared/wort/")).of_profile("fine")
    assert S3Target.from_json(target.to_json()) == target
    assert target.url("sigs/SRR1.sig") == "file:///shared/wort/profiles/fine/sigs/SRR1.sig"


def test_doctor_checks_the_directory(home: Home, root: Path) -> None:
    findings = {f.what: f for f in check_bucket(load_settings({**home.env, "WORT_S3_BUCKET": f"file://{root}"}))}
    assert {name: finding.state for name, finding in findings.items()} == {
        "bucket": "ok",
        "clock": "ok",
        "conditional put": "ok",
    }
    (problem,) = check_bucket(load_settings({**home.env, "WORT_S3_BUCKET": f"file://{root}/missing"}))
    assert problem.state == "problem" and "does not exist" in problem.detail
