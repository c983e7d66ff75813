"""A run has a normalized and a Lite archive: a setting decides which one is read, and the signature records it."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.archive_server import ArchiveServer
from tests.support.homes import Home
from tests.support.shelf import Shelf, copy_archive

RUN, LITE = "SRR000001", "SRR000001.lite"


@contextlib.contextmanager
def offering(home: Home, shelf: Shelf, *formats: str) -> Iterator[ArchiveServer]:
    """Serve RUN in some formats."""
    files = {RUN: shelf.with_qualities().read_bytes(), LITE: shelf.lite().read_bytes()}
    with ArchiveServer(files).serving() as server:
        server.locator = lambda run: described(server, run, formats)
        home.env |= {
            "WORT_DOWNLOAD": "columns",
            "WORT_LOCATOR_URL": f"{server.url}/sdl/2/retrieve",
            "WORT_MIRRORS": "off",
        }
        yield server


def described(server: ArchiveServer, run: str, formats: tuple[str, ...]) -> dict[str, Any]:
    normalized, lite = (server.described(name)["files"] for name in (RUN, LITE))
    assert isinstance(normalized, list) and isinstance(lite, list)
    offered = {"normalized": normalized[0], "lite": lite[0] | {"noqual": True}}
    return {"bundle": run, "status": 200, "msg": "ok", "files": [offered[name] for name in formats]}


def reference(shelf: Shelf, format: str) -> bytes:
    return shelf.reference({"normalized": shelf.with_qualities(), "lite": shelf.lite()}[format], RUN)


@pytest.mark.parametrize(
    ("quality", "offered", "read"),
    [
        ("prefer-normalized", ("lite", "normalized"), "normalized"),
        ("prefer-normalized", ("lite",), "lite"),
        ("lite", ("normalized", "lite"), "lite"),
    ],
)
def test_setting_decides_and_the_format_is_recorded(
    quality: str, offered: tuple[str, ...], read: str, home: Home, shelf: Shelf
) -> None:
    with offering(home, shelf, *offered):
        home("compute", RUN, "--now", env={"WORT_QUALITY": quality}).expect(0)
    assert home.signature(RUN) == reference(shelf, read)
    seen = home("view", RUN, "--json").records()[0]
    assert seen["provenance"]["format"] == read


@pytest.mark.parametrize(("quality", "offered"), [("normalized", ("lite",)), ("lite", ("normalized",))])
def test_job_waits_where_the_allowed_format_does_not_exist(
    quality: str, offered: tuple[str, ...], home: Home, shelf: Shelf
) -> None:
    with offering(home, shelf, *offered):
        home("compute", RUN, "--now", env={"WORT_QUALITY": quality})
    assert (home.job(RUN).state, home.job(RUN).reason) == ("waiting", "no-data")
    assert home.signature_files() == []


def test_formats_give_different_signatures(shelf: Shelf) -> None:
    assert reference(shelf, "lite") != reference(shelf, "normalized")


@pytest.mark.parametrize("depth", ["--full", "--quick"])
def test_verification_recognizes_a_signature_of_the_other_format(depth: str, home: Home, shelf: Shelf) -> None:
    submitted = home("submit", "-", "--no-verify", "--json", stdin=reference(shelf, "normalized")).expect(0).records()
    digest = (submitted[0] if isinstance(submitted, list) else submitted)["digest"]
    with offering(home, shelf, "normalized", "lite"):
        done = home("verify", digest, "--now", depth, "--json", env={"WORT_QUALITY": "lite"}).expect(5)
    (row,) = done.records()
    verdict = row["verdict"]
    assert (row["trust"], verdict["format"], verdict["made_from"]) == ("mismatch", "lite", "normalized")
    assert "normalized archive" in verdict["cause"]
    assert f"--{verdict['depth']}" == depth
    seen = home("view", digest, "--json").records()[0]
    assert "normalized archive" in seen["verdict"]["cause"]
    assert home.leftovers() == []


def test_other_format_beside_the_archive_is_used_without_a_request(home: Home, shelf: Shelf) -> None:
    directory = home.root / "archives"
    copy_archive(shelf.with_qualities(), directory / RUN / f"{RUN}.sra")
    copy_archive(shelf.lite(), directory / RUN / f"{RUN}.sralite")
    submitted = home("submit", "-", "--no-verify", "--json", stdin=reference(shelf, "lite")).expect(0).records()
    digest = (submitted[0] if isinstance(submitted, list) else submitted)["digest"]
    done = home("verify", digest, "--now", "--json", env={"WORT_ARCHIVES": str(directory)}).expect(5)
    (row,) = done.records()
    assert (row["verdict"]["format"], row["verdict"]["made_from"]) == ("normalized", "lite")


def test_signature_of_neither_format_gets_another_cause(home: Home, shelf: Shelf) -> None:
    document = json.loads(reference(shelf, "normalized"))
    for sketch in document[0]["signatures"]:
        sketch["abundances"] = [2 * number for number in sketch["abundances"]]
    submitted = home("submit", "-", "--no-verify", "--json", stdin=json.dumps(document)).expect(0).records()
    digest = (submitted[0] if isinstance(submitted, list) else submitted)["digest"]
    with offering(home, shelf, "normalized", "lite"):
        (row,) = home("verify", digest, "--now", "--json").expect(5).records()
    assert row["verdict"]["made_from"] == ""
    assert "2 times" in row["verdict"]["cause"]
