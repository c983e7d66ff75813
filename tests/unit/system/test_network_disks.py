"""Only paths on network file systems are looked at by a child process, and at most one child waits for each mount."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import eventually, is_process_running
from wort_cli.errors import NoAnswer
from wort_cli.system import network_disks
from wort_cli.system.network_disks import Look, Mount, answers, check_answers, network_mount, network_mounts

FILES = Path(network_disks.__file__).parents[1]


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_disks, "_limit", [0.3])
    monkeypatch.setattr(network_disks, "_silent_at", {})


@pytest.fixture
def mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is a network file system, as far as the table of mounts says."""
    point = tmp_path / "a b\u00e9"
    point.mkdir()
    table = tmp_path / "mountinfo"
    escaped = "".join(f"\\{byte:03o}" if byte in b" \t\n\\" else chr(byte) for byte in os.fsencode(point))
    table.write_bytes(
        b"22 1 253:0 / / rw,relatime shared:1 - nfs4 server:/ rw\n"
        b"23 22 0:5 / /dev rw - devtmpfs devtmpfs rw\n"
        + f"40 22 0:44 / {escaped} rw master:3 - fuse.sshfs host: rw\n".encode("latin-1")
    )
    monkeypatch.setattr(network_disks, "MOUNTS", table)
    return point


def files_of_ours(child: int) -> list[str]:
    """Return which files a child has open, besides those that are its own."""
    files = []
    for entry in Path(f"/proc/{child}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            files.append(str(entry.readlink()))
    return [name for name in files if not re.match(r"/dev/null|/dev/shm/wort-|/var/tmp/wort-", name)]


def hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the child processes wait, as on a silent file system."""
    beginning = network_disks.TOUCH.partition("for path")[0]
    monkeypatch.setattr(network_disks, "TOUCH", f"{beginning}import time; time.sleep(600)")


def test_mounts_are_recognised_by_type_and_the_root_counts_as_local(mount: Path) -> None:
    assert network_mounts() == {str(mount): "fuse.sshfs"}


def test_path_that_leads_through_a_link_is_on_the_disk_that_the_link_leads_to(mount: Path, tmp_path: Path) -> None:
    found = Mount(str(mount), "fuse.sshfs")
    (tmp_path / "link").symlink_to(mount)
    (tmp_path / "relative").symlink_to("./link/../link/deeper")
    (tmp_path / "loop").symlink_to("loop")
    for path in (mount, mount / "x" / "y.sra", tmp_path / "link" / "x", tmp_path / "relative", mount / ".." / "x"):
        assert network_mount(path) == found
    for path in (tmp_path, tmp_path / "missing" / "x", tmp_path / "loop", Path("/"), tmp_path / "x" / ".."):
        assert network_mount(path) is None


def test_local_path_starts_no_process(mount: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_disks, "start_child", lambda *_: 1 / 0)
    check_answers([tmp_path, tmp_path / "missing"])
    assert answers(tmp_path)


def test_missing_or_forbidden_path_is_an_answer(mount: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_disks, "_limit", [60.0])
    (mount / "file").write_bytes(b"x")
    os.mkfifo(mount / "pipe")
    check_answers([mount, mount / "file", mount / "missing", mount / "pipe"])
    assert answers(mount)


def test_silent_mount_has_one_waiting_child_that_has_none_of_our_files(
    mount: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging(monkeypatch)
    before = set(network_disks._left_behind)
    with pytest.raises(NoAnswer, match=r"does not answer within 0\.3 s"):
        check_answers([mount / "SRR000001.sra"])
    (child,) = network_disks._left_behind - before
    try:
        assert eventually(lambda: not files_of_ours(child)), "it closes them when it starts"
        with pytest.raises(NoAnswer):
            check_answers([mount])
        assert not answers(mount), "it is remembered"
        assert network_disks._left_behind - before == {child}
    finally:
        os.kill(child, 9)
    monkeypatch.setattr(network_disks, "_silent_at", {})
    assert not answers(mount), "the program still hangs"
    for left in network_disks._left_behind - before:
        os.kill(left, 9)
    monkeypatch.undo()
    network_disks.reap()
    assert not is_process_running(child)


def test_look_does_not_wait(mount: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = tmp_path / "answer"
    waits = f"import os, time\nwhile not os.path.exists({str(answer)!r}):\n    time.sleep(0.01)\n"
    monkeypatch.setattr(network_disks, "TOUCH", waits)
    monkeypatch.setattr(network_disks, "_limit", [600.0])
    look = Look(Mount(str(mount), "nfs"), [mount])
    assert not look.has_answer()
    assert not look.is_late
    monkeypatch.setattr(network_disks, "_limit", [0.01])
    assert eventually(lambda: look.is_late)
    assert not look.has_answer()
    answer.touch()
    assert eventually(look.has_answer)
    look.close()


@pytest.mark.parametrize(("program", "expected"), [("while True: pass", True), ("import time; time.sleep(600)", False)])
def test_busy_machine_is_not_taken_for_a_silent_disk(
    program: str, expected: bool, mount: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that could continue if a processor was free has some more time; one that waits for a disk has none."""
    child = network_disks.start_child([mount], Mount(str(mount), "nfs"), program)
    assert child is not None
    try:
        assert eventually(lambda: child.waits_for_processor() is expected)
    finally:
        os.kill(child.pid, 9)
        os.close(child.descriptor)
    monkeypatch.setattr(network_disks, "_limit", [1e-6])
    monkeypatch.setattr(network_disks, "BUSY", 1e12)
    monkeypatch.setattr(network_disks.Child, "waits_for_processor", lambda _: expected)
    look = Look(Mount(str(mount), "nfs"), [mount])
    assert eventually(look.has_answer)
    assert look.is_late is not expected
    look.close()


def test_reader_of_the_output_does_not_wait_for_the_child(mount: Path, tmp_path: Path) -> None:
    """In `x=$(wort ...)`, the shell waits until no process has the pipe open."""
    program = f"""
from pathlib import Path
from wort_cli.system import network_disks
network_disks.MOUNTS = Path({str(tmp_path / "mountinfo")!r})
network_disks.TOUCH = "import time; time.sleep(600)"
network_disks.wait_for_answers(0.2)
print(network_disks.answers(Path({str(mount)!r})), *network_disks._left_behind)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    word, child = done.stdout.split()
    os.kill(int(child), 9)
    assert word == "False"


def test_nothing_reads_files_of_proc_that_hang_with_their_process() -> None:
    """/proc/PID/cmdline, environ and maps wait for the memory of a process that waits for a silent disk."""
    for file in sorted(FILES.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        for name in ("cmdline", "environ", "maps", "smaps", "numa_maps"):
            assert not re.search(rf"/proc/[^\n]*/{name}\b|/ ?[\"']{name}[\"']", text), f"{file}: {name}"
