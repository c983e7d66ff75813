"""Handing in signatures: what is right is kept and recalculated, what is not is refused, and nothing of it is kept."""

import gzip
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.homes import Home
from tests.support.shelf import Shelf, gunzipped
from tests.support.submissions import HOSTILE, document, proper, text, write_corpus

RUN = "SRR000001"


@pytest.fixture
def offline(home: Home) -> Home:
    """A home in which no archive is asked about runs."""
    home.env |= {"WORT_ENA_URL": "off", "WORT_NCBI_URL": "off"}
    return home


def kept(home: Home) -> list[Path]:
    return sorted(path for path in (home.path / "signatures" / "submitted").rglob("*") if path.is_file())


def test_an_honest_submission_is_verified_and_then_published(offline: Home, shelf: Shelf) -> None:
    home = offline
    home.keep(RUN, shelf.archive())
    theirs = json.dumps(json.loads(shelf.reference(shelf.archive(), RUN)), indent=1).encode()  # as nobody writes it
    (home.cwd / "x.sig").write_bytes(theirs)
    done = home("submit", "x.sig", "--as", "ann").expect(0, "not checked", "no daemon is running")
    assert done.rows()[0][:2] == [RUN, "unverified"]
    home("view", RUN).expect(0, "unverified, submitted by ann")
    assert not home.signature_file(RUN).exists()
    home("daemon", "start").expect(0)
    home("wait", "--all").expect(0)
    assert home.signature(RUN) == shelf.reference(shelf.archive(), RUN)
    assert gunzipped(home.signature_file(RUN)) != theirs
    [original] = kept(home)
    assert original.read_bytes() == theirs
    seen = home("view", RUN, "--json").expect(0).json()
    assert (seen["trust"], seen["file"]) == ("verified", str(home.signature_file(RUN)))
    assert seen["provenance"]["bases"] > 0
    assert home.select("SELECT trust, submitter FROM submissions") == [("verified", "ann")]
    assert home.select("SELECT kind, state, verdict FROM jobs") == [("verify", "done", "verified")]


def test_the_same_twice_is_one_submission(offline: Home) -> None:
    (offline.cwd / "x.sig").write_bytes(proper())
    first = offline("submit", "x.sig", "--as", "ann", "--json").expect(0).json()
    again = offline("submit", "-", "--as", "bob", "--json", stdin=gzip.compress(proper())).expect(0).json()
    assert first[0]["digest"] == again[0]["digest"]
    assert first[0]["job"] == again[0]["job"] == 1
    assert offline.select("SELECT submitter FROM submissions") == [("ann",)]
    assert [path.read_bytes() for path in kept(offline)] == [proper()]
    assert len(offline.jobs()) == 1


def test_no_verify_queues_nothing(offline: Home) -> None:
    offline("submit", "-", "--no-verify", stdin=proper()).expect(0)
    assert not offline.jobs()
    assert offline("verify", "--unverified").expect(0).rows()[0][0] == RUN
    assert [job.state for job in offline.jobs()] == ["queued"]


def test_what_was_computed_is_never_hidden(offline: Home, shelf: Shelf) -> None:
    home = offline
    home.keep(RUN, shelf.archive())
    forged = home("submit", "-", "--no-verify", "--json", stdin=proper()).expect(0).json()[0]
    assert home("view", RUN, "--json").expect(0).json()["trust"] == "unverified"
    home("compute", RUN, "--now").expect(0)
    assert home("view", RUN, "--json").expect(0).json()["trust"] == "computed"
    home("submit", "-", "--no-verify", stdin=text(document(RUN, seed=2))).expect(0)
    assert home("view", RUN, "--json").expect(0).json()["trust"] == "computed"
    assert home("view", forged["digest"][:12], "--json").expect(0).json()["digest"] == forged["digest"]


@pytest.mark.parametrize(
    ("name", "flags", "code", "said"),
    [
        (RUN, (), 0, ""),
        (f"{RUN} Escherichia coli", (), 0, ""),
        (RUN, ("--accession", RUN), 0, ""),
        ("E. coli", ("--accession", RUN), 0, ""),
        ("", ("--accession", RUN), 0, ""),
        (
            RUN,
            ("--accession", "SRR000002"),
            6,
            "its name is SRR000001, but it was submitted with --accession SRR000002",
        ),
        ("E. coli", (), 6, "its name is not an accession"),
        (RUN, ("--accession", "x"), 2, "is not the accession of a run"),
        (RUN, ("--as", "\x1b[2J"), 2, "is not plain text"),
        (RUN, ("--url", "http://127.0.0.1/x"), 6, "which is an address of this machine"),
        (RUN, ("--url", "ftp://ftp.sra.ebi.ac.uk/x"), 6, "neither http:// nor https://"),
    ],
)
def test_what_it_is_of(name: str, flags: tuple[str, ...], code: int, said: str, offline: Home) -> None:
    offline("submit", "-", "--no-verify", *flags, stdin=text(document(name))).expect(code, said)
    assert len(kept(offline)) == (code == 0)
    names = [row[0] for row in offline.select("SELECT name FROM submissions")]
    assert names == ([RUN] if code == 0 else [])


def test_files_that_are_none(offline: Home) -> None:
    offline("submit", "no.sig").expect(2, "No such file")
    offline("submit", "/dev/zero").expect(2, "it is not a file")
    offline("submit", ".").expect(2, "it is not a file")
    offline("submit", "x.sig", "-").expect(2, "one signature")
    offline("submit", "x" * 5000).expect(2)
    assert not kept(offline)


