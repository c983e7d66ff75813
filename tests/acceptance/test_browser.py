"""The pages of `wort serve` in a browser, as a person uses them."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.support.browser import Browser, browsing
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.served_home import (
    DONE,
    FAILED,
    FOUND,
    GROUP,
    NOBODY,
    RUNNING,
    UNAVAILABLE,
    ServedHome,
    served_home,
)
from tests.support.web_server import WebServer, serving
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.job import Progress

MANY = [f"SRR{number}" for number in range(3_000_000, 3_000_120)]
PAGES = (
    "/",
    f"/view/sra/{DONE}/",
    f"/view/sra/{FOUND}/",
    f"/view/sra/{FAILED}/",
    f"/view/sra/{RUNNING}/",
    f"/view/sra/{NOBODY}/",
    "/queue",
    "/catalog",
    "/groups",
    f"/group/{GROUP}/",
    f"/search?q={DONE}+{UNAVAILABLE}+x",
    "/about",
    "/v1/ui/",
    "/sign-in",
    "/submit",
    f"/compare?a={DONE}&b={FOUND}",
    "/nowhere",
)
OFFERS = (
    f"/view/sra/{DONE}/",
    f"/view/sra/{FAILED}/",
    f"/view/sra/{NOBODY}/",
    "/queue",
    f"/group/{GROUP}/",
    f"/search?q={DONE}+{UNAVAILABLE}+{NOBODY}",
    "/jobs/cancel?state=queued",
    "/submit",
    "/sign-in",
)
"""Pages with forms for those who have signed in."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with served_home(tmp_path_factory.mktemp("browser") / "h") as made:
        yield made


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[WebServer]:
    with serving(home) as running:
        yield running


