"""What can't be computed: each has its state, its reason, a sentence and a hint, an exit code, and leaves nothing."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from tests.support.homes import FASTQ_DUMP, WORT, Done, Home
from tests.support.polling import until
from tests.support.shelf import Shelf, gunzipped, link


@dataclass(frozen=True)
class Bad:
    """A bad archive, and what becomes of it."""

    name: str
    make: Callable[[Shelf, Path], object]
    state: str
    reason: str
    code: int
    sentence: str
    hint: str


def text_file(_: Shelf, path: Path) -> None:
    path.write_text("@read1\nACGT\n+\nIIII\n" * 100)


def empty_file(_: Shelf, path: Path) -> None:
    path.touch()


def magic_only(_: Shelf, path: Path) -> None:
    path.write_bytes(b"NCBI.sra")


def garbage_after_magic(shelf: Shelf, path: Path) -> None:
    head = shelf.archive().read_bytes()[:64]
    path.write_bytes(head + bytes(range(256)) * 200)


def shelved(take: Callable[[Shelf], Path]) -> Callable[[Shelf, Path], object]:
    return lambda shelf, path: link(take(shelf), path)


NO_READS = ("no read of the run passes the read filter", "there is nothing to sketch")
FETCH_ANEW = "fetch the archive again (`prefetch`)"
BAD = (
    Bad("all_filtered", shelved(lambda s: s.archive("all_filtered")), "unavailable", "no-reads", 3, *NO_READS),
    Bad("zero_spots", shelved(lambda s: s.archive("zero_spots")), "unavailable", "no-reads", 3, *NO_READS),
    Bad("flipped", shelved(Shelf.flipped), "failed", "corrupt", 1, "does not match its own checksums", FETCH_ANEW),
    Bad("truncated", shelved(Shelf.truncated), "failed", "incomplete", 1, "reads are missing", FETCH_ANEW),
    Bad("text_file", text_file, "failed", "not-an-archive", 1, "is not an SRA archive", "vdb-validate"),
    Bad("empty_file", empty_file, "failed", "not-an-archive", 1, "is not an SRA archive", "vdb-validate"),
    Bad("magic_only", magic_only, "failed", "incomplete", 1, "reads are missing", FETCH_ANEW),
    Bad("garbage", garbage_after_magic, "failed", "incomplete", 1, "reads are missing", FETCH_ANEW),
)
"""Archives that are bad in themselves."""


def named(bad: Bad) -> str:
    return bad.name


def check(home: Home, name: str, done: Done, bad: Bad) -> None:
    """That it ended as it should, was explained, and left nothing."""
    done.expect(bad.code, name, bad.state, bad.reason, bad.sentence, bad.hint)
    assert done.rows() == [[name, bad.state, "1", bad.reason, ""]]
    job = home.job(name)
    assert (job.state, job.reason) == (bad.state, bad.reason)
    assert job.message
    assert home.events(name)[-1] == (bad.state, bad.reason)
    assert not home.signature_files()
    assert not home.leftovers()
    assert home.select("SELECT count(*) FROM signatures") == [(0,)]
    home("view", name).expect(2, f"is {bad.state}")
    logs = home("logs", name).expect(0).out
    assert bad.reason in logs


@pytest.mark.parametrize("bad", BAD, ids=named)
def test_bad_archive_now(bad: Bad, home: Home, shelf: Shelf) -> None:
    bad.make(shelf, home.cwd / "bad.sra")
    check(home, "bad", home("compute", "bad.sra", "--now", "-o", "out.sig"), bad)
    assert not (home.cwd / "out.sig").exists()
    assert home.job("bad").attempt == 1


def test_bad_archives_by_the_daemon(home: Home, shelf: Shelf) -> None:
    """All of them at once, with a good one in their midst, which is not held up."""
    for number, bad in enumerate(BAD):
        path = home.repository / "sra" / f"SRR00000{number}.sra"
        bad.make(shelf, path)
    home.keep("SRR000009", shelf.archive())
    home("daemon", "start").expect(0)
    runs = [f"SRR00000{number}" for number in range(len(BAD))]
    done = home("compute", *runs, "SRR000009", "--wait").expect(1)
    wanted = {run: (bad.state, bad.reason) for run, bad in zip(runs, BAD, strict=True)}
    assert {row[0]: (row[1], row[3]) for row in done.rows()} == {**wanted, "SRR000009": ("done", "")}
    assert {job.name: (job.state, job.reason) for job in home.jobs()} == {**wanted, "SRR000009": ("done", "")}
    for bad in BAD:
        assert bad.sentence in done.err
        assert bad.hint in done.err
    assert {path.stem for path in home.signature_files() if path.suffix == ".sig"} == {"SRR000009"}
    counts = home("status", "--json").expect(0).json()
    assert counts["jobs"] == {
        **dict.fromkeys(("queued", "running", "waiting", "cancelled"), 0),
        **{"done": 1, "failed": 6, "unavailable": 2},
    }
    assert counts["reasons"]["unavailable no-reads"] == 2
    assert len(home("status", "--reason", "corrupt").expect(0).rows()) == 1
    home("compute", *runs[:2], "--wait").expect(3, "no-reads")
    assert home("compute", runs[0]).expect(3).rows()[0][1] == "unavailable"


def test_mended_archive_succeeds_on_retry(home: Home, shelf: Shelf) -> None:
    path = link(shelf.truncated(), home.repository / "sra" / "SRR000001.sra")
    home("compute", "SRR000001", "--now").expect(1, "incomplete")
    path.unlink()
    home.keep("SRR000001", shelf.archive())
    home("compute", "SRR000001", "--now").expect(0)
    assert home.signature("SRR000001") == shelf.reference(shelf.archive(), "SRR000001")
    assert len(home.jobs()) == 1


# ---- No such run, and networks


NOT_FOUND = Bad(
    *("missing", lambda *_: None, "unavailable", "not-found", 3),
    *("neither NCBI nor this machine has the run", "check the accession"),
)


def test_missing_run_now(home: Home) -> None:
    check(home, "SRR999999", home("compute", "SRR999999", "--now"), NOT_FOUND)


def test_missing_run_by_the_daemon(home: Home) -> None:
    home("daemon", "start").expect(0)
    check(home, "SRR999999", home("compute", "SRR999999", "--wait"), NOT_FOUND)


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server on the loopback that accepts, and never answers."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # closed: the test is over
                    return
                stack.callback(connection.close)

        thread = Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def use_server(home: Home, port: int) -> None:
    resolvers = ("main/SDL.2", "main/CGI", "protected/SDL.2", "protected/CGI")
    home.configure_toolkit(
        *(f'/repository/remote/{kind}/resolver-cgi = "http://127.0.0.1:{port}/x"' for kind in resolvers)
    )


def test_silent_network_now(home: Home) -> None:
    with silent_server() as port:
        use_server(home, port)
        done = home("compute", "SRR999999", "--now", env={"WORT_RESOLVE_TIMEOUT": "2"}, timeout=30)
        home.until_idle()
    done.expect(75, "waiting until", "network", "can't be reached", "within 2 seconds", "check the network")
    assert done.seconds < 15
    job = home.job("SRR999999")
    assert (job.state, job.reason, job.attempt) == ("waiting", "network", 1)
    assert not home.signature_files()


def test_silent_network_by_the_daemon(home: Home, shelf: Shelf) -> None:
    """It does not hold up another run for longer than the time-out, and waits for its next try."""
    home.keep("SRR000001", shelf.archive())
    with silent_server() as port:
        use_server(home, port)
        home("daemon", "start", env={"WORT_RESOLVE_TIMEOUT": "2", "WORT_JOBS": "1"}).expect(0)
        done = home("compute", "SRR999999", "SRR000001", "--wait").expect(75, "network", "check the network")
    assert {row[0]: (row[1], row[3]) for row in done.rows()} == {
        "SRR999999": ("waiting", "network"),
        "SRR000001": ("done", ""),
    }


def test_stopping_while_the_network_is_silent(home: Home) -> None:
    """The toolkit ignores SIGTERM while it waits for an answer; the daemon still ends, and with it the tool."""
    with silent_server() as port:
        use_server(home, port)
        home("daemon", "start").expect(0)
        home("compute", "SRR999999").expect(0)
        until(lambda: [p for p in home.processes() if "srapath" in p.name], "srapath asks the server")
        stopped = home("daemon", "stop").expect(0)
        home.until_idle()
    assert stopped.seconds < 10
    assert home.job("SRR999999").state == "queued"


# ---- Tools


TOOL_MISSING = Bad(
    *("tool", lambda *_: None, "failed", "tool-missing", 1),
    *("a tool of the SRA toolkit is missing", "apt install sra-toolkit"),
)


@pytest.mark.parametrize("missing", ["fastq-dump", "sra-stat", "vdb-validate"])
def test_tool_missing_now(missing: str, home: Home, shelf: Shelf) -> None:
    """Even where the other tools are there."""
    for tool in {"fastq-dump", "sra-stat", "vdb-validate", "srapath"} - {missing}:
        (home.root / "bin" / tool).symlink_to(Path(FASTQ_DUMP).with_name(tool))
    link(shelf.archive(), home.cwd / "x.sra")
    env = {"PATH": str(home.root / "bin")}
    check(home, "x", home("compute", "x.sra", "--now", env=env).expect(1, missing), TOOL_MISSING)


def test_tool_missing_by_the_daemon(home: Home, shelf: Shelf) -> None:
    home.keep("SRR000001", shelf.archive())
    home("daemon", "start", env={"PATH": str(home.root / "bin")}).expect(0)
    check(home, "SRR000001", home("compute", "SRR000001", "--wait"), TOOL_MISSING)
    home("daemon", "restart").expect(0)
    assert home("retry", "--failed").expect(0).out == "1 job queued again\n"
    home("wait", "SRR000001").expect(0)


def test_tool_that_can_not_be_run(home: Home, shelf: Shelf) -> None:
    link(shelf.archive(), home.cwd / "x.sra")
    env = home.with_tool("fastq-dump", "exit 1")
    (home.root / "bin" / "fastq-dump").write_text("#!/no/such/interpreter\n")
    home("compute", "x.sra", "--now", env=env).expect(1, "tool-missing", "can't be run")


def test_crashing_decoder_is_tried_three_times(home: Home, shelf: Shelf) -> None:
    crash = f'case " $* " in *" --fasta "*) kill -SEGV $$;; *) exec {FASTQ_DUMP} "$@";; esac'
    env = home.with_tool("fastq-dump", crash)
    link(shelf.archive(), home.cwd / "x.sra")
    done = home("compute", "x.sra", "--now", env=env).expect(1, "tool-crash", "signal 11", "wort logs")
    assert (home.job("x").attempt, home.job("x").state) == (3, "failed")
    assert [state for state, _ in home.events("x")].count("waiting") == 2
    assert not home.signature_files()
    assert done.rows()[0][3] == "tool-crash"


def test_stalled_decoder_is_ended(home: Home, shelf: Shelf) -> None:
    env = home.with_tool(
        "fastq-dump", f'case " $* " in *" --fasta "*) echo ">1.1"; sleep 1000;; *) exec {FASTQ_DUMP} "$@";; esac'
    )
    link(shelf.archive(), home.cwd / "x.sra")
    done = home("compute", "x.sra", "--now", env={**env, "WORT_STALL_TIMEOUT": "1"})
    done.expect(75, "timeout", "no read for 1 seconds", "slice_timeout")
    home.until_idle()


# ---- Disks


def in_namespace(home: Home, script: str, *arguments: str | Path) -> Done:
    """Run wort as "$@" of a script in a mount namespace of its own."""
    unshare = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")
    whole = f'set -e\nhome={home.path}\nmkdir -p "$home"\n{script}'
    return home(*arguments, before=(*unshare, "bash", "-c", whole, "bash"))


FILL = 'fill() { cat /dev/zero > "$1/fill" 2>/dev/null || true; }\n'
LEFT = 'find "$home" -name "*.partial" -o -path "*/work/*" ! -name reservations.json | sed "s/^/left: /" >&2\n'
SIGNATURES = 'find "$home/signatures" -name "*.sig" | sed "s/^/signature: /" >&2\n'


def test_ledger_on_a_full_disk(home: Home, shelf: Shelf) -> None:
    """Nothing can even be queued; once there is room, all is well."""
    link(shelf.archive(), home.cwd / "x.sra")
    script = f"""{FILL}
