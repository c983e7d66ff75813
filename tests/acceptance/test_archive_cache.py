"""Fetched parts of an archive are kept for later jobs of the run, if the user wants that."""

from pathlib import Path

from tests.acceptance.test_download import RUN, serving
from tests.support.homes import Home
from tests.support.shelf import Shelf


def cached(home: Home) -> list[str]:
    """Return the runs whose archives are in the cache."""
    return sorted(path.name.partition("-")[0] for path in (home.path / "archives").glob("*"))


def test_nothing_is_kept_by_default(home: Home, shelf: Shelf) -> None:
    with serving(home, shelf.with_qualities()):
        home("compute", RUN, "--now").expect(0)
    assert cached(home) == []


def test_later_job_of_the_run_fetches_nothing_again(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    home.env["WORT_CACHE_BYTES"] = "1000000000"
    with serving(home, archive) as server:
        home("compute", RUN, "--now").expect(0)
        assert cached(home) == [RUN]
        fetched = [request for request in server.requests if request.method == "GET"]
        home("compute", RUN, "--now", "--force").expect(0)
        assert [request for request in server.requests if request.method == "GET"] == fetched
        damage(home.path / "archives")
        home("compute", RUN, "--now", "--force").expect(0)
        assert len(server.requests) > len(fetched) + 2, "damaged bytes are fetched again"
    assert home.signature(RUN) == shelf.reference(archive, RUN)


def damage(cache: Path) -> None:
    """Change a byte in the needed part of the only archive in the cache."""
    (file,) = cache.glob("*/*.sra")
    data = bytearray(file.read_bytes())
    place = next(n for n in range(len(data) // 4, len(data)) if data[n])
    data[place] ^= 1
    file.write_bytes(data)


def test_two_jobs_of_one_run_do_not_share_an_archive(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    home.env |= {"WORT_CACHE_BYTES": "1000000000", "WORT_JOBS": "2"}
    with serving(home, archive):
        home("compute", RUN, "--now").expect(0)
        home("verify", RUN).expect(0)
        home("compute", RUN, "--force").expect(0)
        home("daemon", "start").expect(0)
        home("wait", "--all").expect(0)
    assert [job.state for job in home.jobs()] == ["done"] * 3
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    assert cached(home) == [RUN]
