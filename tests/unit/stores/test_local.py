"""The local store: a file appears completely or not at all, and equal signatures are equal bytes."""

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.builders import provenance
from wort_cli.model.accession import parse_name
from wort_cli.model.provenance import Provenance
from wort_cli.stores.local import LocalStore
from wort_cli.system.atomic_files import atomic_file, partial_suffix, write_atomically

WRITER = """
import resource, signal, sys
from pathlib import Path
from wort_cli.system.atomic_files import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), b"x" * 100_000)
except OSError as error:
    sys.exit(error.errno)
"""


def files_below(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize(
    ("name", "key", "provenance_key"),
    [
        ("SRR139146", "sigs/SRR139/SRR139146.sig", "sigs/SRR139/SRR139146.prov.json"),
        ("DRR999999999", "sigs/DRR999/DRR999999999.sig", "sigs/DRR999/DRR999999999.prov.json"),
        ("mine", "local/mine.sig", "local/mine.prov.json"),
        ("srr139146", "local/srr139146.sig", "local/srr139146.prov.json"),
        ("a.sig", "local/a.sig.sig", "local/a.sig.prov.json"),
    ],
)
def test_runs_and_local_files_have_separate_paths(tmp_path: Path, name: str, key: str, provenance_key: str) -> None:
    store = LocalStore(tmp_path)
    parsed = parse_name(name)
    assert store.key(parsed) == key
    assert store.path(parsed) == tmp_path / key
    assert store.provenance_path(parsed) == tmp_path / provenance_key


def test_signature_is_stored_with_its_provenance(tmp_path: Path) -> None:
    sealed, store, name = tmp_path / "sealed.sig", LocalStore(tmp_path / "store"), parse_name("SRR139146")
    sealed.write_bytes(b"signature")
    assert not store.has(name)
    path = store.put(sealed, provenance(), name)
    assert store.has(name)
    assert path.read_bytes() == b"signature"
    assert Provenance.from_json(json.loads(store.provenance_path(name).read_bytes())) == provenance()
    assert files_below(store.root) == {"sigs/SRR139/SRR139146.sig", "sigs/SRR139/SRR139146.prov.json"}


def test_equal_signatures_are_equal_bytes(tmp_path: Path) -> None:
    stores = [LocalStore(tmp_path / "a"), LocalStore(tmp_path / "b")]
    (tmp_path / "sealed.sig").write_bytes(b"signature")
    name = parse_name("SRR139146")
    for store in stores:
        store.put(tmp_path / "sealed.sig", provenance(), name)
    assert len({store.path(name).read_bytes() for store in stores}) == 1
    assert len({store.provenance_path(name).read_bytes() for store in stores}) == 1


def test_new_signature_replaces_the_old_one(tmp_path: Path) -> None:
    store, name = LocalStore(tmp_path / "store"), parse_name("mine")
    for content in (b"old", b"new"):
        (tmp_path / "sealed.sig").write_bytes(content)
        store.put(tmp_path / "sealed.sig", provenance("mine"), name)
    assert store.path(name).read_bytes() == b"new"


def test_missing_source_file_stores_no_signature(tmp_path: Path) -> None:
    store, name = LocalStore(tmp_path / "store"), parse_name("mine")
    with pytest.raises(FileNotFoundError):
        store.put(tmp_path / "no.sig", provenance("mine"), name)
    assert not store.has(name)


def test_written_file_has_its_content_and_leaves_no_partial(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    for content in (b"first", b"second", b""):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert files_below(tmp_path) == {"a/b/file"}


def test_new_directories_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_atomically(tmp_path / "private" / "file", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700


def test_partial_of_a_killed_writer_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / f"file{partial_suffix()}").write_bytes(b"half of a longer content")
    write_atomically(tmp_path / "file", b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert files_below(tmp_path) == {"file"}


def test_directory_under_the_final_name_is_an_error_without_leftovers(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "file", b"x")
    assert files_below(tmp_path) == set()


def test_full_disk_preserves_the_old_content_without_leftovers(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    writer = subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False)
    assert writer.returncode == errno.EFBIG
    assert path.read_bytes() == b"old"
    assert files_below(tmp_path) == {"file"}


def test_writers_of_the_same_file_exclude_each_other(tmp_path: Path) -> None:
    """Each writer writes in pieces; the file under the final name is always complete and from one writer."""
    path, failures = tmp_path / "x", []
    write_atomically(path, b"0" * 5000)
    ended = threading.Event()

    def write(letter: bytes) -> None:
        for _ in range(20):
            with atomic_file(path) as file:
                for _ in range(5):
                    file.write(letter * 1000)
                    file.flush()

    def read() -> None:
        while not ended.is_set():
            data = path.read_bytes()
            if len(data) != 5000 or len(set(data)) != 1:
                failures.append(data[:10])

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b", b"c")]
    reader.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    reader.join()
    assert not failures
    assert [item.name for item in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(("mode", "file_mode"), [(0o700, 0o600), (0o750, 0o640), (0o755, 0o644), (0o770, 0o640)])
@pytest.mark.parametrize("umask", [0o002, 0o077])
def test_files_have_the_permissions_of_the_store(tmp_path: Path, mode: int, file_mode: int, umask: int) -> None:
    root, sealed = tmp_path / "store", tmp_path / "sealed"
    root.mkdir()
    root.chmod(mode)
    sealed.write_bytes(b"signature")
    before = os.umask(umask)
    try:
        LocalStore(root).put(sealed, provenance("SRR139146"), parse_name("SRR139146"))
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*") if path.is_file()}
    assert modes == {file_mode}
    assert {stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*") if path.is_dir()} == {mode & 0o755}


def test_files_belong_to_the_group_to_which_the_store_was_given(tmp_path: Path) -> None:
    """A directory made in a set-group-ID directory is one, too; a system call that sets its mode would undo that."""
    root, sealed = tmp_path / "store", tmp_path / "sealed"
    root.mkdir()
    root.chmod(0o2750)
    sealed.write_bytes(b"signature")
    LocalStore(root).put(sealed, provenance("SRR139146"), parse_name("SRR139146"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*") if path.is_dir()} == {0o2750}
