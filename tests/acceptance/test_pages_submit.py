"""The page at which users submit a signature, and the page that shows its checks."""

import gzip
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from tests.support.homes import Home, all_below
from tests.support.hostile_signatures import HOSTILE
from tests.support.polling import until
from tests.support.served_home import HTML
from tests.support.shelf import Shelf
from tests.support.submissions import document, text, valid_signature
from tests.support.visitor import Visitor, visiting
from tests.support.web_server import WebServer, serving

RUN = "SRR000001"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("submit") / "h")
    yield made
    made.end()


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[WebServer]:
    with serving(home) as running:
        yield running


@pytest.fixture(scope="module")
def visitor(home: Home, server: WebServer) -> Iterator[Visitor]:
    secret = home("token", "add", "ann", "--may", "submit,retry,cancel").expect(0).out.strip()
    with visiting(server, secret) as made:
        yield made


def submit(visitor: Visitor, content: bytes, name: str = "x.sig", **values: str) -> str:
    """Submit a signature; return the path of its page."""
    answer = visitor.send("/submit", "/submit", files={"file": (name, content)}, **values)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).partition("?")[0]


def outcome(visitor: Visitor, path: str) -> dict[str, Any]:
    """Return what the page of an intake shows when its checks have ended."""
    found = until(
        lambda: (twin := visitor.client.get(f"{path}?format=json").json())["state"] != "checking" and twin,
        "the signature was checked",
    )
    assert found
    return dict(found)


def until_no_scratch(home: Home) -> None:
    """Wait until no uploaded file is left: it is removed after the result is recorded."""
    until(lambda: not [path for path in all_below(home.path) if path.name.startswith("scratch-")], "no scratch is left")


def judged(visitor: Visitor, path: str) -> dict[str, Any]:
    """Return what the page shows once there is a verdict; else nothing."""
    twin: dict[str, Any] = visitor.client.get(f"{path}?format=json").json()
    return twin if twin["verdict"] else {}


def checks(found: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in found["checks"]}


def test_signature_that_passes_has_a_page_with_each_check(home: Home, visitor: Visitor) -> None:
    path = submit(visitor, gzip.compress(valid_signature()), f"C:\\fake\\{HTML}\x07.sig")
    assert re.fullmatch(r"/submission/[A-Za-z0-9_-]{16}/", path)
    found = outcome(visitor, path)
    assert (found["state"], found["name"], found["submitter"]) == ("accepted", RUN, "ann")
    assert set(checks(found).values()) == {"passed"}
    assert found["submission"]["trust"] == "unverified"
    assert [step["state"] for step in found["course"]] == ["now", "open", "open", "open"]
    page = visitor.open(path).text
    assert HTML not in page and "&lt;img src=x" in page
    assert "Accepted, not verified yet" in page
    assert "it starts next" in page
    assert '<meta http-equiv="refresh" content="10">' in page
    by_digest = visitor.client.get(f"/submission/{found['submission']['digest']}/?format=json").json()
    assert by_digest["name"] == RUN
    assert home.select("SELECT kind FROM jobs") == [("verify",)]
    assert f'href="{path}"' in visitor.open("/submit").text
    until_no_scratch(home)
    with httpx.Client(base_url=visitor.client.base_url) as stranger:
        assert stranger.get(path, headers={"Accept": "text/html"}).status_code == 200
        assert path not in stranger.get("/submit").text


REFUSED = {
    "html": "unpacked",
    "damaged gzip": "unpacked",
    "truncated in a list": "hashes",
    "an unknown key": "grammar",
    "two signatures": "one signature",
    "ksize 33": "k",
    "another seed": "seed",
    "scaled 2000": "scaled",
    "not sorted": "hashes",
    "no abundances": "abundances",
    "a hash changed": "md5",
}


@pytest.mark.parametrize("fault", REFUSED)
def test_refusal_says_which_check_failed_and_why(home: Home, visitor: Visitor, fault: str) -> None:
    found = outcome(visitor, path := submit(visitor, HOSTILE[fault](), f"{fault}.sig"))
    assert found["state"] == "refused"
    [failed] = [check for check in found["checks"] if check["state"] == "failed"]
    assert failed["name"] == REFUSED[fault]
    assert failed["detail"]
    order = list(checks(found).values())
    assert order == sorted(order, key=["passed", "failed", "open"].index)
    page = visitor.open(path).text
    assert f"The check <b>{failed['name']}</b> failed" in page
    assert "http-equiv" not in page, "it has ended"
    assert found["submission"] is None


