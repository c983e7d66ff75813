"""`wort fetch` on a machine with a network, and `wort compute` from the result on one without."""

import json
import signal
from pathlib import Path

import pytest

from tests.acceptance.test_download import RUN, provenance, serving
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf, copy_archive

OFFLINE = {"WORT_LOCATOR_URL": "off", "WORT_MIRRORS": "off"}


@pytest.mark.parametrize(("decoder", "whole"), [("auto", False), ("fastq-dump", False), ("auto", True)])
def test_signature_from_a_fetched_archive_needs_no_network(
    decoder: str, home: Home, shelf: Shelf, *, whole: bool
) -> None:
    archive = shelf.with_qualities()
    directory = home.root / "fetched"
    with serving(home, archive) as server:
        fetched = home("fetch", RUN, "-o", directory, "--json", *(["--whole"] if whole else [])).expect(0).records()
    (record,) = fetched
    assert (record["name"], record["state"], record["format"]) == (RUN, "fetched", "normalized")
    assert record["archive_size"] == archive.stat().st_size
    assert (record["fetched"] == record["archive_size"]) == whole
    home("compute", RUN, "--now", env={**OFFLINE, "WORT_DECODER": decoder, "WORT_ARCHIVES": str(directory)}).expect(0)
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    found = provenance(home)
    assert (found["identified"], found["url"], found["format"]) == (True, f"{server.url}/{RUN}", "normalized")
    assert found["proved_by"] == ("archive-md5" if whole else "column-md5s")
    assert (found["source"], found["source_size"]) == (record["path"], archive.stat().st_size)
    assert len(found["source_md5"]) == 32


def test_damaged_columns_make_no_signature(home: Home, shelf: Shelf) -> None:
    with serving(home, shelf.with_qualities()):
        path = Path(home("fetch", RUN, "--json").expect(0).records()[0]["path"])
    assert path == home.cwd / RUN / f"{RUN}.sra.columns"
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(bytes(data))
    home("compute", RUN, "--now", env=OFFLINE).expect(1, "corrupt", "wort fetch")
    assert home.signature_files() == []


def test_columns_are_used_by_their_path_only_with_their_record(home: Home, shelf: Shelf) -> None:
    with serving(home, shelf.with_qualities()):
        path = Path(home("fetch", RUN, "--json").expect(0).records()[0]["path"])
    record = path.with_name(f"{path.name}.json")
    home("compute", path, "-n").expect(0)
    record.rename(record.with_suffix(".away"))
    home("compute", path, "--now", env=OFFLINE).expect(1, "not-an-archive", "no record says which")


def test_file_named_after_a_run_is_that_run(home: Home, shelf: Shelf) -> None:
    path = copy_archive(shelf.archive(), home.cwd / "x" / f"{RUN}.sralite.1")
    home("compute", path, "--now").expect(0)
    assert home.signature(RUN) == shelf.reference(shelf.archive(), RUN)


def test_named_archive_of_a_format_that_is_not_allowed_is_refused(home: Home, shelf: Shelf) -> None:
    path = copy_archive(shelf.archive(), home.cwd / f"{RUN}.sra")
    home("compute", path, "--now", env={"WORT_QUALITY": "lite"}).expect(1, "wrong-format", "WORT_QUALITY")
    assert home.signature_files() == []


def test_file_that_is_no_archive_is_named_where_nothing_else_can_be_tried(home: Home) -> None:
    page = home.root / "archives" / f"{RUN}.sra"
    page.parent.mkdir()
    page.write_text("<html>")
    env = {**OFFLINE, "WORT_DOWNLOAD": "columns", "WORT_ARCHIVES": str(page.parent)}
    home("compute", RUN, "--now", env=env).expect(1, "not-an-archive", f"{page} is skipped")


def test_exit_code_says_whether_fetching_again_may_help(home: Home, shelf: Shelf) -> None:
    with serving(home, shelf.archive()) as server:
        home("fetch", "SRR999999").expect(3, "SRR999999: not-found")
        done = home("fetch", RUN, "-", stdin="SRR999999 # unknown\n").expect(0)
        assert [row[:2] for row in done.rows()] == [[RUN, "fetched"], ["SRR999999", "unavailable"]]
        server.locator = lambda run: {"bundle": run, "status": 500, "msg": "Internal"}
        home("fetch", "SRR000002").expect(75, "SRR000002: network", "run the same command again")
    assert [path.name for path in home.cwd.iterdir()] == [RUN]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no run is named"),
        (["PRJNA1", "x.sra"], "2 of these are no accessions of runs; nothing was done"),
        ([RUN, "-o", "/dev/null/x"], "-o '/dev/null/x': Not a directory"),
    ],
)
def test_wrong_arguments_change_nothing(arguments: list[str], message: str, home: Home) -> None:
    home("fetch", *arguments).expect(2, message)
    assert list(home.cwd.iterdir()) == []


def test_interrupted_fetch_stops_at_once_and_goes_on_later(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    with serving(home, archive, rate=archive.stat().st_size / 40) as server:
        server.allowed = archive.stat().st_size / 2
        with home.running("fetch", RUN, "--whole") as process:
            until(lambda: list(home.cwd.glob(f"{RUN}/.fetching/*.map")), "a part has arrived")
            process.signal(signal.SIGINT)
            process.wait().expect(130, "0 of 1 were fetched; run the same command again")
        (saved,) = home.cwd.glob(f"{RUN}/.fetching/*.map")
        arrived = sum(length for _, length in json.loads(saved.read_text())["arrived"])
        server.rate, server.allowed = 0.0, float("inf")
        until(lambda: server.open == 0, "the server has noticed it")
        before = server.sent
        home("fetch", RUN, "--whole").expect(0)
        assert server.sent - before <= archive.stat().st_size - arrived + 2000
    assert (home.cwd / RUN / f"{RUN}.sra").read_bytes() == archive.read_bytes()
