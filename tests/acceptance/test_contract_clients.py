"""Clients of the earlier service, each as its authors wrote it, against a running server.

What a client does is described at its test; curl, httpx, urllib, polars, duckdb and sourmash are the real ones.
"""

import asyncio
import csv
import gzip
import hashlib
import json
import re
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.error import HTTPError

import duckdb
import fsspec
import httpx
import polars
import pytest

from tests.support.builders import TOOLS
from tests.support.contract_home import (
    CONTENT,
    GENOME,
    GONE_RUN,
    LONG_RUN,
    PASSWORD,
    RUN,
    SERVED,
    TITLE,
    USER,
    ContractHome,
    contract_home,
)
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.ports import free_port
from tests.support.submissions import document, text
from tests.support.web_server import WebServer, curl, serving

MANIFEST = "SOURMASH-MANIFEST"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContractHome]:
    with contract_home(tmp_path_factory.mktemp("clients") / "h") as made:
        yield made


@pytest.fixture(scope="module")
def server(home: ContractHome) -> Iterator[WebServer]:
    with serving(home) as running:
        yield running


def described(*paths: Path) -> str:
    """Return what sourmash says of the signatures in files."""
    argv: list[str | Path] = [TOOLS / "sourmash", "sig", "describe", *paths]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=180).stdout


# ---- those that fetch single signatures


def test_curl_with_each_of_its_options(home: ContractHome, server: WebServer, tmp_path: Path) -> None:
    """branchwater (-JLf -o), its client (-sL), mgwatch (-r 0-10, --max-time); sourmash reads all that they stored."""
    for database, name in SERVED.items():
        url, stored = f"{server.url}/v1/view/{database}/{name}", gzip.compress(CONTENT[name], mtime=0)
        bare = curl(home.cwd, url)
        assert (bare.code, bare.status, bare.redirects) == (0, 302, 0)
        assert b"Redirecting" in bare.body
        for options in (("-L",), ("-JLf",), ("--max-time", "30", "-JLf"), ("-sLf", "-H", "Accept-Encoding: identity")):
            done = curl(home.cwd, url, *options)
            assert (done.code, done.status, done.redirects) == (0, 200, 1)
            assert gzip.decompress(done.body) == CONTENT[name]
        (tmp_path / f"{name}.sig").write_bytes(done.body)
        unpacked = curl(home.cwd, url, "-L", "--compressed")
        assert (unpacked.code, unpacked.body) == (0, CONTENT[name])
        (tmp_path / f"{name}.plain.sig").write_bytes(unpacked.body)
        health = curl(home.cwd, url, "-sLf", "-r", "0-10")
        assert (health.code, health.status, health.body) == (0, 206, done.body[:11])
        assert health.body[:2] == stored[:2]
    found = described(*sorted(tmp_path.iterdir()))
    assert found.count(f"signature: {TITLE}") == found.count(f"signature: {RUN}") == 6


@pytest.mark.parametrize("options", [("-L",), ("-JLf",), ("-sLf", "-r", "0-10"), ("-sL", "--compressed")], ids=" ".join)
def test_curl_gets_nothing_for_what_is_not_there(
    options: tuple[str, ...], home: ContractHome, server: WebServer
) -> None:
    """With -f it fails; without, it stores a text that is no signature, which sourmash core does not look for."""
    done = curl(home.cwd, f"{server.url}/v1/view/sra/{GONE_RUN}", *options)
    assert (done.status, done.redirects) == (404, 0)
    assert done.code == (22 if "f" in options[0] else 0)
    if done.code == 0:
        assert json.loads(done.body) == "Dataset not found"


def test_sra_search_stores_the_raw_bytes_of_the_next_request(server: WebServer) -> None:
    """It follows no redirect: it streams `next_request.url`, and checks the length."""
    with httpx.Client(timeout=60) as client:
        for database, name in SERVED.items():
            first = client.get(f"{server.url}/v1/view/{database}/{name}")
            assert first.is_redirect
            assert first.next_request is not None
            with client.stream("GET", first.next_request.url) as second:
                assert second.is_success
                raw = b"".join(second.iter_raw())
            assert len(raw) == int(second.headers["content-length"])
            assert gzip.decompress(raw) == CONTENT[name]
        missing = client.get(f"{server.url}/v1/view/sra/{GONE_RUN}")
        assert (missing.status_code, missing.next_request) == (404, None)


def test_mgwatch_asks_for_many_at_once_and_decodes(server: WebServer) -> None:
    """A manifest first, whose column `name` has the accessions; then 100 requests at once, which follow redirects."""
    names = polars.scan_parquet(f"{server.url}/wort-sra/{MANIFEST}.parquet").select("name").collect()["name"]
    accessions = {found[0] for name in names if (found := re.search(r"[\w.]+", name))}
    assert accessions == {RUN, LONG_RUN}

    async def fetch() -> list[httpx.Response]:
        async with httpx.AsyncClient(follow_redirects=True, timeout=60) as client:
            wanted = sorted(accessions) * 50
            return await asyncio.gather(*(client.get(f"{server.url}/v1/view/sra/{one}") for one in wanted))

    answers = asyncio.run(fetch())
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in answers} == {CONTENT[RUN], CONTENT[LONG_RUN]}