@pytest.fixture(scope="module")
def browser(server: WebServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(server.url, tmp_path_factory.mktemp("chromium")) as made:
        yield made


def test_person_finds_a_run_and_why_another_is_missing(browser: Browser) -> None:
    browser.open("/")
    browser.search(DONE.lower())
    assert browser.path == f"/view/sra/{DONE}/"
    assert browser.text("h1") == DONE
    assert "Available" in browser.text("#standing")
    assert until(lambda: browser.count(".histogram svg") == 3, "the histograms are drawn")
    assert "peaks at 12, 52, 331" in browser.text("#histograms")
    browser.search(UNAVAILABLE)
    assert "it was withdrawn, or NCBI has suppressed it" in browser.text("#standing")
    assert "the submitters withdrew it on 2021-03-04" in browser.text("#standing")
    assert browser.errors() == []


def test_person_checks_a_list(browser: Browser) -> None:
    browser.open("/")
    browser.click(".paste summary")
    browser.driver.find_element("id", "list").send_keys(f"{DONE}\n{UNAVAILABLE}\n{NOBODY}\nnonsense")
    with browser.leaving("the list"):
        browser.click(".paste button")
    assert browser.path.startswith("/search?")
    assert browser.text("h1") == "3 names"
    assert browser.count("tbody tr") == 3
    assert "nonsense" in browser.text()
    assert browser.errors() == []


def test_running_job_moves_while_the_page_is_open(browser: Browser, home: Home) -> None:
    browser.open(f"/view/sra/{RUNNING}/")
    assert "62%" in browser.text("#standing")
    browser.driver.execute_script("window.unchanged = true")
    ledger = Ledger(home.ledger)
    (job,) = ledger.jobs.named(parse_name(RUNNING))
    assert job.progress is not None
    now = job.progress.at + 30
    ledger.attempts.report_progress(job.id, job.attempt, Progress("sketching", 810_000, 1_000_000, 243_000_000, now))
    until(lambda: "81%" in browser.text("#standing"), "the page shows the progress")
    assert browser.driver.execute_script("return window.unchanged"), "the page was not loaded again"
    ledger.jobs.cancel([job.id])
    ledger.close()
    until(lambda: "Its job was cancelled" in browser.text("#standing"), "the page shows the end")
    assert browser.errors() == []


def test_person_pages_through_the_queue(browser: Browser, home: Home) -> None:
    ledger = Ledger(home.ledger)
    before = len(home.jobs())
    ServedHome(home.path, ledger).add_jobs(MANY)
    ledger.close()
    browser.open("/queue")
    seen: list[str] = []
    while True:
        seen += [cell.text for cell in browser.driver.find_elements("css selector", "#jobs td:first-child")]
        if not browser.count("a[rel=next]"):
            break
        browser.follow("Older jobs")
    assert seen == [str(number) for number in range(before + len(MANY), 0, -1)]
    browser.open("/queue?state=failed")
    assert browser.count("#jobs tbody tr") == 1
    assert FAILED in browser.text("#jobs")
    assert browser.errors() == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_page_has_no_serious_fault_of_accessibility(browser: Browser, path: str, dark: bool) -> None:
    browser.show_as(dark=dark)
    browser.open(path)
    assert browser.faults() == []
    assert browser.errors() == []


@pytest.mark.parametrize("path", PAGES)
def test_page_fits_on_a_phone(browser: Browser, path: str) -> None:
    browser.show_as(width=360)
    browser.open(path)
    assert not browser.overflows()
    assert browser.faults() == []
    browser.show_as()


@pytest.fixture(scope="module")
def owner(home: Home, server: WebServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The browser of a person who has signed in."""
    secret = home("token", "add", "ann", "--may", "read,compute,submit,cancel,retry,pause").expect(0).out.strip()
    with browsing(server.url, tmp_path_factory.mktemp("chromium")) as made:
        made.open("/sign-in")
        made.type("#token", secret)
        made.press("Sign in")
        yield made


@pytest.mark.parametrize("path", OFFERS)
def test_page_that_offers_changes_has_no_fault(owner: Browser, path: str) -> None:
    for dark, width in ((False, 1280), (True, 360)):
        owner.show_as(dark=dark, width=width)
        owner.open(path)
        assert owner.faults() == []
        assert not owner.overflows()
    assert owner.errors() == []


def test_page_can_be_used_with_keys_alone(browser: Browser) -> None:
    browser.show_as()
    browser.open(f"/view/sra/{DONE}/")
    body = browser.driver.find_element("css selector", "body")
    body.send_keys(Keys.TAB)
    assert browser.driver.switch_to.active_element.text == "Skip to the content"
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert browser.driver.execute_script(outline) == "solid", "the focus is seen"
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.path.endswith("#content")
    browser.driver.switch_to.active_element.send_keys(Keys.TAB)
    focused = "return document.getElementById('content').contains(document.activeElement)"
    assert browser.driver.execute_script(focused), "the next key leads into the content"


def test_button_copies_a_line_and_says_so(browser: Browser) -> None:
    browser.open(f"/view/sra/{DONE}/")
    allowed = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": browser.base}
    browser.driver.execute_cdp_cmd("Browser.grantPermissions", allowed)
    browser.click(".command .copy")
    line = f"curl -fL -o {DONE}.sig.gz {browser.base}/v1/view/sra/{DONE}"
    until(lambda: browser.text("#said") == f"Copied {line}", "it is said")
    copied = "navigator.clipboard.readText()"
    result = browser.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": copied, "awaitPromise": True})
    assert result["result"]["value"] == line


def test_faults_would_be_found(browser: Browser) -> None:
    browser.open("/about")
    browser.driver.execute_script(
        "document.querySelector('main').append(new Image(), document.createElement('select'))"
    )
    assert sorted(fault.partition(":")[0] for fault in browser.faults()) == ["image-alt", "select-name"]


def test_pages_work_without_scripts(server: WebServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    with browsing(server.url, tmp_path_factory.mktemp("chromium"), scripts=False) as browser:
        browser.open(f"/view/sra/{DONE}/")
        assert browser.count(".copy") == 0, "no script ran"
        browser.open(f"/view/sra/{DONE}/")
        assert browser.count(".histogram svg") == 3
        browser.driver.find_element("id", "q").send_keys(UNAVAILABLE, "\n")
        until(lambda: browser.path == f"/view/sra/{UNAVAILABLE}/", "the page of the run")
        browser.open("/queue")
        assert browser.count("noscript meta[http-equiv=refresh]") == 1