mount -t tmpfs -o size=1m tmpfs "$home"
fill "$home"
code=0; "$@" || code=$?
echo "first: $code" >&2
{LEFT}
rm "$home/fill"
exec "$@"
"""
    done = in_namespace(home, script, "compute", "x.sra", "--now", "-o", "out.sig").expect(0, "first: 75")
    assert "can't be" in done.err
    assert "wort doctor" in done.err or "set WORT_HOME" in done.err
    assert "left:" not in done.err
    assert (home.cwd / "out.sig").exists()


@pytest.mark.parametrize("free", [4, 80, 120, 160])
def test_disk_that_fills_up_on_the_way(free: int, home: Home, shelf: Shelf) -> None:
    """With so many kB free beside an existing ledger it ends well, or with 75; never with a wrong or partial file."""
    home.env["WORT_DISK_RESERVE"] = "1"  # else the run would not even begin
    for name in ("one", "x"):
        link(shelf.archive(), home.cwd / f"{name}.sra")
    script = f"""
mount -t tmpfs -o size=2m tmpfs "$home"
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
    # The disk may also be full just when the ledger is to be told of a signature that stands there already.
    for file in home.cwd.glob("*.sig"):
        assert gunzipped(file) == shelf.reference(shelf.archive(), "x")
    assert (home.cwd / "out.sig").exists()