def test_index_builder_stores_raw_bytes_with_urllib(server: WebServer) -> None:
    """The client works as mgwatch's: 32 threads; an error is an exception."""

    def fetch(name: str) -> bytes:
        with urllib.request.urlopen(f"{server.url}/v1/view/sra/{name}", timeout=60) as answer:
            content: bytes = answer.read()
            return content

    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(fetch, [RUN, LONG_RUN] * 32))
    assert {gzip.decompress(content) for content in found} == {CONTENT[RUN], CONTENT[LONG_RUN]}
    with pytest.raises(HTTPError) as caught:
        fetch(GONE_RUN)
    caught.value.close()
    assert caught.value.code == 404


def test_sourmash_core_follows_and_reads_what_comes(server: WebServer, home: ContractHome, tmp_path: Path) -> None:
    """`wort://`: GET of /v1/view/ and the location in its manifest; the status is not looked at."""
    with httpx.Client(base_url=f"{server.url}/v1/view/", follow_redirects=True, timeout=60) as client:
        found = client.get(f"genomes/{GENOME}")
        assert json.loads(found.content)[0]["name"] == TITLE
        (tmp_path / "error.sig").write_bytes(client.get("genomes/GCA_000000001.1").content)
    argv: list[str | Path] = [TOOLS / "sourmash", "sig", "describe", tmp_path / "error.sig"]
    assert subprocess.run(argv, capture_output=True, check=False, timeout=180).returncode != 0


def test_old_command_line_views_computes_submits_and_logs_in(server: WebServer) -> None:
    """The base has /v1; `status` is shown; the token is the whole body of the answer to a login."""
    base = f"{server.url}/v1"
    token = httpx.post(f"{base}/auth/tokens", auth=(USER, PASSWORD)).text
    assert token == token.strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.post(f"{base}/compute/sra/SRR200001", headers=headers).json()["status"] == "Submitted"
    file = {"file": ("SRR200002.sig", gzip.compress(text(document("SRR200002"))), "application/octet-stream")}
    answer = httpx.post(f"{base}/submit/sra/SRR200002", headers=headers, files=file, timeout=60)
    assert answer.json()["status"] == "Signature accepted"
    viewed = httpx.get(f"{base}/view/sra/{RUN}", follow_redirects=True)
    assert viewed.content == CONTENT[RUN]


# ---- campaigns


@dataclass
class Campaign:
    """Asks for runs one after another, as the earlier service's own script."""

    url: str
    wait: Callable[[], None] = lambda: None
    token: str = "none"
    logged: list[str] = field(default_factory=list)

    def log_in(self) -> None:
        """Get a token by Basic authentication."""
        answer = self.sent("POST", "/auth/tokens", auth=(USER, PASSWORD))
        answer.raise_for_status()
        self.token = answer.text

    def sent(self, method: str, path: str, **options: object) -> httpx.Response:
        """Send a request; wait when the server cannot be reached, three times."""
        for tries_left in (3, 2, 1, 0):
            try:
                return httpx.request(method, f"{self.url}/v1{path}", timeout=60, **options)  # type: ignore[arg-type]
            except httpx.ConnectError:
                if not tries_left:
                    raise
                self.wait()
        raise AssertionError

    def submit(self, path: str) -> None:
        """Ask for one run; get a new token if the old one is refused."""
        for _ in range(2):
            answer = self.sent("POST", f"/compute/{path}", headers={"Authorization": f"Bearer {self.token}"})
            if answer.status_code != 401:
                break
            self.log_in()
        answer.raise_for_status()
        self.logged.append(f"{path} {answer.json()['status']}")


def test_campaign_gets_tokens_as_it_needs_them(server: WebServer, home: ContractHome) -> None:
    campaign = Campaign(server.url, token=home.expired)
    paths = [f"sra/SRR30000{number}" for number in range(5)] + ["genomes/GCF_000195915.1"]
    for path in paths:
        campaign.submit(path)
    httpx.delete(f"{server.url}/v1/auth/tokens", headers={"Authorization": f"Bearer {campaign.token}"})
    campaign.submit(f"sra/{RUN}")
    assert campaign.logged == [*(f"{path} Submitted" for path in paths), f"sra/{RUN} Signature already calculated"]


def test_campaign_waits_for_a_server_that_is_away(home: ContractHome) -> None:
    port, waited = free_port(), []
    with ExitStack() as servers:

        def wait() -> None:
            waited.append(1)
            if len(waited) == 2:
                servers.enter_context(serving(home, "--port", str(port)))

        campaign = Campaign(f"http://127.0.0.1:{port}", wait)
        campaign.submit("sra/SRR300009")
    assert (len(waited), campaign.logged) == (2, ["sra/SRR300009 Submitted"])


