"""A site of assemblies on loopback, and a client that asks it."""

from collections.abc import Iterator

import pytest

from tests.support.archive_server import ArchiveServer
from wort_cli.pipeline.archives.http import HttpClient
from wort_cli.pipeline.assemblies import fetch, requests
from wort_cli.pipeline.assemblies.requests import Requests
from wort_cli.system.cancellation import NEVER


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "PAUSE", 0.0)
    monkeypatch.setattr(fetch, "PAUSE", 0.0)


@pytest.fixture
def server() -> Iterator[ArchiveServer]:
    with ArchiveServer({}).serving() as serving:
        yield serving


@pytest.fixture
def client() -> Iterator[Requests]:
    with HttpClient() as http:
        yield Requests(http, NEVER)
