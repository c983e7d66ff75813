"""The pages of `wort serve` over HTTP: statuses, JSON twins, and nothing unescaped."""

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import quote
from xml.etree import ElementTree

import httpx
import pytest

from tests.support.served_home import (
    DONE,
    ESCAPE,
    FAILED,
    FOUND,
    GROUP,
    HOSTILE_GROUP,
    HTML,
    NOBODY,
    QUEUED,
    REFUTED,
    RUNNING,
    SUBMITTED,
    UNAVAILABLE,
    served_home,
)
from tests.support.visitor import visiting
from tests.support.web_server import WebServer, serving

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOSTILE_PATH = f"/group/{quote(HOSTILE_GROUP, safe='')}"
PAGES = {
    "/": 200,
    f"/view/sra/{DONE}/": 200,
    f"/view/sra/{FOUND}/": 200,
    f"/view/sra/{REFUTED}/": 200,
    f"/view/sra/{FAILED}/": 200,
    f"/view/sra/{UNAVAILABLE}/": 200,
    f"/view/sra/{RUNNING}/": 200,
    f"/view/sra/{SUBMITTED}/": 200,
    f"/view/sra/{NOBODY}/": 404,
    "/view/genomes/GCA_016787465.1/": 404,
    "/view/img/2522125045/": 404,
    "/queue": 200,
    f"/queue?state=queued&group={quote(HOSTILE_GROUP)}": 200,
    "/queue?reason=corrupt": 200,
    "/queue?before=4": 200,
    "/catalog": 200,
    "/catalog?start=SRR&trust=computed": 200,
    "/groups": 200,
    f"/group/{GROUP}/": 200,
    f"{HOSTILE_PATH}/": 200,
    f"/search?q={DONE}+{UNAVAILABLE}+{quote(HTML + ESCAPE)}": 200,
    "/about": 200,
    "/compare": 200,
    f"/compare?a={DONE}&b={FOUND.lower()}": 200,
    f"/compare?a={DONE}&b={NOBODY}": 200,
    "/sign-in": 200,
    "/submit": 200,
    f"/jobs/cancel?group={quote(HOSTILE_GROUP)}": 200,
    "/v1/ui/": 200,
}
REFUSED = {
    "/view/sra/SRR1/": 404,
    f"/view/sra/{quote(HTML, safe='')}/": 404,
    f"/view/srax/{DONE}/": 404,
    f"/view/sra/{DONE}/?profile=none": 404,
    "/group/nothing/": 404,
    "/nowhere": 404,
    "/jobs/delete": 404,
    "/submission/nothing/": 404,
    f"/queue?state={quote(HTML)}": 400,
    "/queue?before=x": 400,
    "/catalog?trust=none": 400,
    f"/compare?a={DONE}&b={quote(HTML)}": 400,
}


