"""The examples of the API documents run as they stand, in the order in which a reader meets them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from tests.support.homes import Home
from tests.support.served_home import DONE, served_home
from tests.support.web_server import WebServer, serving

CURL_OPTIONS = "fail-with-body\nmax-time = 60\n"
STREAM = "retry: 3000\n\n"
OUTPUT = {
    "Look at it with sourmash": "track_abundance=1",
    "Size, checksum and trust only": "wort-trust: ",
    "The first rows": "# SOURMASH-MANIFEST-VERSION: 1.0",
    "State of a run": '"state":"have"',
    "State of several runs": '"runs":[',
    "A file with a run on each line, as CSV": ",have,",
    "What failed last": '"reason":"corrupt"',
    "Several runs, as a group": '"counts":{',
    "A signature from a file": "",
    "Health": '"status":"ok"',
    "Metrics": "wort_jobs",
}
"""Words that some of the examples print."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with served_home(tmp_path_factory.mktemp("api") / "h") as made:
        made("token", "password", "ann", stdin="correct horse\n").expect(0)
        yield made


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[WebServer]:
    with serving(home) as running:
        yield running


def examples(page: str) -> list[tuple[str, str]]:
    """Return the label and the lines of each example on the page."""
    found = re.findall(r"<figcaption>(.*?)</figcaption><pre tabindex=\"0\"><code data-copy>(.*?)</code>", page, re.S)
    return [(unescape(label), unescape(lines)) for label, lines in found]


def test_examples_run_as_they_stand(home: Home, server: WebServer, tmp_path: Path) -> None:
    shown = examples(httpx.get(f"{server.url}/v1/ui/", headers={"Accept": "text/html"}).text)
    assert len(shown) > 15
    assert set(OUTPUT) <= {label for label, _ in shown}
    secret = home("token", "add", "reader", "--may", "read,compute,submit,cancel,retry,pause").expect(0).out.strip()
    (tmp_path / ".curlrc").write_text(CURL_OPTIONS)
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CURL_HOME": str(tmp_path),
        "TOKEN": secret,
        "NAME": "ann",
        "PASSWORD": "correct horse",
    }
    for label, lines in shown:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", lines], cwd=tmp_path, env=env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        if label == "Until Ctrl-C":
            assert shell.stdout is not None
            assert shell.stdout.read(len(STREAM)) == STREAM
            shell.kill()
            shell.communicate()
            continue
        out, err = shell.communicate(timeout=120)
        assert shell.returncode == 0, (label, lines, out, err)
        assert OUTPUT.get(label, "") in out, (label, out)


def test_documents_lead_to_the_description(server: WebServer) -> None:
    page = httpx.get(f"{server.url}/v1/ui", headers={"Accept": "text/html"}, follow_redirects=True)
    assert str(page.url) == f"{server.url}/v1/ui/"
    assert 'href="/v1/openapi.json"' in page.text
    assert "<script>" not in page.text
    described = httpx.get(f"{server.url}/v1/openapi.json").json()
    assert httpx.get(f"{server.url}/v1/ui/", headers={"Accept": "application/json"}).json() == described
    sample = described["paths"]["/v1/status/{id}"]["get"]["x-codeSamples"][0]
    assert sample["source"] == "curl -sS $WORT/v1/status/SRR139146"
    assert DONE not in sample["source"]
