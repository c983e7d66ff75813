"""`wort export` brings the public signatures of runs that are named, if no bucket is set."""

from pathlib import Path

import pytest

from tests.support.exports import loaded, missing
from tests.support.public_twin import PublicTwin, PublicWorld
from tests.support.small_world import reference
from wort_cli.commands.shared.syncing import bring_public

A, B, UNKNOWN = "SRR000001", "SRR000002", "SRR000009"


def test_named_runs_are_brought_and_exported(home: PublicWorld, twin: PublicTwin) -> None:
    assert home("sync", "pull", A).code == 0
    twin.requests.clear()
    done = home("export", A, B, UNKNOWN, "-o", "x.sig.zip")
    assert done.code == 1
    assert {one.name for one in loaded("x.sig.zip")} == {A, B}
    assert [row["name"] for row in missing()] == [UNKNOWN]
    assert "2 signatures are not here; looking among the public ones" in done.err
    assert "not proved by this home: 2 published" in done.err
    assert (home.trust(A), home.trust(B)) == ("published", "published")
    assert f"sigs/{A}.sig" not in twin.asked_for()


@pytest.mark.parametrize(
    ("words", "env"),
    [
        ((A, "--offline"), {}),
        ((A,), {"WORT_S3_PRESET": "off"}),
        ((A, "--trust", "computed"), {}),
        ((A, "-n"), {}),
        (("--all",), {}),
        (("SRR*",), {}),
    ],
)
def test_nothing_is_brought_that_was_not_asked_for(
    home: PublicWorld, twin: PublicTwin, words: tuple[str, ...], env: dict[str, str]
) -> None:
    home("export", *words, "-o", "x.sig.zip", env=env)
    assert (twin.requests, home.trust(A)) == ([], "")


def test_long_list_is_left_to_a_pull(home: PublicWorld, twin: PublicTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bring_public, "MOST", 1)
    done = home("export", A, B, "-o", "x.sig.zip")
    assert ("`wort sync pull -` downloads them" in done.err, twin.requests) == (True, [])


def test_what_is_here_is_exported_without_a_network(home: PublicWorld) -> None:
    off = {"WORT_S3_PRESET": "http://127.0.0.1:9/wort-sra"}
    assert home("sync", "pull", A).code == 0
    assert home("export", A, "-o", "a.sig.zip", env=off).code == 0
    done = home("export", A, B, "-o", "x.sig.zip", env=off)
    assert done.code == 1
    assert done.err.count("cannot be reached") == 1
    assert {one.name for one in loaded("x.sig.zip")} == {A}


def test_garbage_is_named_and_not_exported(home: PublicWorld, twin: PublicTwin) -> None:
    twin.contents[f"sigs/{B}.sig"] = reference(A)
    done = home("export", A, B, "-o", "x.sig.zip")
    assert f"{B}: {home.url(B)} is not a signature of {B}" in done.err
    assert {one.name for one in loaded("x.sig.zip")} == {A}
    assert not home.file(B).exists()
    assert Path("x.missing.csv").exists()
