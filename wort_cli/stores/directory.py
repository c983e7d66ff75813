"""An ObjectStore in a directory that several machines share, such as one on NFS: a bucket without a server.

    sigs/SRR139146.sig                  each object is a file under its key, with the bytes that a bucket would have
    .wort/about/sigs/SRR139146.sig.json its checksums and metadata
    .wort/partial/                      files that are being written; those of killed writers are removed after a day
    .wort/locks/                        locks, by the hash of a key

A file is written under another name, synced, and then gets its key by link(2), which fails if the key exists, also on
NFS and where locks are not shared by all machines.  On a file system without hard links it is renamed under the lock.
An object is replaced under the lock of its key, by a rename: two writers who expect the same object do not both
replace it.  That needs a file system whose locks (flock) hold on all machines, which is the default of NFS.

What .wort/about/ says is used only for the file that it was written for: its inode, size and time of change.  For any
other file the checksums are computed, and it has no metadata.  Nothing that the directory has is believed more than
what a bucket has, so that other users may own or write what is in it.
"""

import contextlib
import hashlib
import io
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wort_cli.errors import UsageError, WortError, shown
from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.reading.documents import parse_json
from wort_cli.stores.directory_tree import (
    NO_HARD_LINKS,
    DirectoryTree,
    give_name,
    open_regular,
    open_shared,
    remove_abandoned,
)
from wort_cli.stores.file_metadata import About, about_document, parsed_about
from wort_cli.stores.object_store import Headers, ObjectTooLarge, PreconditionFailed, StoredObject, StoreError
from wort_cli.stores.s3_answers import check_etag
from wort_cli.system.file_locks import lock_file
from wort_cli.system.private_files import users_umask

BLOCK = 1 << 20
OWN = ".wort"
"""The directory of what is no object; no key begins with a dot."""
ABOUT, PARTIALS, LOCKS = (OWN, "about"), (OWN, "partial"), (OWN, "locks")
MOST_ABOUT = 1 << 16
"""Bytes that are read of a file in .wort/about/."""


