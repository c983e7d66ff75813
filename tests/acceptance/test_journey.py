"""A user of `wort serve` in a browser, from end to end: a daemon runs, a server on loopback is NCBI."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.acceptance.test_download import serving as serving_archives
from tests.support.archive_server import ArchiveServer
from tests.support.browser import Browser, browsing
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.served_home import ServedHome, served_home
from tests.support.shelf import Shelf
from tests.support.web_server import serving
from wort_cli.health.status import read_status
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import load_settings
from wort_cli.web.pages.daemon_view import DaemonView
from wort_cli.web.pages.lists_of_jobs import ROWS, queue_page

RUN, OTHER, ABSENT = "SRR000001", "SRR000002", "SRR000404"
MANY = 100_000
FILLED = 9
"""Jobs of a served home before others are added."""


@dataclass(frozen=True)
class World:
    """A home whose daemon fetches from `archives`, a person's browser, and a token with all rights."""

    home: Home
    archives: ArchiveServer
    browser: Browser
    token: str
    archive: Path


@pytest.fixture(scope="module")
def world(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = Home(tmp_path_factory.mktemp("journey") / "h")
    archive = shelf.with_qualities()
    with serving_archives(home, archive) as archives:
        token = home("token", "add", "ann", "--may", "read,compute,submit,cancel,retry,pause").expect(0).out.strip()
        home("daemon", "start").expect(0)
        with serving(home) as server, browsing(server.url, tmp_path_factory.mktemp("chromium")) as browser:
            yield World(home, archives, browser, token, archive)
        home("daemon", "stop")
    home.end()


def share(browser: Browser, part: str = "#standing") -> float:
    """Return how far the bar in a part of the page is, from 0 to 1; -1 if there is none."""
    script = "return document.querySelector(arguments[0])?.getAttribute('value') ?? -1"
    return float(browser.driver.execute_script(script, f"{part} progress"))


def signed_in(world: World) -> Browser:
    """Sign in, unless that was done; return the browser."""
    if "Sign out" not in world.browser.text(".who"):
        world.browser.open("/sign-in")
        world.browser.type("#token", world.token)
        world.browser.press("Sign in")
    return world.browser


def test_person_queues_a_run_and_sees_it_computed(world: World) -> None:
    browser, archives = world.browser, world.archives
    browser.open("/")
    browser.search(RUN.lower())
    assert browser.path == f"/view/sra/{RUN}/"
    assert "Not known here" in browser.text("#standing")
    browser.follow("Sign in")
    assert browser.text("h1") == "Sign in"
    browser.type("#token", world.token)
    browser.press("Sign in")
    assert browser.path.startswith(f"/view/sra/{RUN}/"), "one is led back"

    size = world.archive.stat().st_size
    archives.allowed = archives.sent + 0.3 * size
    browser.press("Queue it")
    assert "ann" in browser.text(".who")
    first = until(lambda: (found := share(browser)) > 0 and found, "the bar moves")
    assert "fetching" in browser.text("#standing")
    archives.allowed += 0.2 * size
    until(lambda: share(browser) > first, "the bar moves on")
    browser.open("/queue")
    assert RUN in browser.text(".progressing")
    assert browser.count(".progressing progress") == 1
    browser.open(f"/view/sra/{RUN}/")
    archives.allowed = float("inf")

    until(lambda: "Available" in browser.text("#standing"), "the signature is there")
    until(lambda: browser.count(".histogram svg") == 3, "the histograms are drawn")
    assert "computed" in browser.text(".promise")
    titles = "return [...document.querySelectorAll('.histogram rect title')].map(e => e.textContent)"
    assert any(
        re.fullmatch(r"abundance [\d, to]+: [\d,]+ hash(es)?", one) for one in browser.driver.execute_script(titles)
    )
    assert browser.faults() == []
    assert browser.errors() == []


def test_person_finds_out_why_a_run_is_missing(world: World) -> None:
    browser = signed_in(world)
    browser.search(ABSENT)
    browser.press("Queue it")
    until(lambda: "not-found" in browser.text("#standing"), "the run was looked for")
    assert "Unavailable" in browser.text("#standing")
    assert "What can be done" in browser.text("#standing")
    browser.open("/queue?state=unavailable")
    assert ABSENT in browser.text("#jobs")
    browser.search(f"{RUN} {ABSENT}")
    assert [cell.text for cell in browser.driver.find_elements("css selector", "tbody th")] == [RUN, ABSENT]
    assert "unavailable" in browser.text("tbody tr:nth-child(2)")
    assert browser.faults() == []
    assert browser.errors() == []


def test_person_submits_a_signature_and_sees_it_verified(world: World, shelf: Shelf) -> None:
    browser, archives = signed_in(world), world.archives
    archives.files[OTHER] = world.archive.read_bytes()
    archives.allowed = archives.sent + 0.3 * world.archive.stat().st_size
    file = world.home.root / f"{OTHER}.sig"
    file.write_bytes(shelf.reference(world.archive, OTHER))
    browser.open("/submit")
    assert browser.faults() == []
    browser.type("#file", str(file))
    browser.press("Submit")
    assert browser.path.startswith("/submission/")
    until(lambda: browser.count("#checks li") == browser.count("#checks li.passed") > 5, "all checks have passed")
    assert browser.text("h1") == OTHER
    until(lambda: "unverified" in browser.text("#standing"), "its trust is shown")
    first = until(lambda: (found := share(browser, "#course")) > 0 and found, "the reads are fetched")
    assert "fetching" in browser.text("#course")
    archives.allowed += 0.2 * world.archive.stat().st_size
    until(lambda: share(browser, "#course") > first, "the bar moves on")
    archives.allowed = float("inf")
    until(lambda: "Verified" in browser.text("#standing"), "the signature is verified")
    assert browser.count("#course .steps li.passed") == browser.count("#course .steps li") > 3
    assert browser.faults() == []
    browser.search(OTHER)
    assert "Available" in browser.text("#standing")
    assert "verified" in browser.text(".promise")
    assert browser.errors() == []


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with served_home(tmp_path_factory.mktemp("many") / "h") as home:
        ledger = Ledger(home.ledger)
        ServedHome(home.path, ledger).add_many_jobs(MANY)
        ledger.close()
        yield home


def test_every_job_of_a_long_queue_is_on_one_page(large: Home) -> None:
    ledger = Ledger(large.ledger)
    daemon = DaemonView.of(read_status(load_settings({"WORT_HOME": str(large.path)}), ledger))
    seen, before = [], None
    while True:
        page = queue_page(ledger, daemon, JobFilter(), before)
        seen += [job.job for job in page.jobs]
        if page.next_before is None:
            break
        before = page.next_before
    ledger.close()
    assert seen == list(range(MANY + FILLED, 0, -1))


def test_person_pages_through_a_hundred_thousand_jobs(large: Home, tmp_path: Path) -> None:
    with serving(large) as server, browsing(server.url, tmp_path) as browser:
        browser.open("/queue")
        assert f"{MANY + FILLED:,} jobs, the newest first" in browser.text("#jobs")
        seen = numbers(browser)
        for _ in range(4):
            browser.follow("Older jobs")
            seen += numbers(browser)
        assert seen == list(range(MANY + FILLED, MANY + FILLED - 5 * ROWS, -1))
        assert browser.count("#jobs tbody tr") == ROWS
        back = []
        while browser.count("a[rel=prev]"):
            browser.follow("Newer jobs")
            back += numbers(browser)[::-1]
        assert back == seen[: 4 * ROWS][::-1]
        for words in ("Older jobs", "Older jobs", "Newest"):
            browser.follow(words)
        assert numbers(browser) == seen[:ROWS]

        browser.type("#before", f"51{Keys.ENTER}")
        until(lambda: "before=51" in browser.path, "another page")
        until(lambda: numbers(browser) == list(range(50, 0, -1)), "the oldest jobs")
        assert browser.count("a[rel=next]") == 0
        browser.open("/queue?state=failed")
        assert browser.count("#jobs tbody tr") == 1
        browser.open("/")
        assert f"{MANY + 3:,}" in browser.text("#queue")
        assert browser.faults() == []
        assert browser.errors() == []


def numbers(browser: Browser) -> list[int]:
    """Return the numbers of the jobs on the page."""
    script = "return [...document.querySelectorAll('#jobs tbody td:first-child')].map(cell => Number(cell.innerText))"
    return list(browser.driver.execute_script(script))
