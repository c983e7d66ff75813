"""`wort serve` for assemblies and taxa of IMG, and what it has of each database."""

import gzip
import hashlib
from collections.abc import Iterator

import httpx
import polars
import pytest

from tests.support.archive_server import ArchiveServer
from tests.support.assemblies import Assembly, fasta, site, variables
from tests.support.bucket import Bucket
from tests.support.homes import Home
from tests.support.shelf import Shelf
from tests.support.submissions import document, text
from tests.support.web_server import WebServer, curl, serving

COLI = Assembly(sequences=fasta())
RUN, GENOME, GONE, NEW, TAXON = "SRR000001", COLI.accession, "GCA_000005845.9", "GCF_000005845.2", "2522125045"
LOCAL_TAXON = "2522125046"
SERVED = {"sra": RUN, "genomes": GENOME, "img": TAXON}


@pytest.fixture(scope="module")
def world(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with a signature of each database, and one of reads of its own whose name is like a taxon's."""
    made = Home(tmp_path_factory.mktemp("genomes") / "h")
    made.keep(RUN, shelf.archive())
    made("compute", RUN, "--now", "-g", "both").expect(0)
    with ArchiveServer(site([COLI])).serving() as ncbi:
        made("compute", GENOME, GONE, "--now", "-g", "both", env=variables(ncbi))
    (made.cwd / "imported.sig").write_bytes(text(document(TAXON)))
    made("import", "imported.sig").expect(0)
    (made.cwd / "own.fasta").write_bytes(fasta(3))
    made("compute", "own.fasta", "--name", LOCAL_TAXON, "--now").expect(0)
    yield made
    made.end()


@pytest.fixture(scope="module")
def server(world: Home) -> Iterator[WebServer]:
    with serving(world) as running:
        yield running


@pytest.fixture(scope="module")
def allowed(world: Home) -> dict[str, str]:
    secret = world("token", "add", "lab").expect(0).out.strip()
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("database", sorted(SERVED))
def test_view_redirects_to_the_file_of_each_database(database: str, world: Home, server: WebServer) -> None:
    name = SERVED[database]
    answer = httpx.get(f"{server.url}/v1/view/{database}/{name}")
    assert (answer.status_code, answer.headers["location"]) == (302, f"/wort-{database}/sigs/{name}.sig")
    done = curl(world.cwd, f"{server.url}/v1/view/{database}/{name}", "-Lf")
    assert (done.code, done.status) == (0, 200)
    assert gzip.decompress(done.body) == (text(document(TAXON)) if database == "img" else world.signature(name))
    head = httpx.head(f"{server.url}{answer.headers['location']}")
    assert (head.headers["content-type"], head.headers["content-encoding"]) == ("application/json", "gzip")
    assert head.headers["wort-trust"] == ("unverified" if database == "img" else "computed")


@pytest.mark.parametrize(
    ("database", "name"),
    [("genomes", RUN), ("sra", GENOME), ("img", RUN), ("genomes", GONE), ("genomes", "GCA_000005845"),
     ("img", "2522125047"), ("img", LOCAL_TAXON), ("sra", TAXON)],
)  # fmt: skip
def test_what_a_database_lacks_is_not_found(database: str, name: str, server: WebServer) -> None:
    """A signature of reads of the home's own is not served, although its name is like a taxon's."""
    for path in (f"/v1/view/{database}/{name}", f"/wort-{database}/sigs/{name}.sig"):
        answer = httpx.get(server.url + path)
        assert (answer.status_code, answer.text) == (404, '"Dataset not found"\n')


@pytest.mark.parametrize("database", sorted(SERVED))
def test_manifest_has_the_sketches_of_its_database(database: str, server: WebServer) -> None:
    url = f"{server.url}/wort-{database}/SOURMASH-MANIFEST"
    rows = polars.scan_parquet(f"{url}.parquet").collect()
    location = f"sigs/{SERVED[database]}.sig"
    assert set(rows["internal_location"]) == {location}
    assert rows["name"][0] == (COLI.title if database == "genomes" else SERVED[database])
    with httpx.stream("GET", f"{server.url}/wort-{database}/{location}") as file:
        assert hashlib.sha256(b"".join(file.iter_raw())).hexdigest() == rows["sha256"][0]
    text = gzip.decompress(httpx.get(f"{url}.csv.gz").content).decode()
    assert len(text.splitlines()) == 2 + len(rows)


def test_other_databases_have_no_files(server: WebServer) -> None:
    for path in ("sigs/x.sig", "SOURMASH-MANIFEST.parquet"):
        answer = httpx.get(f"{server.url}/wort-srax/{path}")
        assert (answer.status_code, answer.json()) == (404, "Database not supported")


def test_pages_link_to_what_is_served(server: WebServer) -> None:
    for database, name in SERVED.items():
        assert f"/v1/view/{database}/{name}" in httpx.get(f"{server.url}/view/{database}/{name}/").text
    assert f"/v1/view/img/{LOCAL_TAXON}" not in httpx.get(f"{server.url}/view/img/{LOCAL_TAXON}/").text
    assert COLI.title in httpx.get(f"{server.url}/view/genomes/{GENOME}/").text
    page = httpx.get(f"{server.url}/view/genomes/{GONE}/")
    assert "There can be no signature" in page.text
    assert "wort compute" not in httpx.get(f"{server.url}/view/img/2522125047/").text


def test_assembly_is_enqueued_once(world: Home, server: WebServer, allowed: dict[str, str]) -> None:
    url = f"{server.url}/v1/compute/genomes"
    first, second = (httpx.post(f"{url}/{NEW}", headers=allowed) for _ in range(2))
    assert (first.status_code, first.json()["status"]) == (202, "Submitted")
    assert (second.status_code, second.json()) == (202, first.json())
    assert [job.state for job in world.jobs() if job.name == NEW] == ["queued"]
    task = httpx.get(server.url + first.headers["location"]).json()
    assert (task["state"], task["current"], task["total"]) == ("PENDING", 0, 1)
    computed = httpx.post(f"{url}/{GENOME}", headers=allowed)
    assert (computed.status_code, computed.text) == (202, '{"status":"Signature already calculated"}\n')
    assert "Queued" in httpx.get(f"{server.url}/view/genomes/{NEW}/").text


@pytest.mark.parametrize(("name", "reason"), [(GONE, "not-found"), ("XYZ_000005845.2", "invalid-accession")])
def test_assembly_that_is_not_known_has_no_metadata(
    name: str, reason: str, server: WebServer, allowed: dict[str, str]
) -> None:
    answer = httpx.post(f"{server.url}/v1/compute/genomes/{name}", headers=allowed)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
    assert (answer.json()["status"], answer.json()["reason"]) == ("Metadata not available", reason)
    assert answer.json()["hint"]


@pytest.mark.parametrize("name", ["GCA_000005845", "SRR000001", "GCA_5845.2", "GCA_000005845.2%0A"])
def test_assembly_needs_its_version(name: str, server: WebServer, allowed: dict[str, str]) -> None:
    answer = httpx.post(f"{server.url}/v1/compute/genomes/{name}", headers=allowed)
    assert (answer.status_code, answer.json()["reason"]) == (400, "invalid-accession")
    assert r"'^\\w{3}_\\d{9}\\.\\d{1,3}$'" in answer.json()["detail"]
    assert httpx.post(f"{server.url}/v1/compute/genomes/{name}").status_code == 401


def test_lists_mix_runs_and_assemblies(server: WebServer, allowed: dict[str, str]) -> None:
    ids = [GENOME, RUN, GONE, TAXON]
    answer = httpx.post(f"{server.url}/v1/compute", headers=allowed, json={"ids": ids}).json()
    assert [row["status"] for row in answer["answers"]] == [
        "Signature already calculated",
        "Signature already calculated",
        "Metadata not available",
        "Not the accession of a run or an assembly",
    ]
    found = httpx.post(f"{server.url}/v1/status", json={"ids": [*ids, LOCAL_TAXON]}).json()["runs"]
    assert [row["state"] for row in found] == ["have", "have", "unavailable", "have", "unknown"]
    assert found[0]["url"] == f"/wort-genomes/sigs/{GENOME}.sig"
    group = httpx.post(f"{server.url}/v1/status", json={"group": "both"}).json()["runs"]
    assert {row["id"]: row["state"] for row in group} == {RUN: "have", GENOME: "have", GONE: "unavailable"}


def test_status_of_an_assembly_has_its_sketches_and_its_job(server: WebServer) -> None:
    found = httpx.get(f"{server.url}/v1/status/{GENOME}").json()
    assert (found["state"], found["trust"], found["job"]["profile"]) == ("have", "computed", "genomes-v1")
    assert [sketch["ksize"] for sketch in found["sketches"]] == [21, 31, 51]
    gone = httpx.get(f"{server.url}/v1/status/{GONE}").json()
    assert (gone["state"], gone["reason"], gone["signature"]) == ("unavailable", "not-found", None)
    assert httpx.get(f"{server.url}/v1/status/{TAXON}").json()["state"] == "have"
    assert httpx.get(f"{server.url}/v1/status/GCA_000005845").status_code == 400
    for name, status in ((GENOME, 200), (TAXON, 200), ("GCA_000005845", 400)):
        assert httpx.head(f"{server.url}/v1/events?id={name}").status_code == status


def test_catalog_has_all_databases_or_one(server: WebServer) -> None:
    def ids(**query: str | int) -> list[str]:
        found, url = [], f"{server.url}/v1/catalog"
        answer = httpx.get(url, params=query).json()
        while True:
            found += [row["id"] for row in answer["signatures"]]
            if answer["next"] is None:
                return found
            answer = httpx.get(server.url + answer["next"]).json()

    assert ids() == [TAXON, GENOME, RUN]
    assert ids(limit=1) == [TAXON, GENOME, RUN]
    assert {name: ids(database=name) for name in SERVED} == {name: [one] for name, one in SERVED.items()}
    assert httpx.get(f"{server.url}/v1/catalog?database=local").status_code == 400
    [row] = httpx.get(f"{server.url}/v1/catalog?database=genomes").json()["signatures"]
    assert (row["database"], row["url"]) == ("genomes", f"/wort-genomes/sigs/{GENOME}.sig")


def test_submission_of_a_taxon_stays_unverified(world: Home, server: WebServer, allowed: dict[str, str]) -> None:
    url = f"{server.url}/v1/submit/img/2522125048"
    answer = httpx.post(url, headers=allowed, files={"file": ("x.sig", text(document("a bacterium")))}, timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (202, "Signature accepted")
    assert (answer.json()["trust"], "task_id" in answer.json()) == ("unverified", False)
    assert httpx.get(f"{server.url}/v1/view/img/2522125048").status_code == 404
    assert "Submitted signatures" in httpx.get(f"{server.url}/view/img/2522125048/").text
    other = httpx.post(url, headers=allowed, files={"file": ("x.sig", text(document(RUN)))}, timeout=60)
    assert (other.status_code, other.json()["reason"]) == (400, "refused")
    wrong = httpx.post(f"{server.url}/v1/submit/img/{RUN}", headers=allowed, files={"file": ("x.sig", b"")})
    assert (wrong.status_code, wrong.json()["reason"]) == (400, "invalid-id")


def test_assembly_that_only_the_bucket_has_is_redirected_to(bucket: Bucket, home: Home) -> None:
    with ArchiveServer(site([COLI])).serving() as ncbi:
        home("compute", GENOME, "--now", env=variables(ncbi)).expect(0)
    file = home.path / "signatures" / "sigs" / "GCA_000" / f"{GENOME}.sig"
    stored = file.read_bytes()
    file.unlink()
    with serving(home) as server:
        done = curl(home.cwd, f"{server.url}/v1/view/genomes/{GENOME}", "-Lf")
        assert (done.status, done.redirects, done.body) == (200, 1, stored)
