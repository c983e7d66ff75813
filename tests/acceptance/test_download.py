"""A run that is only named is located, fetched by columns, proved, and sketched as well as one on disk."""

import contextlib
import json
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.archive_server import ArchiveServer, Fate, Request
from tests.support.homes import Home
from tests.support.locator_answers import file_entry, run_entry
from tests.support.polling import until
from tests.support.shelf import WITH_READS, Shelf
from wort_cli.pipeline.archives.blob_index import read_index
from wort_cli.pipeline.archives.columns import select
from wort_cli.pipeline.archives.kar import Extent, read_header, read_table

RUN = "SRR000001"
IN_SLICES = {"WORT_SLICE_BASES": "1000000"}
"""For archives that are read while they arrive."""


@contextlib.contextmanager
def serving(home: Home, archive: Path, **server: Any) -> Iterator[ArchiveServer]:
    """Serve an archive as RUN by a locator, and have a home use that and nothing else."""
    with ArchiveServer({RUN: archive.read_bytes()}, **server).serving() as served:
        home.env |= {
            "WORT_DOWNLOAD": "columns",
            "WORT_LOCATOR_URL": f"{served.url}/sdl/2/retrieve",
            "WORT_MIRRORS": "off",
            "WORT_STALL_TIMEOUT": "60",
            "WORT_REQUEST_PAUSE": "1",
        }
        yield served


def provenance(home: Home) -> dict[str, Any]:
    path = home.signature_file(RUN).with_name(f"{RUN}.prov.json")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


@pytest.mark.parametrize("layout", WITH_READS)
@pytest.mark.parametrize("decoder", ["auto", "fastq-dump"])
def test_signature_equals_the_reference(layout: str, decoder: str, home: Home, shelf: Shelf) -> None:
    archive = shelf.archive(layout)
    with serving(home, archive) as server:
        home("compute", RUN, "--now", env={"WORT_DECODER": decoder}).expect(0)
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    found = provenance(home)
    assert (found["source"], found["format"], found["identified"]) == ("remote", "normalized", True)
    assert found["proved_by"] in ("column-md5s", "archive-md5")
    assert found["url"] == f"{server.url}/{RUN}"
    assert found["source_size"] == archive.stat().st_size
    assert home.leftovers() == []