def test_several_files_each_have_their_answer(offline: Home) -> None:
    for number in range(3):
        (offline.cwd / f"{number}.sig").write_bytes(text(document(f"SRR00000{number}", seed=number)))
    (offline.cwd / "1.sig").write_bytes(b"rubbish")
    done = offline("submit", "0.sig", "1.sig", "2.sig").expect(6, "'1.sig' is refused")
    assert [row[0] for row in done.rows()] == ["SRR000000", "SRR000002"]


def test_what_is_told_of_a_submission_can_not_steer_the_terminal(offline: Home) -> None:
    """The name of the file is the submitter's; it is kept, and shown escaped."""
    file = offline.cwd / "\x1b[2J\u202e.sig"
    file.write_bytes(proper())
    told = [
        offline("submit", file, "--no-verify"),
        offline("view", RUN),
        offline("verify", file),
        offline("status", RUN),
    ]
    for done in told:
        done.expect(0)
        assert all(c.isprintable() or c in "\n\t" for c in done.out + done.err), ascii(done.out)
    assert "\\x1b[2J\\u202e.sig" in told[1].out


def test_a_profile_mismatch_names_the_very_command(offline: Home) -> None:
    one_sketch = document()
    del one_sketch[0]["signatures"][1:]
    said = "| sourmash sketch dna -p k=21,k=31,k=51,scaled=1000,abund --name ACC -o ACC.sig -"
    offline("submit", "-", stdin=text(one_sketch)).expect(6, "ksizes: 21, 31, 51", "make it with: fastq-dump", said)


def test_every_hostile_file_is_refused_and_the_daemon_lives(offline: Home) -> None:
    home = offline
    home("daemon", "start").expect(0)
    pid = home.daemon_pid()
    paths = write_corpus(home.cwd / "corpus")
    assert len(paths) == len(HOSTILE) >= 80
    done = home("submit", *paths, env={"WORT_SUBMIT_UNPACKED": "300000000"}, timeout=110).expect(6)
    assert done.seconds < len(paths)
    assert done.out == ""
    refusals = [line for line in done.err.splitlines() if line.startswith("wort: ")]
    assert len(refusals) == len(paths)
    for path, line in zip(paths, refusals, strict=True):
        assert line.startswith(f"wort: '{path}' is refused: "), line
        assert len(line) < 700
    assert all(c.isprintable() or c == "\n" for c in done.err)
    assert not kept(home)
    assert not home.jobs()
    assert not home.select("SELECT 1 FROM submissions")
    assert home.daemon_pid() == pid


# ---- The public archives


class Archives:
    """ENA and NCBI, as far as they are asked; `runs` are what they know, and `broken` who gives no answer."""

    def __init__(self) -> None:
        self.runs: set[str] = set()
        self.broken: set[str] = set()
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                who = self.path.split("?")[0].strip("/")
                outer.asked.append(who)
                run = next((run for run in outer.runs if run in self.path), "")
                if who in outer.broken:
                    status, body = 503, b"<html>"
                elif who == "ena":
                    status = 200 if run else 204
                    body = json.dumps([{"run_accession": run, "base_count": "1"}]).encode() if run else b""
                else:
                    status, body = 200, b"Run,ReleaseDate,spots\n" + (f"{run},2020,1\n".encode() if run else b"")
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def archives(home: Home) -> Iterator[Archives]:
    """The archives, asked by the home."""
    made = Archives()
    thread = Thread(target=made.server.serve_forever)
    thread.start()
    home.env |= {"WORT_ENA_URL": f"{made.url}/ena", "WORT_NCBI_URL": f"{made.url}/ncbi"}
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def submitted(home: Home, seed: int = 1) -> tuple[int, str]:
    """The exit code of handing in, and the source check that was recorded."""
    done = home("submit", "-", "--no-verify", "--json", stdin=text(document(RUN, seed=seed)))
    return done.code, done.json()[0]["source"] if done.out else done.err


def test_a_run_that_an_archive_knows_is_public_and_asked_about_once(home: Home, archives: Archives) -> None:
    archives.runs.add(RUN)
    assert submitted(home, 1) == submitted(home, 2) == (0, "public")
    assert archives.asked == ["ena"]


def test_ncbi_knows_what_ena_does_not(home: Home, archives: Archives) -> None:
    archives.runs.add(RUN)
    archives.broken.add("ena")
    assert submitted(home) == (0, "public")
    assert archives.asked == ["ena", "ncbi"]


def test_a_run_that_nobody_knows_is_refused(home: Home, archives: Archives) -> None:
    code, said = submitted(home)
    assert code == 6
    assert f"there is no run {RUN} at ENA and NCBI" in said
    assert not kept(home)


def test_half_an_answer_is_none(home: Home, archives: Archives) -> None:
    archives.broken.add("ncbi")
    assert submitted(home) == (0, "not checked")
    archives.broken.clear()
    archives.runs.add(RUN)
    home("submit", "-", "--no-verify", stdin=proper()).expect(0)  # handed in again, when somebody can be asked
    assert home.select("SELECT source_check FROM submissions") == [("public",)]


def test_offline_is_recorded_and_not_refused(home: Home) -> None:
    home.env |= {"WORT_ENA_URL": "http://127.0.0.1:9/ena", "WORT_NCBI_URL": "http://127.0.0.1:9/ncbi"}
    done = home("submit", "-", "--no-verify", stdin=proper()).expect(0, "was not checked", "ENA", "refused")
    assert done.rows()[0][3] == "not checked"
