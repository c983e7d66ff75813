"""`wort sync` against the public signatures: named runs are pulled and compared, and nothing is written."""

import json

import pytest

from tests.support.public_twin import PublicTwin, PublicWorld
from tests.support.small_world import reference, wrong
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession

A, B, UNKNOWN = "SRR000001", "SRR000002", "SRR000009"


def test_pull_records_a_named_run_as_published(home: PublicWorld, twin: PublicTwin) -> None:
    done = home("sync", "pull", A, UNKNOWN)
    assert done.code == 1
    assert f"{A}\tpulled" in done.out and f"{UNKNOWN}\tfailed" in done.out
    record = home.record(A)
    assert record is not None
    assert (record.trust, record.remote, home.file(A).read_bytes()) == ("published", home.url(A), reference(A))
    assert record.provenance.source == home.url(A)
    assert not [key for key in twin.asked_for() if not key.startswith("sigs/")]
    assert "0 pulled, 1 in sync" in home("sync", "pull", A).err


@pytest.mark.parametrize("words", [("sync", "pull"), ("sync", "ls")])
def test_all_public_signatures_are_refused(home: PublicWorld, twin: PublicTwin, words: tuple[str, ...]) -> None:
    done = home(*words)
    assert (done.code, "too many to download all" in done.err, twin.requests) == (2, True, [])


def test_nothing_is_pushed(home: PublicWorld, twin: PublicTwin) -> None:
    assert home("compute", A, "--now").code == 0
    done = home("sync", "push")
    assert (done.code, "no bucket is set to upload to" in done.err, twin.requests) == (2, True, [])


def test_named_runs_are_listed(home: PublicWorld) -> None:
    (row,) = json.loads(home("sync", "ls", A, UNKNOWN, "--json").out)["signatures"]
    assert row == {
        "name": A,
        "size": len(reference(A)),
        "local": False,
        "provenance": False,
        "url": home.url(A),
        "path": None,
    }


def test_check_compares_what_is_here_with_the_public_ones(home: PublicWorld, twin: PublicTwin) -> None:
    assert home("compute", A, B, UNKNOWN, "--now").code == 0
    twin.contents[f"sigs/{B}.sig"] = wrong(B)
    done = home("sync", "check", "--no-header")
    assert done.code == 1
    found = sorted(line.split("\t")[:2] for line in done.out.splitlines())  # in the order in which they were compared
    assert found == [[B, "different"], [UNKNOWN, "not-there"]]
    assert "push" not in done.out


def test_computed_signature_replaces_a_public_one_unless_that_is_accepted(home: PublicWorld) -> None:
    """Pulling a public signature does not mean that it is accepted in place of computing."""
    assert home("sync", "pull", A).code == 0
    assert "already there" in home("compute", A, "--accept-public").out
    done = home("compute", A, "--now")
    assert (done.code, home.trust(A)) == (0, "computed")
    assert "already there" in home("compute", A).out


def test_verification_of_a_public_signature_downloads_it(home: PublicWorld, twin: PublicTwin) -> None:
    twin.contents[f"sigs/{B}.sig"] = wrong(B)
    assert home("verify", A, "--now").code == 0
    assert home.trust(A) == "verified"
    assert home("verify", B, "--now").code == 5
    assert home.trust(B) == "mismatch"


def test_lost_file_is_not_looked_for_among_the_public_ones(home: PublicWorld, twin: PublicTwin) -> None:
    assert home("compute", A, "--now").code == 0
    home.file(A).unlink()
    assert home("view", A).code != 0
    assert twin.requests == []
    ledger = Ledger(home.settings.ledger_file)
    assert ledger.catalog.get(Accession(A), "sra-v1") is not None
    ledger.close()
