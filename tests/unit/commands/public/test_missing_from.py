"""`wort status --missing-from public` reads the names in the manifest of the public signatures, and keeps them."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.support.public_twin import MANIFEST, PublicTwin, PublicWorld

RUNS = [f"{letters}{number:06}" for letters in ("DRR", "ERR", "SRR") for number in range(1, 1001)]


def found(home: PublicWorld, *words: str, code: int = 0, **env: str) -> dict[str, object]:
    done = home("status", "--missing-from", "public", "--json", *words, env=env)
    assert done.code == code, done.err
    document: dict[str, object] = json.loads(done.out)
    return document


@pytest.fixture
def listed(home: PublicWorld, twin: PublicTwin) -> PublicWorld:
    """A home that has one of the public signatures."""
    twin.put_manifest([*RUNS, "a genome", *RUNS[:3], "../x"])
    assert home("compute", RUNS[1], "--now").code == 0
    return home


def test_what_is_public_and_not_here_is_listed(listed: PublicWorld, twin: PublicTwin) -> None:
    document = found(listed, "-n", "2")
    assert (document["list"], document["wanted"], document["missing"]) == (f"{twin.url}/{MANIFEST}", 3000, 2999)
    names = [row["name"] for row in document["signatures"]]  # type: ignore[attr-defined]
    assert names == [RUNS[0], RUNS[2]]
    assert twin.sent < len(twin.contents[MANIFEST])
    done = listed("status", "--missing-from", "public", "--no-header")
    assert len(done.out.splitlines()) == 2999
    assert "2,999 of 3,000 signatures" in done.err and "2 names of the manifest left out" in done.err


def test_list_is_kept_for_a_while(listed: PublicWorld, twin: PublicTwin) -> None:
    found(listed)
    before = len(twin.requests)
    found(listed)
    assert len(twin.requests) == before
    path = listed.settings.listings_dir / "public-runs.gz"
    os.utime(path, (time.time() - 100_000,) * 2)
    found(listed)
    assert twin.requests[before:] == [f"HEAD {MANIFEST}"]
    twin.put_manifest(RUNS[:9])
    os.utime(path, (time.time() - 100_000,) * 2)
    assert found(listed)["wanted"] == 9


def test_kept_list_is_used_without_a_network(listed: PublicWorld, twin: PublicTwin) -> None:
    assert listed("status", "--missing-from", "public", "--offline").code == 2
    found(listed)
    found(listed, "--offline", WORT_S3_PRESET="off")
    os.utime(listed.settings.listings_dir / "public-runs.gz", (time.time() - 100_000,) * 2)
    twin.breaks = lambda key: "503"
    done = listed("status", "--missing-from", "public", "-n", "1")
    assert (done.code, "is used" in done.err) == (0, True)


@pytest.mark.parametrize("failure", ["503", "page", "portal", "no ranges"])
def test_server_that_does_not_send_the_manifest_is_an_error(
    listed: PublicWorld, twin: PublicTwin, failure: str
) -> None:
    twin.breaks = lambda key: failure
    done = listed("status", "--missing-from", "public")
    assert (done.code in (1, 75), done.out, "unexpected" in done.err) == (True, "", False)
    assert not (listed.settings.listings_dir / "public-runs.gz").exists()


@pytest.mark.parametrize("content", [None, b"", b"PAR1 no parquet", b"x" * 5000])
def test_what_is_no_manifest_is_an_error(listed: PublicWorld, twin: PublicTwin, content: bytes | None) -> None:
    del twin.contents[MANIFEST]
    if content is not None:
        twin.contents[MANIFEST] = content
    done = listed("status", "--missing-from", "public")
    assert (done.code, done.out, MANIFEST in done.err) == (1, "", True)


def test_damaged_list_is_read_again(listed: PublicWorld) -> None:
    found(listed)
    path = listed.settings.listings_dir / "public-runs.gz"
    path.write_bytes(b"x")
    assert found(listed)["wanted"] == 3000


def test_word_is_no_file(listed: PublicWorld) -> None:
    Path("public").write_text("SRR000077\n")
    assert found(listed)["wanted"] == 3000
    done = listed("status", "--missing-from", "./public", "--json")
    assert json.loads(done.out)["wanted"] == 1


def test_it_is_refused_where_it_is_switched_off(listed: PublicWorld, twin: PublicTwin) -> None:
    done = listed("status", "--missing-from", "public", env={"WORT_S3_PRESET": "off"})
    assert (done.code, "switched off" in done.err, twin.requests) == (2, True, [])
