"""Signing in to the pages of `wort serve`: sessions, the link of the own machine, and forms of other sites."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.support.homes import Home
from tests.support.polling import until
from tests.support.served_home import HTML, NOBODY, RUNNING, served_home
from tests.support.visitor import Visitor, visiting
from tests.support.web_server import WebServer, serving

PASSWORD = "correct horse"
QUEUE = f"/view/sra/{NOBODY}/queue"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with served_home(tmp_path_factory.mktemp("sign-in") / "h") as made:
        made("token", "password", "ann", "--may", "compute", stdin=f"{PASSWORD}\n").expect(0)
        yield made


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[WebServer]:
    with serving(home) as running:
        yield running


@pytest.fixture
def visitor(server: WebServer) -> Iterator[Visitor]:
    with visiting(server) as made:
        yield made


def token_of(home: Home, name: str, *options: str) -> str:
    return home("token", "add", name, *options).expect(0).out.strip()


def test_person_signs_in_with_a_token_and_out_again(home: Home, visitor: Visitor) -> None:
    secret = token_of(home, "lab", "--may", "compute")
    assert visitor.forms("/queue") == []
    assert f'href="/sign-in?to=/view/sra/{NOBODY}/"' in visitor.open(f"/view/sra/{NOBODY}/").text
    answer = visitor.send(f"/sign-in?to=/view/sra/{NOBODY}/", "/sign-in", token=secret)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/view/sra/{NOBODY}/")
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/;"))
    assert "secure" not in cookie, "the server does not encrypt"
    assert secret not in cookie
    page = visitor.follow(answer)
    assert page.headers["cache-control"] == "private, no-cache"
    assert ">lab</a>" in page.text
    assert "You may: compute" in visitor.open("/sign-in").text
    before = dict(visitor.client.cookies)
    assert visitor.send("/queue", "/sign-out").status_code == 303
    assert visitor.client.cookies == {}
    assert ">lab</a>" not in visitor.open("/").text
    visitor.client.cookies.update(before)
    assert ">lab</a>" not in visitor.open("/").text, "the session has ended, not only its cookie"


def test_person_signs_in_with_a_password(visitor: Visitor) -> None:
    wrong = visitor.send("/sign-in", "/sign-in", user="ann", password="wrong horse")
    assert wrong.status_code == 403
    assert "The name or the password is wrong." in wrong.text
    assert visitor.send("/sign-in", "/sign-in", user="ann", password=PASSWORD).status_code == 303
    assert visitor.actions(f"/view/sra/{NOBODY}/") == {QUEUE, "/sign-out"}


@pytest.mark.parametrize("token", ["", "wrong", HTML])
def test_wrong_token_signs_nobody_in(visitor: Visitor, token: str) -> None:
    answer = visitor.sign_in(token)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert HTML not in answer.text


def test_guessing_of_tokens_is_slowed_down(home: Home) -> None:
    with serving(home) as server, visiting(server) as visitor:
        codes = [visitor.post("/sign-in", {"token": f"guess {n}"}).status_code for n in range(20)]
        assert codes == [403] * 20
        until(lambda: visitor.post("/sign-in", {"token": "guess"}).status_code == 429, "further ones have to wait")


def test_session_ends_with_its_token(home: Home, visitor: Visitor) -> None:
    visitor.sign_in(token_of(home, "gone"))
    form = visitor.forms(f"/view/sra/{NOBODY}/")[-1]
    home("token", "revoke", "gone").expect(0)
    assert ">gone</a>" not in visitor.open("/").text
    answer = visitor.post(form.action, form.fields)
    assert answer.status_code == 403
    assert "You are not signed in." in answer.text


def test_session_ends_when_the_password_changes(home: Home, visitor: Visitor) -> None:
    home("token", "password", "eve", stdin=f"{PASSWORD}\n").expect(0)
    assert visitor.send("/sign-in", "/sign-in", user="eve", password=PASSWORD).status_code == 303
    assert ">eve</a>" in visitor.open("/").text
    home("token", "password", "eve", stdin="another horse\n").expect(0)
    assert ">eve</a>" not in visitor.open("/").text


def test_link_of_the_own_machine_signs_in_once(home: Home) -> None:
    with serving(home) as server:
        path = server.link.removeprefix(server.url)
        with visiting(server) as owner, visiting(server) as other:
            assert owner.open(path).status_code == 200
            assert owner.open("/queue").text.count("<form") == 2, "opening the link does nothing"
            assert owner.send(path, "/sign-in").status_code == 303
            assert ">owner</a>" in owner.open("/").text
            assert "You may: read, compute, submit, cancel, retry, pause" in owner.open("/sign-in").text
            again = other.send(path, "/sign-in")
            assert again.status_code == 403
            assert "The link was used" in again.text
        assert "link=" not in str(server.log())


def test_server_that_others_may_reach_has_no_link(home: Home) -> None:
    for options in (("--behind-proxy",), ("--read-only",)):
        with serving(home, *options) as server:
            assert server.link == ""


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/\tevil", "javascript:alert(1)", "/a//b"]
)
def test_sign_in_leads_to_no_other_server(home: Home, visitor: Visitor, target: str) -> None:
    secret = home("token", "add", "x", "--json").expect(0).out.partition('"token": "')[2].partition('"')[0]
    answer = visitor.send("/sign-in", "/sign-in", token=secret, to=target)
    home("token", "revoke", "x").expect(0)
    assert answer.status_code == 303
    assert answer.headers["location"] in ("/", "/a//b")


FOREIGN = {
    "another site": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "another port": {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
    "an older browser, another site": {"Origin": "https://evil.example"},
    "a sandboxed frame": {"Origin": "null"},
    "no browser": {},
}


@pytest.mark.parametrize("sender", FOREIGN)
def test_form_of_another_site_is_refused(home: Home, server: WebServer, sender: str) -> None:
    secret = home("token", "add", "csrf", "--json").expect(0).out.partition('"token": "')[2].partition('"')[0]
    with visiting(server, secret) as visitor:
        form = visitor.forms(f"/view/sra/{NOBODY}/")[-1]
        answer = visitor.post(form.action, form.fields, headers=FOREIGN[sender])
        assert answer.status_code == 403
        assert answer.headers["content-type"].startswith("text/html")
        assert "not sent by a page of this server" in answer.text
        assert visitor.post("/sign-in", {"token": secret}, headers=FOREIGN[sender]).status_code == 403
    home("token", "revoke", "csrf").expect(0)
    assert NOBODY not in [job.name for job in home.jobs()]


@pytest.mark.parametrize("csrf", [None, "", "wrong", "é"])
def test_form_without_the_token_of_the_session_is_refused(home: Home, server: WebServer, csrf: str | None) -> None:
    secret = home("token", "add", "csrf", "--json").expect(0).out.partition('"token": "')[2].partition('"')[0]
    with visiting(server, secret) as visitor, visiting(server, secret) as other:
        foreign = other.forms(f"/view/sra/{NOBODY}/")[-1].fields["csrf"]
        for value in (csrf, foreign):
            answer = visitor.post(QUEUE, {} if value is None else {"csrf": value})
            assert answer.status_code == 403
            assert "not of the session in which you are signed in" in answer.text
    home("token", "revoke", "csrf").expect(0)
    assert NOBODY not in [job.name for job in home.jobs()]


def test_session_is_no_bearer_token(home: Home, server: WebServer, visitor: Visitor) -> None:
    visitor.sign_in(token_of(home, "both", "--may", "compute"))
    [cookie] = visitor.client.cookies.values()
    answer = httpx.post(
        f"{server.url}/v1/compute/sra/{NOBODY}", headers={"Authorization": f"Bearer {cookie}"}, timeout=60
    )
    assert answer.status_code == 401
    assert httpx.post(f"{server.url}/v1/compute/sra/{NOBODY}", cookies=visitor.client.cookies).status_code == 401


def test_session_below_a_path_is_sent_there_only(home: Home, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = token_of(home, "below")
    with serving(home, "--behind-proxy", "--root-path", "/wort") as server:
        url = server.url.removesuffix("/wort")
        headers = {"X-Forwarded-Proto": "https", "Origin": url, "Sec-Fetch-Site": "same-origin"}
        answer = httpx.post(f"{url}/sign-in", data={"token": secret, "to": "/queue"}, headers=headers, timeout=60)
    assert answer.headers["location"] == "/wort/queue"
    assert re.search(r"; Path=/wort;.*; Secure", answer.headers["set-cookie"])


def test_read_only_server_offers_no_forms(home: Home) -> None:
    secret = token_of(home, "idle", "--may", "compute,cancel,retry,pause")
    with serving(home, "--read-only") as server, visiting(server) as visitor:
        for path in ("/queue", f"/view/sra/{NOBODY}/", f"/view/sra/{RUNNING}/", "/group/plankton/", "/jobs/cancel"):
            assert visitor.forms(path) == []
            assert "/sign-in" not in visitor.open(path).text
        visitor.post("/sign-in", {"token": secret})
        assert visitor.actions("/queue") == {"/sign-out"}
        csrf = visitor.forms("/queue")[0].fields["csrf"]
        answer = visitor.post(QUEUE, {"csrf": csrf})
        assert answer.status_code == 403
        assert "This server is read-only." in answer.text


def test_closed_server_asks_to_sign_in(home: Home) -> None:
    reader, other = token_of(home, "reader", "--may", "read"), token_of(home, "writer", "--may", "compute")
    with serving(home, env={"WORT_SERVE_READING": "token"}) as server, visiting(server) as visitor:
        refused = visitor.open("/queue")
        assert refused.status_code == 401
        assert 'href="/sign-in?to=/queue"' in refused.text
        assert visitor.open("/static/style.css").status_code == 200
        assert "answers only those whose token has the right to read" in visitor.open("/sign-in").text
        assert visitor.sign_in(other).status_code == 303
        assert visitor.open("/queue").status_code == 403
        visitor.post("/sign-in", {"token": reader})
        page = visitor.open("/queue")
        assert page.status_code == 200
        assert "Cookie" in page.headers["vary"]