@pytest.mark.parametrize(
    ("values", "failed", "words"),
    [
        ({"accession": "SRR000002"}, "name", "its name is SRR000001"),
        ({"url": "http://127.0.0.1/x"}, "public", "an address of this machine"),
        ({"url": "ftp://example.org/x"}, "public", "neither http:// nor https://"),
    ],
)
def test_what_is_stated_is_checked_too(visitor: Visitor, values: dict[str, str], failed: str, words: str) -> None:
    found = outcome(visitor, submit(visitor, text(document(RUN, seed=3)), **values))
    assert checks(found)[failed] == "failed"
    assert words in next(check["detail"] for check in found["checks"] if check["state"] == "failed")


def test_url_of_this_machine_is_not_asked(server: WebServer, visitor: Visitor) -> None:
    answer = visitor.send("/submit", "/submit", files={"file": ("", b"")}, **{"from": f"{server.url}/x.sig"})
    found = outcome(visitor, str(answer.headers["location"]).partition("?")[0])
    assert (found["state"], checks(found)["received"]) == ("refused", "failed")
    assert "/x.sig" not in [line["path"] for line in server.log()]


@pytest.mark.parametrize(
    ("files", "values", "status"),
    [
        ({"file": ("", b"")}, {}, 400),
        ({"file": ("x.sig", b"x")}, {"from": "https://example.org/x.sig"}, 400),
        ({"file": ("", b"")}, {"from": "/etc/passwd"}, 400),
        ({"file": ("x.sig", b"x")}, {"accession": HTML}, 400),
        ({"file": ("x.sig", b"x")}, {"csrf": "wrong"}, 403),
        ({"file": ("x.sig", b"x")}, {"from": "x" * 5000}, 413),
    ],
)
def test_form_that_says_nothing_is_refused(
    home: Home, visitor: Visitor, files: dict[str, Any], values: dict[str, str], status: int
) -> None:
    before = home.select("SELECT count(*) FROM intakes")
    answer = visitor.send("/submit", "/submit", files=files, **values)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert HTML not in answer.text
    assert home.select("SELECT count(*) FROM intakes") == before
    until_no_scratch(home)


def test_nobody_submits_without_the_right(home: Home, server: WebServer) -> None:
    secret = home("token", "add", "eve", "--may", "compute").expect(0).out.strip()
    with visiting(server, secret) as eve, visiting(server) as stranger:
        assert "eve may not submit signatures here." in eve.open("/submit").text
        assert eve.actions("/submit") == {"/sign-out"}
        assert 'href="/sign-in?to=/submit"' in stranger.open("/submit").text
        fields = {"csrf": eve.forms("/submit")[0].fields["csrf"]}
        for person in (eve, stranger):
            assert person.post("/submit", fields, files={"file": ("x.sig", b"x")}).status_code == 403


@pytest.mark.parametrize("key", ["nothing", "A" * 16, "a" * 64, HTML, "..%2f..%2fx"])
def test_page_of_no_submission_is_not_there(visitor: Visitor, key: str) -> None:
    answer = visitor.open(f"/submission/{key}/")
    assert answer.status_code == 404
    assert HTML not in answer.text


def test_course_leads_to_a_verdict(home: Home, shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> None:
    maker = Home(tmp_path_factory.mktemp("maker") / "h")
    maker.keep(RUN, shelf.archive())
    maker("compute", RUN, "--now").expect(0)
    right = (maker.path / "signatures" / "sigs" / "SRR000" / f"{RUN}.sig").read_bytes()
    maker.end()
    other = Home(tmp_path_factory.mktemp("verified") / "h")
    other.keep(RUN, shelf.archive())
    secret = other("token", "add", "ann", "--may", "submit").expect(0).out.strip()
    with serving(other) as server, visiting(server, secret) as visitor:
        wrong = submit(visitor, text(document(RUN, seed=7)))
        outcome(visitor, wrong)
        accepted = submit(visitor, right, f"{RUN}.sig")
        outcome(visitor, accepted)
        other("daemon", "start").expect(0)
        for path, trust in ((wrong, "mismatch"), (accepted, "verified")):
            twin = until(partial(judged, visitor, path), "a verdict")
            assert twin["submission"]["trust"] == trust
            assert [step["state"] for step in twin["course"]][:3] == ["passed"] * 3
        assert "k=21:" in visitor.open(wrong).text
        assert ">Refuted" in visitor.open(wrong).text
        page = visitor.open(accepted).text
        assert ">Verified" in page
        assert "http-equiv" not in page
    other.end()