@pytest.mark.parametrize("full", ["signatures", "work", "logs"])
def test_only_one_directory_is_on_a_full_disk(full: str, home: Home, shelf: Shelf) -> None:
    link(shelf.archive(), home.cwd / "x.sra")
    script = f"""{FILL}
mkdir -p "$home/{full}"
mount -t tmpfs -o size=1m tmpfs "$home/{full}"
fill "$home/{full}"
code=0; "$@" || code=$?
{LEFT.replace('-path "*/work/*"', '-path "*/work/*" -not -name fill')}
{SIGNATURES}
exit "$code"
"""
    done = in_namespace(home, script, "compute", "x.sra", "--now")
    done.expect(75, "waiting until", "disk-low", "the disk is full", "free some space")
    assert "left:" not in done.err
    assert "signature:" not in done.err
    assert (home.job("x").state, home.job("x").reason) == ("waiting", "disk-low")
    home("compute", "x.sra", "--now").expect(0)


READ_ONLY = 'mount -t tmpfs -o size=1m tmpfs "{0}"\nmount -o remount,ro "{0}"\n'


def test_home_that_can_not_be_written(home: Home, shelf: Shelf) -> None:
    link(shelf.archive(), home.cwd / "x.sra")
    done = in_namespace(home, READ_ONLY.format("$home") + 'exec "$@"', "compute", "x.sra", "--now")
    done.expect(75, "cannot create", "set WORT_HOME")
    assert len(done.err.splitlines()) == 2