@pytest.mark.parametrize("decoder", ["auto", "fastq-dump"])
def test_only_the_needed_columns_are_fetched(decoder: str, home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    data = archive.read_bytes()
    needed = select(read_table(data, len(data)), "fastq-dump").size
    assert needed < 0.8 * len(data)
    with serving(home, archive) as server:
        home("compute", RUN, "--now", env={"WORT_DECODER": decoder}).expect(0)
        assert server.sent < needed + 140_000
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    assert provenance(home)["proved_by"] == "column-md5s"


def test_whole_archive_is_fetched_on_request(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    with serving(home, archive) as server:
        home("compute", RUN, "--now", env={"WORT_DOWNLOAD": "whole"}).expect(0)
        assert server.sent >= archive.stat().st_size
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    assert provenance(home)["proved_by"] == "archive-md5"


@pytest.mark.parametrize("seed", range(12))
def test_damaged_byte_leads_to_the_right_bytes_or_to_a_reason(seed: int, home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    data = bytearray(archive.read_bytes())
    table = read_table(bytes(data), len(data))
    rng = random.Random(seed)
    places = [
        rng.randrange(read_header(bytes(data)).data_offset),
        *(rng.randrange(extent.offset, extent.end) for extent in table.values() if extent.size),
    ]
    with serving(home, archive) as server:
        data[rng.choice(places)] ^= 1 << rng.randrange(8)
        described = server.described(RUN)
        server.locator = lambda run: described
        server.files[RUN] = bytes(data)
        done = home("compute", RUN, "--now", env=IN_SLICES)
    if done.code == 0:
        assert home.signature(RUN) == shelf.reference(archive, RUN)
    else:
        assert home.signature_files() == []
        assert home.job(RUN).reason == "corrupt"


def test_second_mirror_is_used_where_the_first_one_damages(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()

    def damage(request: Request) -> Fate:
        return Fate(change=lambda body: bytes(len(body))) if request.path == f"/{RUN}" else Fate()

    with serving(home, archive) as server:
        server.files["good"] = archive.read_bytes()
        server.locator = lambda run: server.described(run, f"{server.url}/{RUN}", f"{server.url}/good")
        server.fate = damage
        home("compute", RUN, "--now").expect(0)
    assert home.signature(RUN) == shelf.reference(archive, RUN)


def bases_and_first_blob(archive: Path) -> tuple[Extent, Extent]:
    """Return where in an archive the bases are, and the first blob of them; all blobs but the last have its size."""
    data = archive.read_bytes()
    table = read_table(data, len(data))
    column = "tbl/SEQUENCE/col/READ"
    bases = table[f"{column}/data"]
    files = [table[f"{column}/{name}"] for name in ("idx", "idx1", "idx2")]
    (blob,) = read_index(*(data[file.offset : file.end] for file in files)).extents(1, 1)
    return bases, Extent(bases.offset + blob.offset, blob.size)


def log_of_job(home: Home) -> str:
    return "".join(path.read_text() for path in sorted(home.path.glob("logs/jobs/**/*.log")))


def hold_last_bases(home: Home, request: Request, bases: Extent) -> None:
    """Let the last third of the bases wait until the first slice is read, however long that takes to begin."""
    if bases.offset + 2 * bases.size // 3 < request.first < bases.end:
        until(lambda: "reading spots 1 to " in log_of_job(home), "the first slice is read")


def test_first_slice_is_read_while_the_others_arrive(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    bases, _ = bases_and_first_blob(archive)

    def fate(request: Request) -> Fate:
        hold_last_bases(home, request, bases)
        return Fate()

    with serving(home, archive, rate=400_000) as server:
        server.fate = fate
        home("compute", RUN, "--now", env=IN_SLICES).expect(0)
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    log = log_of_job(home)
    assert log.count("reading spots ") > 1
    assert log.index("reading spots 1 to ") < log.rindex("fetched ")


@pytest.mark.parametrize("damage", ["byte", "blobs"])
def test_slices_that_were_read_before_damage_was_found_are_read_again(damage: str, home: Home, shelf: Shelf) -> None:
    """The checksum of a blob finds a wrong byte at once; blobs that changed places are found at the end, by the md5."""
    archive = shelf.with_qualities()
    good = archive.read_bytes()
    bases, first = bases_and_first_blob(archive)
    second = Extent(first.end, first.size)
    bad = bytearray(good)
    if damage == "byte":
        bad[first.offset + first.size // 2] ^= 4
    else:
        bad[first.offset : first.end] = good[second.offset : second.end]
        bad[second.offset : second.end] = good[first.offset : first.end]
    left = bases.size

    def fate(request: Request) -> Fate:
        nonlocal left
        hold_last_bases(home, request, bases)
        if request.path != f"/{RUN}" or left <= 0:
            return Fate()
        left -= max(0, min(request.last + 1, bases.end) - max(request.first, bases.offset))
        return Fate(body=bytes(bad[request.first : request.last + 1]))

    with serving(home, archive, rate=400_000) as server:
        server.fate = fate
        home("compute", RUN, "--now", env=IN_SLICES).expect(0)
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    assert "what had been read while the archive arrived was damaged" in log_of_job(home)
    assert provenance(home)["decoders"] == ["libncbi-vdb.so.3"]


def test_download_that_breaks_off_while_slices_are_read_fails_the_job(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    bases, _ = bases_and_first_blob(archive)
    with serving(home, archive, rate=400_000) as server:
        server.fate = lambda request: Fate(status=404) if request.first > bases.offset + bases.size // 3 else Fate()
        failed = home("compute", RUN, "--now", env=IN_SLICES)
    assert failed.code != 0
    assert home.signature_files() == []
    assert home.job(RUN).reason == "no-data"
    home("cancel", RUN).expect(0)


def test_mirror_is_used_without_a_locator_and_the_run_is_not_identified(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    with serving(home, archive) as server:
        home("compute", RUN, "--now", env={"WORT_LOCATOR_URL": "off", "WORT_MIRRORS": f"{server.url}/{{run}}"}).expect(
            0
        )
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    assert (provenance(home)["identified"], provenance(home)["proved_by"]) == (False, "column-md5s")


@pytest.mark.parametrize("md5", ["", "0" * 32])
def test_archive_on_disk_without_sums_is_proved_by_the_md5_of_the_locator(md5: str, home: Home, shelf: Shelf) -> None:
    """With another md5 it may be an older archive: nothing proves it."""
    archive = shelf.without_sums()
    home.keep(RUN, archive)
    with serving(home, archive) as server:
        data = archive.read_bytes()
        server.locator = lambda run: run_entry(run, file_entry(run, data, [f"{server.url}/x"], md5 or None))
        if md5:
            home("compute", RUN, "--now").expect(75, "nothing proves", "NCBI's locator gave no md5 of it")
            assert (home.job(RUN).state, home.job(RUN).reason) == ("waiting", "unprovable")
            home("cancel", RUN).expect(0)
        home("compute", RUN, "--now", env={"WORT_ACCEPT_UNPROVED": "true"}).expect(0)
        assert server.sent < 3000
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    found = provenance(home)
    trust = home.select("SELECT trust FROM signatures")
    if md5:
        assert (found["proved_by"], found["identified"], trust) == ("nothing", False, [("unproved",)])
    else:
        assert (found["proved_by"], found["identified"], trust) == ("archive-md5", True, [("computed",)])


def test_fetched_archive_that_nothing_proves_makes_no_signature(home: Home, shelf: Shelf) -> None:
    data = shelf.without_sums().read_bytes()
    with serving(home, shelf.without_sums()) as server:
        server.locator = lambda run: run_entry(run, file_entry(run, data, [f"{server.url}/{run}"], ""))
        assert "nothing proves the archive" in home("compute", RUN, "--dry-run").expect(0).out
        home("compute", RUN, "--now").expect(75, "nothing proves the archive")
    assert (home.job(RUN).state, home.job(RUN).reason) == ("waiting", "unprovable")
    assert home.signature_files() == []
    home("cancel", RUN).expect(0)


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        ({"status": 404, "msg": "Cannot resolve accession"}, "unavailable", "not-found"),
        ({"status": 403, "msg": "Access denied"}, "unavailable", "controlled"),
        ({"status": 410, "msg": "gone"}, "unavailable", "withdrawn"),
        ({"status": 404, "msg": "No data"}, "waiting", "no-data"),
        ({"status": 403, "msg": "The run is not published yet"}, "waiting", "not-published"),
        ({"status": 406, "msg": "Location is required"}, "waiting", "locator-refused"),
        ({"status": 500, "msg": "Internal"}, "waiting", "network"),
    ],
)
def test_answer_of_the_locator_decides_what_becomes_of_the_job(
    answer: dict[str, object], state: str, reason: str, home: Home, shelf: Shelf
) -> None:
    with serving(home, shelf.archive()) as server:
        server.locator = lambda run: {"bundle": run, **answer}
        home("compute", RUN, "--now")
    job = home.job(RUN)
    assert (job.state, job.reason) == (state, reason)
    assert home.signature_files() == []


def test_killed_download_is_continued(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    size = archive.stat().st_size
    with serving(home, archive, rate=size / 8) as server:
        server.allowed = size / 2
        with home.running("compute", RUN, "--now") as process:
            until(lambda: server.sent > size / 4, "a part of the archive has arrived")
            (saved,) = until(lambda: list(home.path.glob("work/*/archive/*.map")), "the map is saved")
            process.signal(signal.SIGKILL)
        arrived = sum(length for _, length in json.loads(saved.read_text())["arrived"])
        server.rate, server.allowed = 0.0, float("inf")
        until(lambda: server.open == 0, "the server has noticed it")
        before = server.sent
        home("compute", RUN, "--now").expect(0)
        data = archive.read_bytes()
        needed = select(read_table(data, len(data)), "vdb").size
        assert server.sent - before <= needed + 140_000 - arrived
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    assert home.leftovers() == []


def test_daemon_is_unhealthy_while_the_locator_refuses_all_requests(home: Home, shelf: Shelf) -> None:
    with serving(home, shelf.archive("one_read")) as server:
        server.locator = lambda run: {"bundle": run, "status": 406, "msg": "Location is required"}
        home("daemon", "start").expect(0)
        home("compute", RUN, "SRR000002").expect(0)
        for run in (RUN, "SRR000002"):
            assert home.until_job(run, "waiting").reason == "locator-refused"
        (problem,) = until(lambda: home.problems_with("Location is required"), "the daemon is unhealthy")
        assert "refuses the requests of all jobs" in problem
        server.locator = server.described
        home("retry", RUN).expect(0)
        home.until_job(RUN, "done")
        until(lambda: home("daemon", "status").code == 0, "the daemon is healthy")
        assert home.job("SRR000002").state in ("waiting", "unavailable")  # the server does not have it


def test_quick_verification_of_a_named_run_fetches_slices(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    data = archive.read_bytes()
    needed = select(read_table(data, len(data)), "vdb").size
    submitted = home("submit", "-", "--no-verify", "--json", stdin=shelf.reference(archive, RUN)).expect(0).records()
    digest = (submitted[0] if isinstance(submitted, list) else submitted)["digest"]
    with serving(home, archive) as server:
        (row,) = home("verify", digest, "--now", "--quick", "--json").expect(0).records()
        assert server.sent < needed / 2
    assert (row["trust"], row["verdict"]["format"]) == ("quick-checked", "normalized")


def test_quick_verification_fetches_all_before_it_refutes(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    damaged: list[Request] = []
    data = archive.read_bytes()
    reads = read_table(data, len(data))["tbl/SEQUENCE/col/READ/data"]
    document = json.loads(shelf.reference(archive, RUN))
    submitted = home("submit", "-", "--no-verify", "--json", stdin=json.dumps(document)).expect(0).records()
    digest = (submitted[0] if isinstance(submitted, list) else submitted)["digest"]

    def damage_once(request: Request) -> Fate:
        if request.path != f"/{RUN}" or request.last < reads.offset or len(damaged) > 3:
            return Fate()
        damaged.append(request)
        return Fate(change=lambda body: bytes(byte ^ 1 for byte in body))

    with serving(home, archive) as server:
        server.fate = damage_once
        (row,) = home("verify", digest, "--now", "--quick", "--json").expect(0).records()
    assert damaged
    assert row["trust"] == "quick-checked"
    assert home.leftovers() == []
