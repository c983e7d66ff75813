"""A person with a browser without scripts: opens pages of `wort serve`, and sends the forms that are on them."""

import html
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.support.web_server import WebServer

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@dataclass
class FoundForm:
    """A form of a page, with the values that its fields have."""

    action: str
    method: str
    fields: dict[str, str]
    buttons: list[str]
    is_upload: bool = False


class Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[FoundForm] = []
        self._is_open = self._is_button = False
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            is_upload = given.get("enctype") == "multipart/form-data"
            self.found.append(FoundForm(given["action"], given.get("method", "get"), {}, [], is_upload))
            self._is_open = True
        elif self._is_open and tag == "input" and given.get("name") and given.get("type") not in ("file", "checkbox"):
            self.found[-1].fields[given["name"]] = given.get("value", "")
        elif self._is_open and tag == "textarea":
            self._area = given["name"]
            self.found[-1].fields[self._area] = ""
        elif self._is_open and tag == "button":
            self._is_button = True

    def handle_data(self, data: str) -> None:
        if self._area:
            self.found[-1].fields[self._area] += data
        if self._is_button:
            self.found[-1].buttons.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_open = False
        elif tag == "textarea":
            self._area = ""
        elif tag == "button":
            self._is_button = False


@dataclass
class Visitor:
    """A person; `client` has the cookies."""

    client: httpx.Client
    origin: str
    root: str

    def open(self, path: str) -> httpx.Response:
        """Open a page."""
        return self.client.get(path)

    def forms(self, path: str) -> list[FoundForm]:
        """Return the forms of a page that send something."""
        parser = Forms()
        parser.feed(self.open(path).text)
        return [form for form in parser.found if form.method == "post"]

    def actions(self, path: str) -> set[str]:
        """Return where the forms of a page are sent."""
        return {form.action for form in self.forms(path)}

    def send(self, path: str, action: str, files: Any = None, **values: str) -> httpx.Response:
        """Send the form of a page that has this action; `values` are typed into its fields."""
        [form, *_] = [form for form in self.forms(path) if form.action == self.root + action]
        return self.post(action, {**form.fields, **values}, files=files)

    def post(
        self, path: str, fields: Mapping[str, str], files: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send fields as a page of the server would."""
        own = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"} if headers is None else headers
        return self.client.post(path, data=dict(fields), files=files, headers=own)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """Open the page to which an answer redirects."""
        assert answer.status_code == 303, (answer.status_code, answer.text)
        return self.client.get(answer.headers["location"].removeprefix(self.root))

    def notice(self, answer: httpx.Response) -> str:
        """Return the message on the page to which an answer redirects."""
        page = self.follow(answer)
        assert page.status_code in (200, 404), page.status_code
        found = re.search(r'<p class="notice" role="status">(.*?)</p>', page.text, re.DOTALL)
        assert found is not None, page.text
        return html.unescape(found[1])

    def sign_in(self, token: str) -> httpx.Response:
        """Sign in with a token."""
        return self.send("/sign-in", "/sign-in", token=token)


@contextmanager
def visiting(server: WebServer, token: str = "") -> Iterator[Visitor]:
    """Yield a person, who has signed in with a token if one is given."""
    parts = urlsplit(server.url)
    with httpx.Client(base_url=server.url, headers=PERSON, timeout=60) as client:
        visitor = Visitor(client, f"{parts.scheme}://{parts.netloc}", parts.path)
        if token:
            assert visitor.sign_in(token).status_code == 303
        yield visitor
