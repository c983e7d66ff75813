"""`wort view` shows a public signature of a run that this home lacks, if no bucket is set."""

import json
import time
from pathlib import Path

import pytest

from tests.support.public_twin import PublicTwin, PublicWorld
from tests.support.small_world import reference, renamed
from wort_cli.stores import public

A, UNKNOWN = "SRR000001", "SRR000009"


def test_public_signature_is_shown_and_not_recorded(home: PublicWorld, twin: PublicTwin) -> None:
    done = home("view", A, "--json")
    assert done.code == 0, done.err
    (shown,) = json.loads(done.out)["signatures"]
    assert (shown["name"], shown["trust"], shown["path"]) == (A, "published", home.url(A))
    assert twin.asked_for() == {f"sigs/{A}.sig"}
    assert home.trust(A) == ""
    assert home("view", A, "-o", "a.sig").code == 0
    assert json.loads(Path("a.sig").read_text())[0]["name"] == A
    assert home("view", A, "--url").out.strip() == home.url(A)


@pytest.mark.parametrize("status", [404, 403])
def test_missing_public_signature_is_said(home: PublicWorld, twin: PublicTwin, status: int) -> None:
    """A server that lets nobody list says `AccessDenied` of what does not exist."""
    twin.missing = status
    done = home("view", UNKNOWN)
    assert (done.code, f"there is no signature of {UNKNOWN}, nor a public one ({twin.url}/)" in done.err) == (2, True)
    assert f"`wort compute {UNKNOWN}`" in done.err
    assert home("view", UNKNOWN, "--url").code == 2


@pytest.mark.parametrize("failure", ["portal", "503", "429", "cut"])
def test_server_that_fails_is_no_missing_signature(home: PublicWorld, twin: PublicTwin, failure: str) -> None:
    twin.breaks = lambda key: failure
    done = home("view", A)
    assert done.code in (1, 75)
    assert "nor a public one" not in done.err
    assert twin.url in done.err


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("--offline",), {}),
        ((), {"WORT_S3_PRESET": "off"}),
        ((), {"WORT_S3_BUCKET": "mine", "WORT_S3_ENDPOINT": "http://127.0.0.1:9", "WORT_S3_UNSIGNED": "true"}),
        (("--profile", "fine"), {}),
    ],
)
def test_nobody_is_asked_where_it_is_switched_off(
    home: PublicWorld, twin: PublicTwin, words: tuple[str, ...], env: dict[str, str]
) -> None:
    """Nor if a bucket is set, or for another profile."""
    (home.root / "config.toml").write_text("[profiles.fine]\nk = [31]\nscaled = 100\n")
    done = home("view", UNKNOWN, *words, env=env)
    assert done.code != 0
    assert twin.requests == []


def test_machine_without_a_network_says_so_in_one_sentence(home: PublicWorld) -> None:
    env = {"WORT_S3_PRESET": "http://127.0.0.1:9/wort-sra"}
    done = home("view", A, env=env)
    assert done.code == 75
    assert done.err.splitlines() == [
        f"wort: there is no signature of {A}; the public signatures (http://127.0.0.1:9/wort-sra/) cannot be reached: "
        "Connection refused",
        "  --offline leaves them out; `wort config set s3_preset off` switches them off",
    ]
    assert home("compute", A, "--now", env=env).code == 0
    assert home("view", A, env=env).code == 0


def test_resolver_that_hangs_is_not_waited_for(home: PublicWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "SECONDS", 0.05)
    monkeypatch.setattr("socket.create_connection", lambda *_: time.sleep(2))
    done = home("view", A)
    assert (done.code, "cannot be reached: no answer within 0.05 seconds" in done.err) == (75, True)


def test_submission_is_shown_without_asking(home: PublicWorld, twin: PublicTwin) -> None:
    Path("own.sig").write_bytes(reference(A))
    off = {"WORT_ENA_URL": "off", "WORT_NCBI_URL": "off"}
    assert home("submit", "own.sig", "--no-verify", env=off).code == 0
    assert "unverified" in home("view", A).out
    assert twin.requests == []


@pytest.mark.parametrize("content", [b"<html>", b"", reference("SRR000003"), reference("SRR000001")[:-20]])
def test_object_that_is_not_the_signature_is_refused(home: PublicWorld, twin: PublicTwin, content: bytes) -> None:
    twin.contents[f"sigs/{A}.sig"] = content
    done = home("view", A)
    assert done.code == (6 if content else 2)
    assert "\x1b" not in done.err


def test_name_with_escape_sequences_is_escaped(home: PublicWorld, twin: PublicTwin) -> None:
    twin.contents[f"sigs/{A}.sig"] = renamed(reference(A), A, "\\u001b[31m")
    done = home("view", A)
    assert (done.code, "\x1b" in done.err) == (6, False)


def test_object_larger_than_the_limit_is_not_fetched(home: PublicWorld, twin: PublicTwin) -> None:
    done = home("view", A, env={"WORT_SUBMIT_SIZE": "100"})
    assert (done.code, twin.sent < len(reference(A))) == (6, True) or "bytes" in done.err
    assert done.code == 6
