"""Disks that are full or mounted read-only: the job waits, and no partial file is left."""

import pytest

from tests.support.homes import WORT, Home
from tests.support.namespaces import FILL, in_namespace
from tests.support.shelf import Shelf, copy_archive, gunzipped

IN_WORK = 'find "$home/work" -mindepth 1 ! -name reservations.json'
LEFT = f'{{ find "$home" -name "*.partial"; {IN_WORK}; }} | sed "s/^/left: /" >&2\n'
SIGNATURES = 'find "$home/signatures" -name "*.sig" | sed "s/^/signature: /" >&2\n'


def test_ledger_on_a_full_disk(home: Home, shelf: Shelf) -> None:
    """Nothing can be enqueued; once space is free, the same command succeeds."""
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    script = f"""{FILL}
mount -t tmpfs -o mode=700,size=1m tmpfs "$home"
fill "$home"
code=0; "$@" || code=$?
echo "first: $code" >&2
{LEFT}
rm "$home/fill"
exec "$@"
"""
    done = in_namespace(home, script, "compute", "x.sra", "--now", "-o", "out.sig").expect(0, "first: 75")
    assert "cannot be" in done.err
    assert "wort doctor" in done.err or "set WORT_HOME" in done.err
    assert "left:" not in done.err
    assert (home.cwd / "out.sig").exists()


@pytest.mark.parametrize("free", [4, 80, 120, 160])
def test_disk_that_fills_up_during_the_job(free: int, home: Home, shelf: Shelf) -> None:
    """With `free` kB left, the job succeeds or exits with 75; a wrong or partial file never exists."""
    home.env["WORT_DISK_RESERVE"] = "1"  # otherwise the run would not start
    for name in ("one", "x"):
        copy_archive(shelf.archive(), home.cwd / f"{name}.sra")
    script = f"""
mount -t tmpfs -o mode=700,size=2m tmpfs "$home"
{WORT} compute one.sra --now > /dev/null 2>&1
{WORT} status > /dev/null
head -c {free}k /dev/zero > "$home/room"
cat /dev/zero > "$home/fill" 2>/dev/null || true
rm "$home/room"
code=0; "$@" || code=$?
echo "first: $code" >&2
{LEFT}
cp "{home.signature_file("x")}" first.sig 2>/dev/null || true
rm "$home/fill"
exec "$@"
"""
    done = in_namespace(home, script, "compute", "x.sra", "--now", "-o", "out.sig").expect(0)
    print(f"{free} kB free:", done.err)
    assert "first: 75\n" in done.err or "first: 0\n" in done.err, str(done)
    assert "left:" not in done.err
    if "first: 75\n" in done.err:
        assert any(words in done.err for words in ("the disk is full", "is the disk full?")), str(done)
    # The disk may also be full when a stored signature is recorded in the ledger.
    for file in home.cwd.glob("*.sig"):
        assert gunzipped(file) == shelf.reference(shelf.archive(), "x")
    assert (home.cwd / "out.sig").exists()


@pytest.mark.parametrize("full", ["signatures", "work", "logs"])
def test_one_directory_is_on_a_full_disk(full: str, home: Home, shelf: Shelf) -> None:
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    script = f"""{FILL}
mkdir -p "$home/{full}"
mount -t tmpfs -o mode=700,size=1m tmpfs "$home/{full}"
fill "$home/{full}"
code=0; "$@" || code=$?
{LEFT.replace(IN_WORK, f"{IN_WORK} ! -name fill")}
{SIGNATURES}
exit "$code"
"""
    done = in_namespace(home, script, "compute", "x.sra", "--now")
    done.expect(75, "waiting until", "disk-low", "the disk is full", "free some space")
    assert "left:" not in done.err
    assert "signature:" not in done.err
    assert (home.job("x").state, home.job("x").reason) == ("waiting", "disk-low")
    home("compute", "x.sra", "--now").expect(0)


READ_ONLY = 'mount -t tmpfs -o mode=700,size=1m tmpfs "{0}"\nmount -o remount,ro "{0}"\n'


def test_read_only_home(home: Home, shelf: Shelf) -> None:
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    done = in_namespace(home, READ_ONLY.format("$home") + 'exec "$@"', "compute", "x.sra", "--now")
    done.expect(75, "cannot create", "set WORT_HOME")
    assert len(done.err.splitlines()) == 2


def test_read_only_ledger(home: Home, shelf: Shelf) -> None:
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    home("status").expect(0)
    script = 'mount --bind "$home" "$home"\nmount -o remount,ro,bind "$home"\nexec "$@"'
    done = in_namespace(home, script, "compute", "x.sra", "--now")
    done.expect(75, str(home.path), "set WORT_HOME")
    assert not home.jobs()


@pytest.mark.parametrize("closed", ["signatures", "work"])
def test_one_directory_is_read_only(closed: str, home: Home, shelf: Shelf) -> None:
    """The kernel remounts a failing disk read-only."""
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    script = f'mkdir -p "$home/{closed}"\n{READ_ONLY.format(f"$home/{closed}")}exec "$@"'
    done = in_namespace(home, script, "compute", "x.sra", "--now")
    done.expect(75, "disk-error", "cannot be read or written", "check the disk and its mount")
    assert (home.job("x").state, home.job("x").reason) == ("waiting", "disk-error")


def test_output_that_cannot_be_written(home: Home, shelf: Shelf) -> None:
    """Reported before computing if it can be checked then; otherwise the signature stays in the store."""
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    (home.cwd / "closed").mkdir()
    script = READ_ONLY.format(home.cwd / "closed") + 'exec "$@"'
    in_namespace(home, script, "compute", "x.sra", "--now", "-o", "closed/x.sig").expect(2, "can't be written")
    assert not home.jobs()
    script = f'{FILL}mount -t tmpfs -o mode=700,size=1m tmpfs "{home.cwd}/closed"\nfill "{home.cwd}/closed"\nexec "$@"'
    in_namespace(home, script, "compute", "x.sra", "--now", "-o", "closed/x.sig").expect(75, "wort view x -o FILE")
    assert home.signature("x") == shelf.reference(shelf.archive(), "x")


READERS = ("status", "status --json", "status --all", "view x", "logs x", "config show", "wait x", "daemon status")


@pytest.mark.parametrize("disk", ["full", "read-only"])
def test_reading_commands_work_on_a_full_or_read_only_disk(disk: str, home: Home, shelf: Shelf) -> None:
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    close = 'fill "$home"' if disk == "full" else 'mount -o remount,ro "$home"'
    script = f"""{FILL}
mount -t tmpfs -o mode=700,size=2m tmpfs "$home"
{WORT} compute x.sra --now >&2
{close}
for words in {" ".join(repr(words) for words in READERS)}; do
    {WORT} $words > "out.$words" 2>> /dev/stderr || echo "$words: $?" >&2
done
"""
    done = in_namespace(home, script)
    assert [line for line in done.err.splitlines() if line.rpartition(": ")[2].isdigit()] == ["daemon status: 3"]
    assert "trust\tcomputed" in (home.cwd / "out.view x").read_text()
    assert (home.cwd / "out.status --all").read_text().splitlines()[1].startswith("1\tx\tdone\t")