def test_ledger_that_can_not_be_written(home: Home, shelf: Shelf) -> None:
    link(shelf.archive(), home.cwd / "x.sra")
    home("status").expect(0)
    script = 'mount --bind "$home" "$home"\nmount -o remount,ro,bind "$home"\nexec "$@"'
    done = in_namespace(home, script, "compute", "x.sra", "--now")
    done.expect(75, str(home.path), "set WORT_HOME")
    assert not home.jobs()


@pytest.mark.parametrize("closed", ["signatures", "work"])
def test_only_one_directory_can_not_be_written(closed: str, home: Home, shelf: Shelf) -> None:
    """As the kernel mounts a disk that is breaking."""
    link(shelf.archive(), home.cwd / "x.sra")
    script = f'mkdir -p "$home/{closed}"\n{READ_ONLY.format(f"$home/{closed}")}exec "$@"'
    done = in_namespace(home, script, "compute", "x.sra", "--now")
    done.expect(75, "disk-error", "cannot be read or written", "check the disk and its mount")
    assert (home.job("x").state, home.job("x").reason) == ("waiting", "disk-error")


def test_output_that_can_not_be_written(home: Home, shelf: Shelf) -> None:
    """Told before anything is computed where it can be known; else the signature is kept."""
    link(shelf.archive(), home.cwd / "x.sra")
    (home.cwd / "closed").mkdir()
    script = READ_ONLY.format(home.cwd / "closed") + 'exec "$@"'
    in_namespace(home, script, "compute", "x.sra", "--now", "-o", "closed/x.sig").expect(2, "can't be written")
    assert not home.jobs()
    script = f'{FILL}mount -t tmpfs -o size=1m tmpfs "{home.cwd}/closed"\nfill "{home.cwd}/closed"\nexec "$@"'
    in_namespace(home, script, "compute", "x.sra", "--now", "-o", "closed/x.sig").expect(75, "wort view x -o FILE")
    assert home.signature("x") == shelf.reference(shelf.archive(), "x")