class Elements(HTMLParser):
    """Collects the elements of a page, and checks that they are nested."""

    VOID = ("meta", "link", "input", "br", "img", "path", "rect")

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID or tag in ("path", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with served_home(tmp_path_factory.mktemp("pages") / "h") as home, serving(home) as running:
        yield running


@pytest.fixture
def client(server: WebServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=PERSON, timeout=60) as made:
        yield made


@pytest.mark.parametrize("path", [*PAGES, *REFUSED])
def test_page_is_well_formed_and_has_nothing_from_outside_in_it(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == (PAGES | REFUSED)[path]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    page = Elements()
    page.feed(answer.text)
    assert page.open == []
    assert "img" not in page.names and "onerror" not in page.attributes and "style" not in page.attributes
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", answer.text)


def test_pages_with_forms_are_well_formed_too(server: WebServer) -> None:
    with visiting(server) as owner:
        owner.send(server.link.removeprefix(server.url), "/sign-in")
        for path, status in PAGES.items():
            answer = owner.open(path)
            assert answer.status_code == status
            page = Elements()
            page.feed(answer.text)
            assert page.open == [], path
            assert "img" not in page.names and not {"onerror", "onclick", "style"} & page.attributes
            forms = [form for form in owner.forms(path) if form.action not in ("/search", "/search.csv")]
            assert len({form.fields["csrf"] for form in forms}) == 1, path


@pytest.mark.parametrize("path", PAGES)
def test_page_has_a_twin_in_json(client: httpx.Client, path: str) -> None:
    page = client.get(path)
    found = re.search(r'<link rel="alternate" type="application/json" href="([^"]+)">', page.text)
    assert found is not None
    twin = client.get(found[1].replace("&amp;", "&"))
    assert twin.status_code == page.status_code
    assert twin.headers["content-type"] == "application/json"
    negotiated = client.get(path, headers={"Accept": "application/json"})
    assert negotiated.json().keys() == twin.json().keys()


@pytest.mark.parametrize("path", REFUSED)
def test_refusal_is_a_problem_document_for_programs(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers={"Accept": "*/*"})
    assert answer.status_code == REFUSED[path]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == REFUSED[path]


def test_interface_has_no_pages_for_its_errors(client: httpx.Client) -> None:
    assert client.get("/v1/nothing").headers["content-type"] == "application/problem+json"
    assert client.get(f"/wort-sra/sigs/{NOBODY}.sig").headers["content-type"] == "application/json"


def test_page_says_why_a_run_is_missing(client: httpx.Client) -> None:
    text = client.get(f"/view/sra/{UNAVAILABLE}/").text
    assert "it was withdrawn, or NCBI has suppressed it" in text
    assert "the submitters withdrew it on 2021-03-04" in text
    twin = client.get(f"/view/sra/{UNAVAILABLE}/?format=json").json()
    assert (twin["standing"], twin["reason"]) == ("unavailable", "withdrawn")


def test_what_the_page_says_to_copy_works(client: httpx.Client) -> None:
    text = client.get(f"/view/sra/{DONE}/").text
    found = re.search(rf"curl -fL -o {DONE}.sig.gz (\S+)</code>", text)
    assert found is not None
    file = client.get(found[1], follow_redirects=True)
    assert file.status_code == 200
    assert file.headers["wort-trust"] == "computed"
    assert "/v1/view/" not in client.get(f"/view/sra/{REFUTED}/").text, "what was refuted is not offered"
    badge = re.search(r"\[!\[wort\]\((\S+)\)\]\((\S+)\)</code>", text)
    assert badge is not None
    assert [client.get(url).status_code for url in badge.groups()] == [200, 200]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (f"/view/sra/{DONE}", f"/view/sra/{DONE}/"),
        (f"/view/sra/{DONE.lower()}/", f"/view/sra/{DONE}/"),
        ("/view/", "/catalog"),
        (f"/search?q=+{DONE.lower()}+", f"/view/sra/{DONE}/"),
        (f"/search?q={GROUP}", f"/group/{GROUP}/"),
    ],
)
def test_other_addresses_lead_to_the_page(client: httpx.Client, path: str, target: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (303, 307, 308)
    assert answer.headers["location"] == target


def test_pages_of_the_queue_are_linked_and_complete(client: httpx.Client) -> None:
    whole = [job["job"] for job in client.get("/queue?format=json").json()["jobs"]]
    assert whole == list(range(9, 0, -1))
    assert [job["job"] for job in client.get("/queue?format=json&before=4").json()["jobs"]] == [3, 2, 1]
    counts = {count["state"]: count["jobs"] for count in client.get("/queue?format=json").json()["daemon"]["counts"]}
    assert counts["queued"] == len(QUEUED)


def test_list_can_be_posted_and_read_as_csv(client: httpx.Client) -> None:
    names = [DONE, UNAVAILABLE, NOBODY]
    short = client.post("/search", data={"q": "\n".join(names)})
    assert (short.status_code, short.headers["location"]) == (303, f"/search?q={'+'.join(names)}")
    many = [*names, *(f"SRR{number}" for number in range(2_000_000, 2_001_000))]
    long = client.post("/search", data={"q": "\n".join(many)})
    assert long.status_code == 200
    assert "1,003 names" in long.text
    for answer in (
        client.get("/search.csv", params={"q": " ".join(names)}),
        client.post("/search.csv", data={"q": "\n".join(names)}),
    ):
        assert answer.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [(row["name"], row["standing"]) for row in rows] == [
            (DONE, "have"), (UNAVAILABLE, "unavailable"), (NOBODY, "unknown"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status"), [(b"q=" + b"A" * 300_000, 413), (b"\xff", 400), (b"a=1&" * 9, 400), (b"", 303)]
)
def test_bodies_that_are_no_lists_are_refused(client: httpx.Client, body: bytes, status: int) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/search", content=body, headers=form).status_code == status


def test_table_of_a_group_has_all_its_jobs(client: httpx.Client) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get(f"/group/{GROUP}/jobs.csv").text)))
    assert len(rows) == 6
    assert {row["reason"] for row in rows} == {"", "corrupt", "network", "withdrawn"}
    assert len(client.get(f"{HOSTILE_PATH}/jobs.csv").text.splitlines()) == 1 + len(QUEUED)