# ---- mirrors and tables


def mirror(archive: str, database: str, target: Path, *, since: str = "") -> int:
    """Copy a database as wort-mirror does: the manifest, then each file raw, compared with its sha256.

    Return how many files were fetched; those that are there and right are kept.
    """
    manifest = f"{archive}/wort-{database}/{MANIFEST}.parquet" + (f"?since={since}" if since else "")
    rows = polars.scan_parquet(manifest).select("internal_location", "sha256", "size").unique().collect().rows()
    fetched = 0
    with httpx.Client(timeout=60) as client:
        for location, sha256, size in rows:
            file = target / location
            if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256:
                continue
            with client.stream("GET", f"{archive}/wort-{database}/{location}") as answer:
                assert answer.status_code == 200
                content = b"".join(answer.iter_raw())
            assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, size)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            fetched += 1
        for form in ("parquet", "csv.gz"):
            copied = client.get(f"{archive}/wort-{database}/{MANIFEST}.{form}")
            (target / f"{MANIFEST}.{form}").write_bytes(copied.content)
    return fetched


def test_mirror_is_a_collection_that_sourmash_opens(server: WebServer, tmp_path: Path) -> None:
    targets = {database: tmp_path / f"wort-{database}" for database in SERVED}
    for target in targets.values():
        target.mkdir()
    assert [mirror(server.url, *item) for item in targets.items()] == [2, 1, 1]
    assert [mirror(server.url, *item) for item in targets.items()] == [0, 0, 0]
    (targets["sra"] / "sigs" / f"{RUN}.sig").write_bytes(b"damaged")
    assert mirror(server.url, "sra", targets["sra"]) == 1
    assert mirror(server.url, "sra", tmp_path / "wort-sra", since="2999-01-01") == 0
    found = described(*(target / f"{MANIFEST}.csv.gz" for target in targets.values()))
    assert found.count(f"signature: {TITLE}") == found.count(f"signature: {RUN}") == 3
    header = gzip.decompress((targets["genomes"] / f"{MANIFEST}.csv.gz").read_bytes()).decode().splitlines()[1]
    wanted = "internal_location md5 md5short ksize moltype num scaled n_hashes with_abundance name filename"
    assert next(csv.reader([header]))[:11] == wanted.split()


def test_another_home_reads_the_server_as_a_mirror(server: WebServer, tmp_path: Path) -> None:
    """The home reads the server as it reads the public signatures."""
    other = Home(tmp_path / "other")
    other.env["WORT_S3_PRESET"] = f"{server.url}/wort-sra"
    assert other("sync", "pull", RUN).expect(0).rows()[0][:2] == [RUN, "pulled"]
    assert other.signature(RUN) == CONTENT[RUN]
    other("view", GONE_RUN).expect(2, "there is no signature")
    missing = other("status", "--missing-from", "public").expect(0)
    assert [row[0] for row in missing.rows()] == [LONG_RUN]
    other.end()


def test_polars_reads_manifests_by_ranges(server: WebServer) -> None:
    for database, name in SERVED.items():
        url = f"{server.url}/wort-{database}/{MANIFEST}.parquet"
        table = polars.scan_parquet(url)
        assert {"sha256", "creation_date", "size"} <= set(table.collect_schema())
        rows = table.filter(polars.col("internal_location") == f"sigs/{name}.sig").select("ksize", "n_hashes").collect()
        assert rows.rows() == [(k, 50) for k in (21, 31, 51)]
    until(
        lambda: {line["status"] for line in server.log() if str(line["path"]).endswith(".parquet")} >= {200, 206},
        "whole files and parts of them were sent",
    )


def modified_at(url: str) -> datetime:
    """Return when a file was changed, as the server says."""
    return parsedate_to_datetime(httpx.head(url).headers["last-modified"])


def test_duckdb_reads_manifests_through_fsspec(server: WebServer) -> None:
    """Without its extension for HTTP, which it would have to download."""
    web = fsspec.filesystem("http")
    web.modified = modified_at  # duckdb asks for it, and fsspec has none
    with duckdb.connect() as connection:
        connection.register_filesystem(web)
        for database, name in SERVED.items():
            url = f"{server.url}/wort-{database}/{MANIFEST}.parquet"
            query = "SELECT count(*), sum(n_hashes), min(size) FROM read_parquet(?) WHERE internal_location = ?"
            [(rows, hashes, size)] = connection.execute(query, [url, f"sigs/{name}.sig"]).fetchall()
            head = httpx.head(f"{server.url}/wort-{database}/sigs/{name}.sig")
            assert (rows, hashes, size) == (3, 150, int(head.headers["content-length"]))
