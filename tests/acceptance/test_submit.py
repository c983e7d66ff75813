"""`wort submit`: a valid signature is stored and recalculated; an invalid one is refused, and nothing is stored."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.homes import Home
from tests.support.hostile_signatures import HOSTILE, write_corpus, zip_of
from tests.support.run_lists import RunLists, run
from tests.support.shelf import Shelf, gunzipped
from tests.support.submissions import document, text, valid_signature
from wort_cli.pipeline.projects.answers import Recorded

RUN = "SRR000001"


@pytest.fixture
def offline(home: Home) -> Home:
    """A home that asks neither ENA nor NCBI about runs."""
    home.env |= {"WORT_ENA_URL": "off", "WORT_NCBI_URL": "off"}
    return home


def stored_files(home: Home) -> list[Path]:
    return sorted(path for path in (home.path / "signatures" / "submitted").rglob("*") if path.is_file())


def test_valid_submission_is_verified_and_then_replaced(offline: Home, shelf: Shelf) -> None:
    home = offline
    home.keep(RUN, shelf.archive())
    submitted_json = json.dumps(
        json.loads(shelf.reference(shelf.archive(), RUN)), indent=1
    ).encode()  # a layout that no tool writes
    (home.cwd / "x.sig").write_bytes(submitted_json)
    done = home("submit", "x.sig", "--as", "ann").expect(0, "not checked", "no daemon is running")
    assert done.rows()[0][:2] == [RUN, "unverified"]
    home("view", RUN).expect(0, "unverified, submitted by ann")
    assert not home.signature_file(RUN).exists()
    home("daemon", "start").expect(0)
    home("wait", "--all").expect(0)
    assert home.signature(RUN) == shelf.reference(shelf.archive(), RUN)
    assert gunzipped(home.signature_file(RUN)) != submitted_json
    [original] = stored_files(home)
    assert original.read_bytes() == submitted_json
    seen = home("view", RUN, "--json").expect(0).records()[0]
    assert (seen["trust"], seen["path"]) == ("verified", str(home.signature_file(RUN)))
    assert seen["provenance"]["bases"] > 0
    assert home.select("SELECT trust, submitter FROM submissions") == [("verified", "ann")]
    assert home.select("SELECT kind, state, verdict FROM jobs") == [("verify", "done", "verified")]


def test_same_signature_twice_is_one_submission(offline: Home) -> None:
    (offline.cwd / "x.sig").write_bytes(valid_signature())
    first = offline("submit", "x.sig", "--as", "ann", "--json").expect(0).records()
    again = offline("submit", "-", "--as", "bob", "--json", stdin=gzip.compress(valid_signature())).expect(0).records()
    packed = zip_of(("signatures/x.sig", valid_signature()))
    third = offline("submit", "-", "--json", stdin=packed).expect(0).records()
    assert first[0]["digest"] == again[0]["digest"] == third[0]["digest"]
    assert first[0]["job"] == again[0]["job"] == 1
    assert offline.select("SELECT submitter FROM submissions") == [("ann",)]
    assert [path.read_bytes() for path in stored_files(offline)] == [valid_signature()]
    assert len(offline.jobs()) == 1


def test_signature_in_parts_is_stored_as_one(offline: Home) -> None:
    whole = document()[0]
    parts = text([{**whole, "signatures": [sketch]} for sketch in whole["signatures"]])
    (record,) = offline("submit", "-", "--no-verify", "--json", stdin=parts).expect(0).records()
    [stored] = stored_files(offline)
    assert [len(one["signatures"]) for one in json.loads(gzip.decompress(stored.read_bytes()))] == [3]
    seen = offline("view", RUN, "--json").expect(0).records()[0]
    assert (seen["digest"], seen["trust"]) == (record["digest"], "unverified")


def test_no_verify_enqueues_nothing(offline: Home) -> None:
    offline("submit", "-", "--no-verify", stdin=valid_signature()).expect(0)
    assert not offline.jobs()
    assert offline("verify", "--unverified").expect(0).rows()[0][0] == RUN
    assert [job.state for job in offline.jobs()] == ["queued"]


def test_computed_signature_is_shown_before_submitted_ones(offline: Home, shelf: Shelf) -> None:
    home = offline
    home.keep(RUN, shelf.archive())
    forged = home("submit", "-", "--no-verify", "--json", stdin=valid_signature()).expect(0).records()[0]
    assert home("view", RUN, "--json").expect(0).records()[0]["trust"] == "unverified"
    home("compute", RUN, "--now").expect(0)
    assert home("view", RUN, "--json").expect(0).records()[0]["trust"] == "computed"
    home("submit", "-", "--no-verify", stdin=text(document(RUN, seed=2))).expect(0)
    assert home("view", RUN, "--json").expect(0).records()[0]["trust"] == "computed"
    assert home("view", forged["digest"][:12], "--json").expect(0).records()[0]["digest"] == forged["digest"]


@pytest.mark.parametrize(
    ("name", "flags", "code", "message"),
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
            "its name is SRR000001, but it was submitted as the signature of SRR000002",
        ),
        ("E. coli", (), 6, "its name is not an accession"),
        (RUN, ("--accession", "x"), 2, "is not the accession of a run"),
        (RUN, ("--as", "\x1b[2J"), 2, "is not plain text"),
        (RUN, ("--url", "http://127.0.0.1/x"), 6, "which is an address of this machine"),
        (RUN, ("--url", "ftp://ftp.sra.ebi.ac.uk/x"), 6, "neither http:// nor https://"),
    ],
)
def test_name_or_flags_must_identify_the_data(
    name: str, flags: tuple[str, ...], code: int, message: str, offline: Home
) -> None:
    offline("submit", "-", "--no-verify", *flags, stdin=text(document(name))).expect(code, message)
    assert len(stored_files(offline)) == (code == 0)
    names = [row[0] for row in offline.select("SELECT name FROM submissions")]
    assert names == ([RUN] if code == 0 else [])


def test_unreadable_files_are_refused(offline: Home) -> None:
    offline("submit", "no.sig").expect(2, "no such file")
    offline("submit", "/dev/zero").expect(2, "it is not a file")
    offline("submit", ".").expect(2, "it is not a file")
    offline("submit", "x.sig", "-").expect(2, "one signature")
    offline("submit", "x" * 5000).expect(2)
    assert not stored_files(offline)


def test_each_of_several_files_is_accepted_or_refused(offline: Home) -> None:
    for number in range(3):
        (offline.cwd / f"{number}.sig").write_bytes(text(document(f"SRR00000{number}", seed=number)))
    (offline.cwd / "1.sig").write_bytes(b"garbage")
    done = offline("submit", "0.sig", "1.sig", "2.sig").expect(6, "'1.sig' is refused")
    assert [row[0] for row in done.rows()] == ["SRR000000", "SRR000002"]


def test_file_name_cannot_send_escapes_to_the_terminal(offline: Home) -> None:
    """The submitter chooses the name of the file; it is stored and shown with escapes."""
    file = offline.cwd / "\x1b[2J\u202e.sig"
    file.write_bytes(valid_signature())
    outputs = [
        offline("submit", file, "--no-verify"),
        offline("view", RUN),
        offline("verify", file),
        offline("status", RUN),
    ]
    for done in outputs:
        done.expect(0)
        assert all(c.isprintable() or c in "\n\t" for c in done.out + done.err), ascii(done.out)
    assert "\\x1b[2J\\u202e.sig" in outputs[1].out


def test_refusal_of_another_profile_shows_the_command(offline: Home) -> None:
    one_sketch = document()
    del one_sketch[0]["signatures"][1:]
    command = "| sourmash sketch dna -p k=21,k=31,k=51,scaled=1000,abund --name ACC -o ACC.sig -"
    offline("submit", "-", stdin=text(one_sketch)).expect(6, "ksizes: 21, 31, 51", "make it with: fastq-dump", command)


def test_every_hostile_file_is_refused_and_the_daemon_keeps_running(offline: Home) -> None:
    home = offline
    home("daemon", "start").expect(0)
    pid = home.daemon_pid()
    paths = write_corpus(home.cwd / "corpus")
    assert len(paths) == len(HOSTILE) >= 80
    done = home("submit", *paths, env={"WORT_SUBMIT_UNPACKED": "300000000"}, timeout=300).expect(6)
    assert len(done.out.splitlines()) == 1  # the header
    refusals = [line for line in done.err.splitlines() if line.startswith("wort: ")]
    assert len(refusals) == len(paths)
    for path, line in zip(paths, refusals, strict=True):
        assert line.startswith(f"wort: '{path}' is refused: "), line
        assert len(line) < 700
    assert all(c.isprintable() or c == "\n" for c in done.err)
    assert not stored_files(home)
    assert not home.jobs()
    assert not home.select("SELECT 1 FROM submissions")
    assert home.daemon_pid() == pid


# ---- ENA and NCBI


@pytest.fixture
def services(home: Home) -> Iterator[RunLists]:
    """ENA and NCBI, as the home reaches them."""
    with RunLists().serving() as started:
        home.env |= started.env
        yield started


def broken(service: str) -> Callable[[str], Recorded | None]:
    """Return answers in which a service is down."""
    return lambda path: Recorded("<html>", 503) if service in path else None


def asked(services: RunLists) -> list[str]:
    """Return the services that were asked."""
    return ["ena" if "/ena/" in path else "ncbi" for path in services.requests]


def submit_run(home: Home, seed: int = 1) -> tuple[int, str]:
    """Submit a signature; return the exit code, and the recorded source check or the messages."""
    done = home("submit", "-", "--no-verify", "--json", stdin=text(document(RUN, seed=seed)))
    return done.code, done.records()[0]["source"] if done.out else done.err


def test_known_run_is_public_and_looked_up_once(home: Home, services: RunLists) -> None:
    services.put(RUN, [run(1)])
    assert submit_run(home, 1) == submit_run(home, 2) == (0, "public")
    assert asked(services) == ["ena"]


def test_ncbi_is_asked_if_ena_does_not_answer(home: Home, services: RunLists) -> None:
    services.put(RUN, [run(1)])
    services.answers = broken("/ena/")
    assert submit_run(home) == (0, "public")
    assert asked(services) == ["ena", "ncbi"]


def test_unknown_run_is_refused(home: Home, services: RunLists) -> None:
    code, messages = submit_run(home)
    assert code == 6
    assert f"there is no run {RUN} at ENA and NCBI" in messages
    assert not stored_files(home)


def test_denial_of_one_service_leaves_the_run_unchecked(home: Home, services: RunLists) -> None:
    services.answers = broken("/runinfo")
    assert submit_run(home) == (0, "not checked")
    services.answers = lambda path: None
    services.put(RUN, [run(1)])
    home("submit", "-", "--no-verify", stdin=valid_signature()).expect(0)  # submitted again, when both answer
    assert home.select("SELECT source_check FROM submissions") == [("public",)]


def test_submission_without_a_network_is_recorded_as_not_checked(home: Home) -> None:
    home.env |= {"WORT_ENA_URL": "http://127.0.0.1:9/ena", "WORT_NCBI_URL": "http://127.0.0.1:9/ncbi"}
    done = home("submit", "-", "--no-verify", stdin=valid_signature()).expect(0, "was not checked", "ENA", "refused")
    assert done.rows()[0][3] == "not checked"
