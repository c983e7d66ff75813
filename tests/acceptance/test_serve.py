"""`wort serve` as the clients of the public wort service use it: curl, httpx, and sourmash on what they stored."""

import gzip
import hashlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.bucket import Bucket
from tests.support.certificate import make_certificate
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf
from tests.support.web_server import WebServer, curl, serving

RUN, MISSING = "SRR000001", "SRR000009"


@pytest.fixture(scope="module")
def served(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with a signature, for the tests that change nothing in it."""
    made = Home(tmp_path_factory.mktemp("served") / "h")
    compute(made, shelf, RUN)
    yield made
    made.end()


@pytest.fixture(scope="module")
def server(served: Home) -> Iterator[WebServer]:
    with serving(served) as running:
        yield running


@pytest.fixture(scope="module")
def stored(served: Home) -> bytes:
    return served.signature_file(RUN).read_bytes()


def compute(home: Home, shelf: Shelf, run: str) -> None:
    home.keep(run, shelf.archive())
    home("compute", run, "--now").expect(0)


def test_view_redirects_to_the_file(server: WebServer, stored: bytes) -> None:
    """The client works as sra_search: it follows no redirect, and stores the bytes of the next request as they come."""
    with httpx.Client() as client:
        answer = client.get(f"{server.url}/v1/view/sra/{RUN}")
        assert answer.status_code == 302
        assert answer.headers["content-type"].startswith("text/html")
        assert "Redirecting..." in answer.text
        assert answer.next_request is not None
        with client.stream("GET", answer.next_request.url) as file:
            assert file.status_code == 200
            raw = b"".join(file.iter_raw())
        assert int(file.headers["content-length"]) == len(raw)
    assert raw == stored
    head = httpx.head(f"{server.url}/v1/view/sra/{RUN}")
    assert (head.status_code, head.headers["location"], head.content) == (302, answer.headers["location"], b"")


@pytest.mark.parametrize("options", [(), ("-H", "Accept-Encoding: identity"), ("-H", "Accept-Encoding: br")])
def test_curl_stores_gzip_whatever_it_accepts(
    options: tuple[str, ...], served: Home, server: WebServer, stored: bytes
) -> None:
    """The clients work as branchwater and mgwatch."""
    done = curl(served.cwd, f"{server.url}/v1/view/sra/{RUN}", "-Lf", *options)
    assert (done.code, done.status, done.redirects, done.body) == (0, 200, 1, stored)


def test_first_bytes_answer_a_health_check(served: Home, server: WebServer, stored: bytes) -> None:
    done = curl(served.cwd, f"{server.url}/v1/view/sra/{RUN}", "-Lf", "-r", "0-10")
    assert (done.code, done.status, done.body) == (0, 206, stored[:11])
    with httpx.stream("GET", f"{server.url}/wort-sra/sigs/{RUN}.sig", headers={"Range": "bytes=-5"}) as part:
        assert b"".join(part.iter_raw()) == stored[-5:]
    assert part.headers["content-range"] == f"bytes {len(stored) - 5}-{len(stored) - 1}/{len(stored)}"
    beyond = httpx.get(f"{server.url}/wort-sra/sigs/{RUN}.sig", headers={"Range": f"bytes={len(stored)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(stored)}")


def test_file_has_the_headers_of_the_bucket_and_an_etag(server: WebServer, stored: bytes) -> None:
    url = f"{server.url}/wort-sra/sigs/{RUN}.sig"
    answer = httpx.head(url, headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    wanted = {
        "content-type": "application/json",
        "content-encoding": "gzip",
        "content-length": str(len(stored)),
        "accept-ranges": "bytes",
        "etag": f'"{hashlib.sha256(stored).hexdigest()}"',
        "access-control-allow-origin": "*",
        "wort-trust": "computed",
    }
    assert {name: answer.headers[name] for name in wanted} == wanted
    again = httpx.get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "run", [MISSING, "srr000001", "SRR1", "x" * 3000, "..%2f..%2fledger.db", "%00", "SRR000001.sig"]
)
def test_run_without_a_signature_is_not_found(run: str, served: Home, server: WebServer) -> None:
    answer = httpx.get(f"{server.url}/v1/view/sra/{run}", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    if "%2f" not in run:
        assert (answer.headers["content-type"], answer.text) == ("application/json", '"Dataset not found"\n')
    assert curl(served.cwd, f"{server.url}/v1/view/sra/{run}", "-Lf").code == 22
    assert httpx.get(f"{server.url}/wort-sra/sigs/{run}.sig").status_code == 404


def test_damaged_file_is_not_sent(home: Home, shelf: Shelf) -> None:
    compute(home, shelf, RUN)
    with serving(home) as server:
        damage(home, server)


def damage(home: Home, server: WebServer) -> None:
    url = f"{server.url}/v1/view/sra/{RUN}"
    assert httpx.get(url).status_code == 302
    file = home.signature_file(RUN)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert httpx.get(url).status_code == 404
    assert httpx.get(f"{server.url}/wort-sra/sigs/{RUN}.sig").status_code == 404
    file.unlink()
    assert httpx.get(url).status_code == 404


def test_signature_that_is_computed_later_is_served(home: Home, shelf: Shelf) -> None:
    with serving(home) as server:
        url = f"{server.url}/v1/view/sra/{MISSING}"
        assert httpx.get(url).status_code == 404
        compute(home, shelf, MISSING)
        assert httpx.get(url).status_code == 302


def test_other_paths_and_methods_get_problem_documents(server: WebServer) -> None:
    for answer, status in (
        (httpx.get(f"{server.url}/v1/view/sra/{RUN}/"), 404),
        (httpx.get(f"{server.url}/v1/nothing"), 404),
        (httpx.post(f"{server.url}/v1/view/sra/{RUN}"), 405),
    ):
        document = answer.json()
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert {"detail", "status", "title", "type", "reason"} <= set(document)
        assert (document["status"], document["type"]) == (status, "about:blank")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    options = httpx.options(f"{server.url}/v1/view/sra/{RUN}")
    assert (options.status_code, options.headers["allow"]) == (200, "GET, HEAD, OPTIONS")


def test_log_has_a_line_for_each_request_and_no_query(server: WebServer) -> None:
    httpx.get(f"{server.url}/v1/view/sra/SRR000077?token=secret", headers={"Authorization": "Bearer secret"})
    line = server.logged("/v1/view/sra/SRR000077")
    assert (line["method"], line["status"]) == ("GET", 404)
    assert "secret" not in json.dumps(line)


def test_object_of_the_bucket_is_redirected_to_only_if_it_is_there(bucket: Bucket, home: Home, shelf: Shelf) -> None:
    compute(home, shelf, RUN)
    stored = home.signature_file(RUN).read_bytes()
    home.signature_file(RUN).unlink()
    with serving(home) as server:
        done = curl(home.cwd, f"{server.url}/v1/view/sra/{RUN}", "-Lf")
        assert (done.status, done.redirects, done.body) == (200, 1, stored)
        location = httpx.get(f"{server.url}/v1/view/sra/{RUN}").headers["location"]
        assert "X-Amz-Signature" in location
        assert not [line for line in server.running.err.read_text().splitlines() if "X-Amz" in line]


def test_read_only_server_below_a_path_and_behind_a_proxy(home: Home, shelf: Shelf) -> None:
    compute(home, shelf, RUN)
    with serving(home, "--read-only", "--behind-proxy", "--root-path", "/wort") as server:
        base = server.url.removesuffix("/wort")
        answer = httpx.get(f"{base}/v1/view/sra/{RUN}", headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.7"})
        assert answer.headers["location"] == f"/wort/wort-sra/sigs/{RUN}.sig"
        assert server.logged(f"/wort/v1/view/sra/{RUN}")["client"] == "192.0.2.7"


def test_server_with_a_certificate_encrypts(home: Home, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(certificate, key, "localhost", "DNS:localhost")
    options = ("--tls-cert", str(certificate), "--read-only", "--tls-key", str(key))
    with serving(home, "--host", "0.0.0.0", *options) as server:
        port = server.url.rpartition(":")[2]
        url = f"https://localhost:{port}/v1/view/sra/{RUN}"
        done = curl(home.cwd, url, "--cacert", str(certificate))
        assert (done.code, done.status) == (0, 404)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_server_stops_at_a_signal_with_code_0(number: int, home: Home) -> None:
    with serving(home) as server:
        server.running.signal(number)
        assert server.running.wait().code == 0


def test_address_in_use_is_an_error_in_a_sentence(home: Home) -> None:
    with serving(home) as server:
        port = server.url.rpartition(":")[2]
        home("serve", "--port", port).expect(1, "cannot listen at", "choose another port")


def test_other_addresses_are_refused_without_encryption(home: Home) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        home("serve", "--host", host).expect(2, "would not be encrypted", "--behind-proxy")


def test_manifest_since_a_date_has_only_newer_signatures(server: WebServer) -> None:
    url = f"{server.url}/wort-sra/SOURMASH-MANIFEST.csv.gz"
    for since, rows in (("2001-01-01", 3), ("2999-01-01", 0), ("2001-01-01T00:00:00+02:00", 3)):
        text = gzip.decompress(httpx.get(url, params={"since": since}).content).decode()
        assert len(text.splitlines()) == 2 + rows
    refused = httpx.get(url, params={"since": "yesterday"})
    assert (refused.status_code, refused.json()["reason"]) == (400, "invalid")


def test_manifest_is_the_same_file_until_the_ledger_changes(home: Home, shelf: Shelf) -> None:
    with serving(home) as server:
        url = f"{server.url}/wort-sra/SOURMASH-MANIFEST.csv.gz"
        empty = httpx.get(url)
        assert httpx.get(url, headers={"If-None-Match": empty.headers["etag"]}).status_code == 304
        compute(home, shelf, RUN)
        until(lambda: httpx.get(url).headers["etag"] != empty.headers["etag"], "the manifest has the new signature")
        home("rm", RUN, "--yes").expect(0)
        until(lambda: httpx.get(url).content == empty.content, "the manifest is empty again")
        parquet = httpx.get(url.replace("csv.gz", "parquet"), headers={"Range": "bytes=-4"})
        assert (parquet.status_code, parquet.content) == (206, b"PAR1")