class DirectoryStore:
    """The objects below the prefix of a shared directory.  Several threads may use it at once."""

    def __init__(self, target: S3Target) -> None:
        if target.directory is None:
            raise ValueError(f"{target.root} is not a directory")
        self.target = target
        self._tree = DirectoryTree(target.directory)

    def head(self, key: str) -> StoredObject | None:
        """See ObjectStore."""
        with self._opened(key) as found:
            return None if found is None else self._described(key, *found)

    def read(self, key: str, file: IO[bytes], most: int) -> StoredObject | None:
        """See ObjectStore."""
        with self._opened(key) as found:
            if found is None:
                return None
            described = self._described(key, *found)
            if described.size > most:
                raise ObjectTooLarge(described)
            size = sum(map(file.write, blocks(found[0])))
        if size != described.size:
            raise StoreError(Reason.STORAGE_DOWN, f"{self.target.url(key)} was changed while it was read")
        return described

    def read_range(self, key: str, start: int, size: int) -> bytes:
        """See ObjectStore."""
        with self._opened(key) as found:
            content = b"" if found is None else os.pread(found[0], size, start)
        if len(content) != size:
            raise StoreError(Reason.STORAGE_DOWN, f"{self.target.url(key)} has no {size} bytes at {start}")
        return content

    def put(self, key: str, content: Path | bytes, headers: Headers, *, replacing: str = "") -> str:
        """See ObjectStore."""
        check_etag(replacing, self.target.url(key))
        with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
            return self._write(key, iter(lambda: file.read(BLOCK), b""), headers, replacing=replacing)

    def copy(self, source: StoredObject, key: str) -> None:
        """See ObjectStore."""
        check_etag(source.etag, self.target.url(source.key))
        with self._opened(source.key) as found:
            if found is None or (there := self._described(source.key, *found)).etag != source.etag:
                raise PreconditionFailed
            self._write(key, blocks(found[0]), Headers("", metadata=there.metadata, md5=there.etag), replacing=None)

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        parents, name = self._split(key)
        with self._tree.translate_errors(key), self._locked(key):
            for place, file in ((parents, name), ((*ABOUT, *parents), f"{name}.json")):
                with contextlib.suppress(FileNotFoundError), self._tree.directory(place) as directory:
                    os.unlink(file, dir_fd=directory)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """See ObjectStore.  The names of one directory at a time are in memory.

        A file that .wort/about/ says nothing of has its state in place of an ETag.
        """
        below, _, start = (self.target.prefix + prefix).rpartition("/")
        yield from self._listed([part for part in below.split("/") if part], start)

    def unfinished_uploads(self, prefix: str) -> Iterator[str]:
        """See ObjectStore.  Yields the keys of files that are being written, or were when their writer was killed."""
        names: list[str] = []
        with (
            self._tree.translate_errors(prefix),
            contextlib.suppress(FileNotFoundError),
            self._tree.directory(PARTIALS) as directory,
            os.scandir(directory) as entries,
        ):
            names = sorted(entry.name for entry in entries)
        for name in names:
            key = name.rpartition(".")[0].replace("%", "/")
            if key.startswith(self.target.prefix + prefix):
                yield key.removeprefix(self.target.prefix)

    def credentials_expire_at(self) -> float | None:
        """See ObjectStore."""
        return None

    def presigned_url(self, key: str, seconds: int, filename: str) -> str:
        """Raise UsageError: a file has no presigned URL."""
        raise UsageError(
            f"{self.target.root} is a directory, which has no presigned URLs",
            "`wort serve` gives signatures to programs on other machines; or copy the file",
        )

    # ---- for `wort doctor`

    def server_time(self) -> float:
        """Return the file server's time, in seconds since 1970: that of a new file."""
        with self._partial("doctor") as (_, file):
            return os.fstat(file.fileno()).st_mtime

    def has_hard_links(self) -> bool:
        """Return whether the file system can give a file a second name."""
        with self._partial("doctor") as (name, _), self._tree.directory(PARTIALS) as directory:
            other = f"{name}-link"
            try:
                os.link(name, other, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
            except OSError as error:
                if error.errno in NO_HARD_LINKS:
                    return False
                raise
            os.unlink(other, dir_fd=directory)
            return True

    # ---- reading

    @contextmanager
    def _opened(self, key: str) -> Iterator[tuple[int, os.stat_result] | None]:
        """Yield the descriptor of an object's file, and its status; None if it does not exist."""
        parents, name = self._split(key)
        with self._tree.translate_errors(key):
            try:
                with self._tree.directory(parents) as directory:
                    descriptor, found = open_regular(name, directory)
            except FileNotFoundError:
                yield None
                return
            try:
                yield descriptor, found
            finally:
                os.close(descriptor)

    def _described(self, key: str, descriptor: int, found: os.stat_result) -> StoredObject:
        """Return the description of an object; its checksums are computed if they are not known."""
        about = self._about(key, found)
        if about is None:
            sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
            for block in blocks(descriptor):
                sha256.update(block)
                md5.update(block)
            about = About(md5.hexdigest(), {"sha256": sha256.hexdigest()})
            os.lseek(descriptor, 0, os.SEEK_SET)
        return StoredObject(key, found.st_size, about.md5, about.metadata)

    def _about(self, key: str, found: os.stat_result) -> About | None:
        """Return what .wort/about/ says of a file; None if nothing, or if it says that of another file."""
        parents, name = self._split(key)
        try:
            with self._tree.directory((*ABOUT, *parents)) as directory:
                descriptor, _ = open_regular(f"{name}.json", directory)
                with os.fdopen(descriptor, "rb") as file:
                    document = parse_json(file.read(MOST_ABOUT + 1)[:MOST_ABOUT])
        except (OSError, ValueError, WortError):
            return None
        return parsed_about(document, found)

    def _listed(self, parents: Sequence[str], start: str = "") -> Iterator[StoredObject]:
        """Yield the objects below a directory whose names there begin with `start`, in the order of their keys."""
        where = "/".join(parents)
        names: list[bytes] = []
        with (
            self._tree.translate_errors(where),
            contextlib.suppress(FileNotFoundError),
            self._tree.directory(parents) as directory,
            os.scandir(directory) as entries,
        ):
            # A key sorts by its bytes, in which a directory's name continues with a slash.
            names = sorted(
                os.fsencode(entry.name) + b"/" * entry.is_dir(follow_symlinks=False)
                for entry in entries
                if entry.name.startswith(start) and not entry.name.startswith(".")
            )
        for name in map(os.fsdecode, names):
            if name.endswith("/"):
                yield from self._listed([*parents, name[:-1]])
            elif (found := self._listed_file(where, parents, name)) is not None:
                yield found

    def _listed_file(self, where: str, parents: Sequence[str], name: str) -> StoredObject | None:
        """Return the description of a file in a listing; None if it is gone, or no regular file."""
        full = "/".join((*parents, name))
        with self._tree.translate_errors(where):
            try:
                with self._tree.directory(parents) as directory:
                    found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            except FileNotFoundError:
                return None
        if not stat.S_ISREG(found.st_mode) or not full.isprintable():
            return None
        key = full.removeprefix(self.target.prefix)
        about = self._about(key, found)
        etag = about.md5 if about else f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"
        return StoredObject(key, found.st_size, etag, {})

    # ---- writing

    def _write(self, key: str, content: Iterator[bytes], headers: Headers, *, replacing: str | None) -> str:
        """Write an object and return its ETag.

        replacing: the ETag of the object that it replaces; empty for none; None for any
        """
        parents, name = self._split(key)
        with self._tree.translate_errors(key), self._partial(key) as (partial, file):
            sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
            for block in content:
                sha256.update(block)
                md5.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
            if headers.md5 not in ("", md5.hexdigest()):
                raise StoreError(Reason.STORAGE_DOWN, f"{self.target.url(key)}: the content has another md5")
            metadata = {"sha256": sha256.hexdigest(), **(headers.metadata or {})}
            about = about_document(md5.hexdigest(), metadata, os.fstat(file.fileno()))
            with (
                self._locked(key),
                self._tree.directory(parents, create=True) as directory,
                self._tree.directory(PARTIALS) as partials,
            ):
                if replacing is not None:
                    there = self.head(key)
                    if (there.etag if there else "") != replacing:
                        raise PreconditionFailed
                self._put_about((*parents, name), about)
                if replacing == "":
                    give_name(partial, partials, name, directory)
                else:
                    os.rename(partial, name, src_dir_fd=partials, dst_dir_fd=directory)
                os.fsync(directory)
        return md5.hexdigest()

    def _put_about(self, parts: tuple[str, ...], document: bytes) -> None:
        """Write what is known of a file, before it has its name."""
        parents, name = parts[:-1], parts[-1]
        with (
            self._partial("about") as (partial, file),
            self._tree.directory((*ABOUT, *parents), create=True) as directory,
            self._tree.directory(PARTIALS) as partials,
        ):
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
            os.rename(partial, f"{name}.json", src_dir_fd=partials, dst_dir_fd=directory)

    @contextmanager
    def _partial(self, key: str) -> Iterator[tuple[str, IO[bytes]]]:
        """Yield the name of a new, empty file in .wort/partial/, and the file; it is removed if it was not renamed."""
        name = f"{(self.target.prefix + key).replace('/', '%')}.{secrets.token_hex(8)}"
        with self._tree.translate_errors(key), self._tree.directory(PARTIALS, create=True) as directory:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(name, flags, 0o600, dir_fd=directory), "w+b") as file:
                try:
                    os.fchmod(file.fileno(), 0o666 & ~users_umask())
                    remove_abandoned(directory, os.fstat(file.fileno()).st_mtime)
                    yield name, file
                finally:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(name, dir_fd=directory)

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """Hold the lock of a key; some keys share one, so that there are no more than 256."""
        name = hashlib.sha256((self.target.prefix + key).encode()).hexdigest()[:2]
        with (
            self._tree.directory(LOCKS, create=True) as directory,
            os.fdopen(open_shared(name, directory), "r+b") as file,
        ):
            lock_file(file)
            yield

    def _split(self, key: str) -> tuple[tuple[str, ...], str]:
        """Return the directories of a key's file, and its name there.  Raises StoreError for a key without one."""
        *_, name = parts = self._parts(key)
        return parts[:-1], name

    def _parts(self, key: str) -> tuple[str, ...]:
        """Return the parts of a key's path.  Raises StoreError for a key that cannot be one."""
        parts = tuple((self.target.prefix + key).split("/"))
        if not all(parts) or any(part.startswith(".") for part in parts) or "\0" in key:
            raise StoreError(Reason.STORAGE_DENIED, f"{shown(key, 300)} cannot be the name of a file", lasting=True)
        return parts


def blocks(descriptor: int) -> Iterator[bytes]:
    """Yield the content of an open file, from where it is."""
    while block := os.read(descriptor, BLOCK):
        yield block
