"""`wort compute --accept-public` takes public signatures, and computes what they lack or spoil."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.support.public_twin import PublicTwin, PublicWorld
from tests.support.small_world import reference, wrong
from wort_cli.api import open_home

A, B, UNKNOWN = "SRR000001", "SRR000002", "SRR000009"


def accepts(home: PublicWorld, run: str) -> int:
    with closing(sqlite3.connect(home.settings.ledger_file)) as connection:
        return int(connection.execute("SELECT accept_public FROM jobs WHERE name = ?", (run,)).fetchone()[0])


def test_public_signature_is_taken_if_it_is_accepted(home: PublicWorld, twin: PublicTwin) -> None:
    done = home("compute", A, UNKNOWN, "--accept-public", "--now", "--json")
    assert done.code == 0, done.err
    where = {row["name"]: row["where"] for row in json.loads(done.out)["signatures"]}
    assert where == {A: "local", UNKNOWN: "local"}
    assert (home.trust(A), home.trust(UNKNOWN)) == ("published", "computed")
    assert home.file(A).read_bytes() == reference(A)
    assert twin.asked_for() == {f"sigs/{A}.sig", f"sigs/{UNKNOWN}.sig"}


def test_nothing_public_is_taken_without_the_option(home: PublicWorld, twin: PublicTwin) -> None:
    assert home("compute", A, "--now").code == 0
    assert (home.trust(A), twin.requests) == ("computed", [])


@pytest.mark.parametrize("failure", ["503", "page", "portal", "cut"])
def test_run_is_computed_if_the_public_signature_cannot_be_used(
    home: PublicWorld, twin: PublicTwin, failure: str
) -> None:
    twin.breaks = lambda key: failure
    assert home("compute", A, "--accept-public", "--now").code == 0
    assert home.trust(A) == "computed"


def test_run_is_computed_without_a_network(home: PublicWorld) -> None:
    done = home("compute", A, "--accept-public", "--now", env={"WORT_S3_PRESET": "http://127.0.0.1:9/wort-sra"})
    assert (done.code, home.trust(A)) == (0, "computed")


def test_refuted_signature_is_not_taken_again(home: PublicWorld, twin: PublicTwin) -> None:
    twin.contents[f"sigs/{A}.sig"] = wrong(A)
    assert home("verify", A, "--now").code == 5
    assert home("compute", A, "--accept-public", "--now").code == 0
    assert home.trust(A) == "computed"


def test_request_that_accepts_nothing_is_heeded(home: PublicWorld) -> None:
    """One of two requests for a run does not accept the public signature."""
    home("compute", A, B, "--accept-public")
    home("compute", A)
    home("compute", B, "--accept-public")
    assert (accepts(home, A), accepts(home, B)) == (0, 1)
    home("compute", UNKNOWN)
    home("compute", UNKNOWN, "--accept-public")
    assert accepts(home, UNKNOWN) == 0


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (("--force",), {}, "exclude each other"),
        ((), {"WORT_S3_PRESET": "off"}, "switched off"),
        (("--profile", "fine"), {}, "have the profile sra-v1"),
    ],
)
def test_what_cannot_be_accepted_is_refused(
    home: PublicWorld, words: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    (home.root / "config.toml").write_text("[profiles.fine]\nk = [31]\nscaled = 100\n")
    done = home("compute", A, "--accept-public", *words, env=env)
    assert (done.code, said in done.err) == (2, True)
    assert home("status", "--json").code == 0
    assert json.loads(home("status", "--json").out)["counts"]["queued"] == 0


def test_bucket_of_the_user_does_not_stand_in_the_way(home: PublicWorld, twin: PublicTwin) -> None:
    done = home("compute", A, "--accept-public", "--now", "--no-upload", env={"WORT_S3_BUCKET": "mine"})
    assert (done.code, home.trust(A)) == (0, "published")


def test_library_takes_public_signatures_too(home: PublicWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in home.env.items():
        monkeypatch.setenv(name, value)
    with open_home() as opened:
        (answer,) = opened.compute(A, accept_public=True, now=True)
        assert [job.state for job in opened.wait([answer])] == ["done"]
    assert home.trust(A) == "published"