def test_browser_without_scripts_loads_again_what_changes(client: httpx.Client) -> None:
    again = '<noscript><meta http-equiv="refresh" content="10"></noscript>'
    running = client.get(f"/view/sra/{RUNNING}/").text
    assert again in running
    assert '<a href="?still=1">' in running
    assert again in client.get("/queue?state=queued").text
    assert '<a href="?state=queued&amp;still=1">' in client.get("/queue?state=queued").text
    assert again not in client.get(f"/view/sra/{RUNNING}/?still=1").text
    assert again not in client.get(f"/view/sra/{DONE}/").text
    assert again not in client.get("/").text, "a person may be typing a list"


def test_head_of_a_table_is_not_its_body(client: httpx.Client) -> None:
    answer = client.head(f"/group/{GROUP}/jobs.csv")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-disposition"].endswith("plankton.csv")


def test_static_files_may_be_kept_while_they_are_the_same(client: httpx.Client) -> None:
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert client.get(address.partition("?")[0]).headers["cache-control"] == "no-cache"
    assert client.get("/static/../app.py").status_code == 404


@pytest.mark.parametrize(
    ("name", "words"),
    [(DONE, "computed"), (QUEUED[0], "queued"), (UNAVAILABLE, "unavailable"), (REFUTED, "failed"), (NOBODY, "unknown")],
)
def test_badge_says_how_it_is_with_a_run(client: httpx.Client, name: str, words: str) -> None:
    answer = client.get(f"/view/sra/{name}/badge.svg")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert ElementTree.fromstring(answer.content).attrib["aria-label"] == f"wort: {words}"
    assert client.get(f"/view/sra/{quote(HTML, safe='')}/badge.svg").status_code == 404


def test_feed_has_the_newest_signatures_that_are_sent(client: httpx.Client, server: WebServer) -> None:
    answer = client.get("/feed.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(answer.content)
    entries = feed.findall("{*}entry")
    links = [entry.find("{*}link").attrib["href"] for entry in entries]  # type: ignore[union-attr]
    assert links == [f"{server.url}/view/sra/{name}/" for name in (FOUND, DONE)]
    assert len({entry.findtext("{*}id") for entry in entries}) == 2
    assert feed.findtext("{*}updated") == entries[0].findtext("{*}updated")
    assert '<link rel="alternate" type="application/atom+xml"' in client.get("/").text


def test_crawlers_are_asked_to_leave_the_queue_alone(client: httpx.Client) -> None:
    assert "Disallow: /queue" in client.get("/robots.txt").text.splitlines()


def test_pages_below_a_path_link_below_it(server: WebServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("root") / "h"
    with served_home(root) as home, serving(home, "--root-path", "/wort") as running:
        text = httpx.get(f"{running.url.removesuffix('/wort')}/view/sra/{DONE}/", headers=PERSON, timeout=60).text
    links = re.findall(r'(?:href|src|action)="(/[^"]*)"', text)
    assert links and all(link.startswith("/wort/") for link in links)
    assert f"{running.url}/v1/view/sra/{DONE}" in text
