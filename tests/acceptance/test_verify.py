"""Verification proves correct signatures, detects forgeries with their cause, and reports runs that are gone."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.forgeries import (
    add_one,
    change_an_abundance,
    change_one,
    forge,
    multiply,
    relabel,
    remove_one,
    sketch_archive,
)
from tests.support.homes import Home
from tests.support.shelf import Shelf
from tests.support.submissions import document, text, valid_signature

PAIRED, CLIPPED, LARGE = "SRR000001", "SRR000002", "SRR000003"
SPOTS = 20_000
"""Spots of the large run of 6 Mbp, whose slices have hundreds of hashes."""


@pytest.fixture
def offline(home: Home, shelf: Shelf) -> Home:
    """A home with three runs, in which neither ENA nor NCBI is asked about them."""
    home.env |= {"WORT_ENA_URL": "off", "WORT_NCBI_URL": "off"}
    home.keep(PAIRED, shelf.archive())
    home.keep(CLIPPED, shelf.archive("clipped"))
    home.keep(LARGE, shelf.large(SPOTS))
    return home


def verdicts(home: Home, *arguments: str | Path, code: int) -> dict[str, dict[str, Any]]:
    """Return the records that `verify --now` prints, by digest."""
    done = home("verify", *arguments, "--now", "--json").expect(code)
    return {record["digest"]: record for record in done.records()}


def submit(home: Home, data: bytes, name: str = "x.sig") -> str:
    """Submit a signature; return its digest."""
    (home.cwd / name).write_bytes(data)
    return str(home("submit", name, "--no-verify", "--json").expect(0).records()[0]["digest"])


FORGERIES: dict[str, tuple[Callable[[Shelf], bytes], str]] = {
    "a hash removed": (lambda s: forge(s.reference(s.archive(), PAIRED), remove_one), "1 hash was removed"),
    "a hash added": (lambda s: forge(s.reference(s.archive(), PAIRED), add_one), "1 hash was added"),
    "a hash changed": (lambda s: forge(s.reference(s.archive(), PAIRED), change_one), "hashes were changed"),
    "an abundance changed": (
        lambda s: forge(s.reference(s.archive(), PAIRED), change_an_abundance),
        "the abundances of 1 hash were changed",
    ),
    "abundances times 7": (
        lambda s: forge(s.reference(s.archive(), PAIRED), multiply(7)),
        "the abundances are 7 times those of the run",
    ),
    "without --split-spot": (
        lambda s: sketch_archive(s.archive(), PAIRED, without=["--split-spot"]),
        "mates were not split per spot",
    ),
    "without --clip": (
        lambda s: sketch_archive(s.archive("clipped"), CLIPPED, without=["--clip"]),
        "reads were not clipped (decoded without --clip) and it is probably of the output of fasterq-dump",
    ),
    "half of the reads": (lambda s: sketch_archive(s.archive(), PAIRED, spots=1000), "a subset of the reads, about 5"),
    "another run": (lambda s: sketch_archive(s.archive("single_illumina"), PAIRED), "it is of another run"),
    "scaled=2000 relabelled": (
        lambda s: forge(sketch_archive(s.archive(), PAIRED, scaled=2000), relabel),
        "it was made with scaled of about 2000",
    ),
}


def test_forgeries_are_detected_with_their_cause(offline: Home, shelf: Shelf) -> None:
    """All in one command, together with two correct signatures."""
    home = offline
    digests = {}
    for number, (kind, (make, _)) in enumerate(FORGERIES.items()):
        digests[kind] = submit(home, make(shelf), f"{number}.sig")
    real = submit(home, shelf.reference(shelf.archive(), PAIRED), "real.sig")
    clipped = submit(home, shelf.reference(shelf.archive("clipped"), CLIPPED), "clipped.sig")
    assert len({real, clipped, *digests.values()}) == len(FORGERIES) + 2
    found = verdicts(home, *digests.values(), real, clipped, code=5)
    for kind, (_, cause) in FORGERIES.items():
        record = found[digests[kind]]
        assert record["trust"] == "mismatch", kind
        assert cause in record["message"], (kind, record)
        assert any(c["missing"] or c["extra"] or c["drifted"] for c in record["verdict"]["comparisons"]), kind
    assert found[real]["trust"] == found[clipped]["trust"] == "verified"
    assert home.signature(PAIRED) == shelf.reference(shelf.archive(), PAIRED)
    assert home.signature(CLIPPED) == shelf.reference(shelf.archive("clipped"), CLIPPED)
    assert len(home.select("SELECT 1 FROM signatures")) == 2
    seen = home("view", digests["a hash removed"], "--json").expect(0).records()[0]
    assert (seen["trust"], seen["verdict"]["comparisons"][1]["missing"]) == ("mismatch", 1)
    home("view", PAIRED, "--json").expect(0)


def test_wrong_md5sum_is_refused_on_submission(offline: Home, shelf: Shelf) -> None:
    data = json.loads(shelf.reference(shelf.archive(), PAIRED))
    other = json.loads(shelf.reference(shelf.archive("clipped"), CLIPPED))
    data[0]["signatures"][0]["md5sum"] = other[0]["signatures"][0]["md5sum"]
    offline("submit", "-", stdin=text(data)).expect(6, "its md5sum is", "but the md5 of its hashes is")


def test_differences_are_reported(offline: Home, shelf: Shelf) -> None:
    digest = submit(offline, forge(shelf.reference(shelf.archive(), PAIRED), multiply(7)))
    messages = ("7 times", "k=21: 0 of", "Jaccard 1.0000", "ratio of the sums 7")
    done = offline("verify", digest[:8], "--now").expect(5, *messages)
    assert done.rows()[0][:2] == [PAIRED, "mismatch"]
    offline("view", PAIRED).expect(2, "there is no signature")


def test_sourmash_engine_verifies_too(offline: Home, shelf: Shelf) -> None:
    digest = submit(offline, shelf.reference(shelf.archive(), PAIRED))
    done = offline("verify", digest, "--now", "--engine", "sourmash", "--json").expect(0).records()
    assert (done[0]["trust"], done[0]["verdict"]["engine"]) == ("verified", "sourmash")


# ---- Quick


def test_quick_verification_refutes_gross_forgeries_and_proves_nothing(offline: Home, shelf: Shelf) -> None:
    home, archive = offline, shelf.large(SPOTS)
    real = shelf.reference(archive, LARGE)
    gross = {
        "half of the reads": sketch_archive(archive, LARGE, spots=SPOTS // 2),
        "another run": sketch_archive(shelf.archive(), LARGE),
        "scaled=2000": forge(sketch_archive(archive, LARGE, scaled=2000), relabel),
        "times 7": forge(real, multiply(7)),
    }
    digests = {kind: submit(home, data, f"{kind[:3]}.sig") for kind, data in gross.items()}
    honest = submit(home, real, "real.sig")
    found = verdicts(home, *digests.values(), honest, "--quick", code=5)
    for kind, digest in digests.items():
        assert found[digest]["trust"] == "mismatch", (kind, found[digest])
        assert found[digest]["verdict"]["bases"] < 6_000_000 / 3
    assert found[honest]["trust"] == "quick-checked"
    assert len(found[honest]["verdict"]["slices"]) >= 3
    assert not home.signature_file(LARGE).exists()
    assert not home.select("SELECT 1 FROM signatures")
    assert home("view", LARGE, "--json").expect(0).records()[0]["trust"] == "quick-checked"
    assert verdicts(home, LARGE, code=0)[honest]["trust"] == "verified"
    assert home.signature(LARGE) == real


def test_quick_verification_reads_a_small_run_in_full(offline: Home, shelf: Shelf) -> None:
    """Doubled abundances contradict no slice of it."""
    real = shelf.reference(shelf.archive(), PAIRED)
    doubled, honest = submit(offline, forge(real, multiply(2)), "doubled.sig"), submit(offline, real, "real.sig")
    found = verdicts(offline, doubled, honest, "--quick", code=5)
    assert (found[doubled]["trust"], found[doubled]["depth"]) == ("mismatch", "full")
    assert (found[honest]["trust"], found[honest]["depth"]) == ("verified", "full")


def test_damaged_archive_does_not_refute(home: Home, shelf: Shelf) -> None:
    home.env |= {"WORT_ENA_URL": "off", "WORT_NCBI_URL": "off"}
    home.keep(PAIRED, shelf.flipped())
    digest = submit(home, shelf.reference(shelf.archive("single_illumina"), PAIRED))
    home("verify", digest, "--now", "--quick").expect(1, "corrupt")
    home("verify", digest, "--now").expect(1, "corrupt")
    assert home.select("SELECT trust FROM submissions") == [("unverified",)]


def test_archive_that_nothing_proves_neither_verifies_nor_refutes(home: Home, shelf: Shelf) -> None:
    home.env |= {"WORT_ENA_URL": "off", "WORT_NCBI_URL": "off"}
    home.keep(PAIRED, shelf.without_sums())
    home("compute", PAIRED, "--now", "--accept-unproved").expect(0)
    home("verify", PAIRED, "--now").expect(1, "unprovable", "the signature equals the reads")
    assert home.select("SELECT trust FROM signatures") == [("unproved",)]
    digest = submit(home, shelf.reference(shelf.archive("single_illumina"), PAIRED))
    home("verify", digest, "--now").expect(1, "unprovable", "the signature differs from the reads")
    assert home.select("SELECT trust FROM submissions") == [("unverified",)]


# ---- Runs that cannot be read


def test_missing_run_is_unverifiable(offline: Home) -> None:
    digest = submit(offline, text(document("SRR999999")))
    done = offline("verify", digest, "--now", env={"WORT_RESOLVE_TIMEOUT": "20"}).expect(3, "not-found")
    assert done.rows()[0][1] == "unverifiable"
    seen = offline("view", "SRR999999", "--json").expect(0).records()[0]
    assert seen["trust"] == "unverifiable"
    assert offline.select("SELECT trust, why FROM submissions")[0][1].startswith("not-found: ")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Access denied - please request permission to access phs000710/UR in dbGaP ( 403 )", "controlled"),
        ("Access denied - object has not been published. ( 403 )", "withdrawn"),
    ],
)
def test_controlled_run_is_unverifiable_with_its_reason(message: str, reason: str, home: Home) -> None:
    home.env |= {"WORT_ENA_URL": "off", "WORT_NCBI_URL": "off"}
    env = {}
    for tool in ("srapath", "fastq-dump"):
        env = home.with_tool(
            tool, f'[ "$1" = --version ] && exec /usr/bin/{tool} "$@"; echo "err: {message}" >&2; exit 64'
        )
    digest = submit(home, valid_signature())
    home("verify", digest, "--now", env=env).expect(3, reason)
    [(trust, why)] = home.select("SELECT trust, why FROM submissions")
    assert trust == "unverifiable"
    assert why.startswith(f"{reason}: ")


def test_selection_of_signatures(offline: Home, shelf: Shelf) -> None:
    offline("verify", PAIRED).expect(2, "is unknown")
    offline("verify").expect(2, "no signatures are named")
    offline("verify", "x", "--unverified").expect(2, "no signatures are named")
    offline("verify", PAIRED, "--wait").expect(4, "nothing was queued")
    offline("verify", PAIRED, "--engine", "abacus").expect(2, "there is no engine")
    submit(offline, shelf.reference(shelf.archive(), PAIRED))
    submit(offline, text(document(CLIPPED)))
    submit(offline, text(document(PAIRED)))
    assert len(offline("verify", "--unverified", "--json").expect(0).records()) == 3
    assert len(offline("verify", PAIRED, "--json").expect(0).records()) == 2
    assert [job.name for job in offline.jobs()] == [PAIRED, CLIPPED, PAIRED]
    assert offline("verify", "x.sig", "--json").expect(0).records()[0]["name"] == PAIRED


# ---- Computed signatures


def test_computed_signature_is_verified_and_damage_is_detected(offline: Home, shelf: Shelf) -> None:
    home = offline
    home("compute", PAIRED, "--now").expect(0)
    file = home.signature_file(PAIRED)
    before = file.stat()
    done = home("verify", PAIRED, "--now").expect(0)
    assert done.rows()[0][:4] == [PAIRED, "verified", "full", "done"]
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert home("view", PAIRED, "--json").expect(0).records()[0]["trust"] == "verified"
    home("verify", PAIRED, "--now", "--quick").expect(0)
    assert home.select("SELECT trust FROM signatures") == [("verified",)]  # a quick check does not lower it
    file.write_bytes(gzip.compress(forge(home.signature(PAIRED), remove_one)))
    home("verify", PAIRED, "--now").expect(5, "the stored file is not the recorded signature")
    file.write_bytes(b"rubbish")
    home("verify", PAIRED, "--now").expect(5, "the stored file is not the recorded signature")
    assert home.select("SELECT trust FROM signatures") == [("mismatch",)]
    home("compute", PAIRED, "--now", "--force").expect(0)
    assert home.select("SELECT trust FROM signatures") == [("computed",)]
    assert home.signature(PAIRED) == shelf.reference(shelf.archive(), PAIRED)
    file.unlink()
    home("verify", PAIRED, "--now").expect(1, "storage-down")


def test_local_signature_is_verified_from_its_archive(offline: Home, shelf: Shelf) -> None:
    offline("compute", shelf.archive("all_shorter_than_k"), "--now", "--name", "short").expect(0)
    assert offline("verify", "short", "--now").expect(0).rows()[0][1] == "verified"  # with empty sketches


def test_daemon_verifies_and_mismatch_is_reported(offline: Home, shelf: Shelf) -> None:
    home = offline
    home("daemon", "start").expect(0)
    wrong = submit(home, forge(shelf.reference(shelf.archive(), PAIRED), add_one), "wrong.sig")
    right = submit(home, shelf.reference(shelf.archive("clipped"), CLIPPED), "right.sig")
    done = home("verify", wrong, right, "--wait").expect(5, "1 hash was added")
    assert {row[0]: row[1] for row in done.rows()} == {PAIRED: "mismatch", CLIPPED: "verified"}
    home("wait", PAIRED).expect(5)
    assert home.until_job(CLIPPED, "done").message == "verified (full)"
    assert "mismatch: 1 hash was added" in home("status", PAIRED).expect(0).out
    home("compute", PAIRED, "--wait").expect(0)  # a computation after the verification
    assert home.signature(PAIRED) == shelf.reference(shelf.archive(), PAIRED)
