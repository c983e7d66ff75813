"""A file system (FUSE) that serves a directory read-only until a test makes it hang, in a mount namespace of its own.

It needs root, or a user who may create a user namespace.  The program at the end speaks the kernel's FUSE protocol
(linux/fuse.h) itself.  A request that it does not answer blocks its process in the kernel, where no signal ends it.
"""

import ctypes
import errno
import os
import select
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAJOR, MINOR = 7, 31
LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE = 1, 2, 3, 14, 15, 17, 18
FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = 25, 26, 27, 28, 29, 36, 42
NO_REPLY = (FORGET, BATCH_FORGET, INTERRUPT)
HEADER = struct.Struct("<IIQQIIIHH")
CONSTANT = {
    **dict.fromkeys((OPEN, OPENDIR), struct.pack("<QII", 0, 0, 0)),
    **dict.fromkeys((RELEASE, FLUSH, RELEASEDIR, READDIR), b""),
    STATFS: struct.pack("<QQQQQIIII24x", 1000, 1000, 1000, 1000, 1000, 4096, 255, 4096, 0),
}
BUFFER = 1 << 20


class HungDisk:
    """The mounted file system; `before` are the words before a command that runs where it is mounted."""

    def __init__(self, mount: Path, control: Path, server: "subprocess.Popen[bytes]", root: Path) -> None:
        self.mount = mount
        self._control = control
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        self.before = ("nsenter", "--target", str(server.pid), *user, "--mount", "env", "-C", str(root))

    def hang(self) -> None:
        """Let no request be answered from now on."""
        self._control.write_text("all")

    def hang_after(self, offset: int) -> None:
        """Let no request be answered that reads from this offset on."""
        self._control.write_text(str(offset))

    def recover(self) -> None:
        """Answer all requests, also those that arrived in the meantime."""
        self._control.write_text("")


@contextmanager
def hung_disk(directory: Path, root: Path) -> Iterator[HungDisk]:
    """Serve a directory at `root`/hung."""
    mount, control = root / "hung", root / "hung.control"
    mount.mkdir()
    control.write_text("")
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    argv = ("unshare", *user, "--mount", sys.executable, __file__, str(directory), str(mount), str(control))
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"mounted\n"
            yield HungDisk(mount, control, server, root)
        finally:
            server.kill()  # the kernel ends all requests with an error


class Server:
    """Answers requests; each node is a path below the directory."""

    def __init__(self, device: int, directory: Path, control: Path) -> None:
        self.device = device
        self.control = control
        self.nodes = {1: directory}

    def serve(self) -> None:
        """Answer until the process is killed."""
        waiting: list[bytes] = []
        while True:
            if select.select([self.device], [], [], 0.05)[0]:
                waiting.append(os.read(self.device, BUFFER))
            waiting = [request for request in waiting if not self.answer(request)]

    def answer(self, request: bytes) -> bool:
        """Answer a request; return False if it is to hang."""
        _, opcode, unique, node, *_ = HEADER.unpack_from(request)
        body = request[HEADER.size :]
        hung = self.control.read_text()
        if opcode in NO_REPLY:
            return True
        if hung and opcode != INIT:
            offset, size = struct.unpack_from("<QI", body, 8) if opcode == READ else (0, 0)
            if hung == "all" or offset + size > int(hung):
                return False
        try:
            data, error = self.reply(opcode, node, body), 0
        except OSError as failed:
            data, error = b"", -(failed.errno or errno.EIO)
        os.write(self.device, struct.pack("<IiQ", 16 + len(data), error, unique) + data)
        return True

    def reply(self, opcode: int, node: int, body: bytes) -> bytes:
        """Return the data of an answer; raise OSError for an error."""
        if opcode == INIT:
            return struct.pack("<IIIIHHIIHHI28x", MAJOR, MINOR, 1 << 17, 0, 12, 9, 1 << 17, 1, 32, 0, 0)
        path = self.nodes[node]
        if opcode == LOOKUP:
            child = path / body.rstrip(b"\0").decode()
            found = attributes(child)
            number = next((key for key, known in self.nodes.items() if known == child), len(self.nodes) + 1)
            self.nodes[number] = child
            return struct.pack("<QQQQII", number, 0, 0, 0, 0, 0) + found
        if opcode == GETATTR:
            return struct.pack("<QII", 0, 0, 0) + attributes(path)
        if opcode == READ:
            offset, size = struct.unpack_from("<QI", body, 8)
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(size)
        if opcode not in CONSTANT:
            raise OSError(errno.ENOSYS, "not served")
        return CONSTANT[opcode]


def attributes(path: Path) -> bytes:
    """Return the attributes of a file, as in `struct fuse_attr`."""
    found = path.stat()
    kind = stat.S_IFDIR | 0o755 if stat.S_ISDIR(found.st_mode) else stat.S_IFREG | 0o644
    times = (int(found.st_mtime),) * 3
    numbers = (0, 0, 0, kind, 1, os.getuid(), os.getgid(), 0, 4096, 0)
    return struct.pack("<6Q10I", found.st_ino, found.st_size, found.st_blocks, *times, *numbers)


def main(directory: str, mount: str, control: str) -> None:
    """Mount the file system and serve it."""
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
    if libc.mount(b"test", os.fsencode(mount), b"fuse", 0, options.encode()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), mount)
    os.write(1, b"mounted\n")
    Server(device, Path(directory), Path(control)).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
