"""Assemblies: the bytes of sourmash, the keys of the public service, lists with runs, and each failure's reason."""

import gzip
import hashlib
import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archive_server import ArchiveServer, Fate, Request
from tests.support.archives import SKETCH, sourmash
from tests.support.assemblies import Assembly, fasta, filler, site, variables
from tests.support.bucket import Bucket
from tests.support.homes import Home
from tests.support.shelf import Shelf

RUN = "SRR000001"
COLI = Assembly(sequences=fasta())
OLD = replace(COLI, accession="GCA_000005845.1", asm_name="ASM584v1", sequences=fasta(2), status="suppressed")
PAIR = replace(COLI, accession="GCF_000005845.2")
GENOME = COLI.accession
FILE = f"{COLI.directory}_genomic.fna.gz"


@pytest.fixture
def server(home: Home) -> Iterator[ArchiveServer]:
    """A site with three assemblies, which the home asks."""
    with ArchiveServer(site([*filler(40), COLI, PAIR], [OLD])).serving() as serving:
        home.env |= variables(serving)
        yield serving


def sketched_by_sourmash(cwd: Path, one: Assembly) -> bytes:
    """Return what `sourmash sketch` writes for the file of an assembly with its name."""
    name = f"{one.directory}_genomic.fna.gz"
    (cwd / name).write_bytes(gzip.compress(one.sequences, mtime=0))
    argv = [sourmash(), *SKETCH, "--name", one.title, "-o", "expected.sig", name]
    subprocess.run(argv, cwd=cwd, capture_output=True, check=True)
    return (cwd / "expected.sig").read_bytes()


def test_signature_has_the_bytes_of_sourmash(home: Home, server: ArchiveServer) -> None:
    home("compute", GENOME, "--now", "-o", "own.sig").expect(0)
    expected = sketched_by_sourmash(home.cwd, COLI)
    assert (home.cwd / "own.sig").read_bytes() == expected
    assert json.loads(expected)[0]["name"] == COLI.title
    file = home.path / "signatures" / "sigs" / "GCA_000" / f"{GENOME}.sig"
    assert gzip.decompress(file.read_bytes()) == expected
    shown = home("view", GENOME, "--json").expect(0).records()[0]
    made, packed = shown["provenance"], gzip.compress(COLI.sequences, mtime=0)
    assert (shown["name"], shown["profile"], shown["trust"]) == (GENOME, "genomes-v1", "computed")
    assert (made["title"], made["filename"], made["proved_by"]) == (COLI.title, FILE, "md5checksums")
    assert made["proof"] == made["source_md5"] == hashlib.md5(packed).hexdigest()
    assert made["url"] == made["files"][0]["path"] == f"{server.url}/{COLI.path}"
    assert (made["assembly"]["organism"], made["assembly"]["status"]) == (COLI.organism, "latest")
    again = home("compute", GENOME, "--now").expect(0)
    assert again.rows()[0][:2] == [GENOME, "already there"]
    assert COLI.title in home("view", GENOME).expect(0).out


def test_list_mixes_runs_and_assemblies(home: Home, server: ArchiveServer, shelf: Shelf) -> None:
    """A group of a run, and of assemblies of both databases, one of which is suppressed."""
    home.keep(RUN, shelf.archive("one_read"))
    (home.cwd / "list.txt").write_text(f"{RUN}\n{GENOME}, {OLD.accession}\n{PAIR.accession.lower()}\n")
    home("daemon", "start").expect(0)
    done = home("compute", "--from-file", "list.txt", "-g", "all", "--wait")
    done.expect(0, f"{PAIR.accession.lower()} is taken as {PAIR.accession}")
    names = sorted([RUN, GENOME, OLD.accession, PAIR.accession])
    assert [row[0] for row in home("ls", "-g", "all").expect(0).rows()] == names
    assert [row[0] for row in home("ls").expect(0).rows()] == names
    assert [row[0] for row in home("ls", "--profile", "genomes-v1").expect(0).rows()] == names[:3]
    assert json.loads(home.signature(OLD.accession))[0]["name"] == OLD.title
    assert "suppressed" in home("logs", OLD.accession).out
    home("export", "-g", "all", "-o", "all.sig.zip").expect(0, "4 signatures exported")
    with zipfile.ZipFile(home.cwd / "all.sig.zip") as archive:
        manifest = archive.read("SOURMASH-MANIFEST.csv").decode()
    assert manifest.count(COLI.title) == 3
    argv = [sourmash(), "sig", "describe", "all.sig.zip"]
    described = subprocess.run(argv, cwd=home.cwd, capture_output=True, text=True, check=True).stdout
    assert described.count(f"signature: {COLI.title}") == 3
    before = (home.cwd / "all.sig.zip").read_bytes()
    home("export", "-g", "all", "-o", "all.sig.zip", "--update").expect(0, "4 of them were there")
    assert (home.cwd / "all.sig.zip").read_bytes() == before
    home("catalog", "-o", "all.csv").expect(0)
    assert (home.cwd / "all.csv").read_text().count(COLI.title) == 3
    verified = home("verify", GENOME, RUN, "--wait").expect(0)
    assert [row[:2] for row in verified.rows()] == [[GENOME, "verified"], [RUN, "verified"]]
    (home.cwd / "wanted.txt").write_text("GCA_000000010.1\n" + "\n".join(names))
    missing = home("status", "--missing-from", "wanted.txt").expect(0)
    assert [row[0] for row in missing.rows()] == ["GCA_000000010.1"]


def test_assembly_is_published_under_the_keys_of_the_public_service(
    home: Home, server: ArchiveServer, bucket: Bucket, tmp_path: Path
) -> None:
    home("compute", GENOME, "--now").expect(0)
    key = f"sigs/{GENOME}.sig"
    assert bucket.all_keys() == [f"prov/{GENOME}.json", key]
    assert gzip.decompress(bucket.get(key)) == home.signature(GENOME)
    head = bucket.head(key)
    assert (head["ContentType"], head["ContentEncoding"]) == ("application/json", "gzip")
    assert (head["Metadata"]["name"], head["Metadata"]["profile"]) == (GENOME, "genomes-v1")
    other = Home(tmp_path / "other")
    other.env |= {key: value for key, value in home.env.items() if key.startswith(("WORT_S3", "AWS_"))}
    assert other("view", GENOME, "--json").expect(0).records()[0]["provenance"]["title"] == COLI.title
    other("sync", "pull", GENOME).expect(0)
    assert other.signature(GENOME) == home.signature(GENOME)
    other("sync", "check").expect(0)
    other("export", GENOME, "-o", "one.zip").expect(0)
    home("sync", "push").expect(0)
    other.end()


def test_signature_of_others_is_verified(home: Home, server: ArchiveServer) -> None:
    right = sketched_by_sourmash(home.cwd, COLI)
    (home.cwd / "right.sig").write_bytes(right)
    (home.cwd / "wrong.sig").write_bytes(
        sketched_by_sourmash(home.cwd, OLD).replace(OLD.title.encode(), COLI.title.encode())
    )
    home("submit", "right.sig", "--no-verify").expect(0)
    assert home("verify", GENOME, "--now").expect(0).rows()[0][:2] == [GENOME, "verified"]
    home("submit", "wrong.sig", "--no-verify").expect(0)
    home("verify", GENOME, "--now").expect(5, "other sequences than those of the assembly")


def test_interrupted_download_is_continued_by_the_next_attempt(home: Home, server: ArchiveServer) -> None:
    def fate(request: Request) -> Fate:
        asked = [one for one in server.requests if one.path.endswith("genomic.fna.gz")]
        return Fate(cut=0.5 if len(asked) == 1 else 0.0) if request.path.endswith("genomic.fna.gz") else Fate()

    server.fate = fate
    home("compute", GENOME, "--now").expect(75)
    assert home.job(GENOME).reason == "network"
    server.fate = lambda request: Fate()
    home("retry", GENOME).expect(0)
    home("compute", GENOME, "--now").expect(0)
    parts = [one for one in server.requests if one.path.endswith("genomic.fna.gz")]
    assert parts[-1].first > 0
    assert home.signature(GENOME) == sketched_by_sourmash(home.cwd, COLI)


@pytest.mark.parametrize(
    ("name", "fate", "code", "reason", "message"),
    [
        ("GCA_000000010.1", Fate(), 75, "no-data", "NCBI lists GCA_000000010.1, but has no file"),
        ("GCA_999999999.1", Fate(), 3, "not-found", "has no assembly GCA_999999999.1"),
        ("GCA_000005845.3", Fate(), 3, "not-found", "NCBI has the sequences of GCA_000005845.2"),
        (GENOME, Fate(status=200), 75, "network", "does this network need a login?"),
        (GENOME, Fate(status=429), 75, "rate-limited", "it asks for fewer requests"),
        (GENOME, Fate(body=b""), 75, "network", "the answer is empty"),
        (GENOME, Fate(change=lambda data: data[:-9] + bytes(9)), 1, "corrupt", "md5checksums.txt lists"),
        (GENOME, Fate(body=gzip.compress(b">x\nACGT\n")), 1, "corrupt", "md5checksums.txt lists"),
    ],
    ids=["no-file", "unknown", "other-version", "page", "limited", "empty", "damaged", "other"],
)
def test_failure_has_its_reason(
    home: Home, server: ArchiveServer, name: str, fate: Fate, code: int, reason: str, message: str
) -> None:
    server.fate = lambda request: fate if request.path.endswith("genomic.fna.gz") else Fate()
    home("compute", name, "--now").expect(code)
    job = home.job(name)
    assert job.reason == reason
    assert message in job.message
    assert home.signature_files() == []


def test_file_without_md5_is_used_only_if_that_is_accepted(home: Home, server: ArchiveServer) -> None:
    del server.files[f"{COLI.parent}/{COLI.directory}/md5checksums.txt"]
    home("compute", GENOME, "--now").expect(75)
    assert home.job(GENOME).reason == "unprovable"
    home("compute", GENOME, "--now", "--accept-unproved").expect(0)
    assert home("ls").expect(0).rows()[0][:2] == [GENOME, "unproved"]


def test_word_that_is_no_assembly_is_refused(home: Home, server: ArchiveServer) -> None:
    home("compute", "GCA_000005845").expect(
        2, "'GCA_000005845' is not the accession of an assembly", "the version is missing"
    )
    home("view", "gca_000005845").expect(2, "the version is missing")
    home("compute", RUN, GENOME, "--profile", "genomes-v1").expect(2, "genomes-v1 is the profile of assemblies")
    home("fetch", GENOME).expect(2, "this is an assembly, which has no runs")
    (home.cwd / "x.fa").write_bytes(b">x\nACGT\n")
    home("compute", "x.fa", "--name", GENOME, "--now").expect(2, "is that of an assembly")
    home("compute", GENOME, "--now", env={"WORT_GENOMES_URL": "off"}).expect(1, "not-asked")
    assert "the setting `genomes_url` is off" in home.job(GENOME).message


def test_dry_run_tells_what_would_be_fetched(home: Home, server: ArchiveServer) -> None:
    [row] = home("compute", GENOME, "-n", "--json").expect(0).records()
    size = len(gzip.compress(COLI.sequences, mtime=0))
    assert (row["fetch"], row["archive_size"], row["archive"]) == (size, size, f"{server.url}/{COLI.path}")
    assert home.signature_files() == []


def test_assembly_has_signatures_of_several_profiles(home: Home, server: ArchiveServer) -> None:
    home("profile", "add", "fine", "-k", "31", "--scaled", "100").expect(0)
    home("compute", GENOME, "--profile", "sra-v1", "--profile", "fine", "--now").expect(0)
    parts = [one for one in server.requests if one.path.endswith("genomic.fna.gz")]
    assert len(parts) == 1
    assert home.select("SELECT name, profile, path FROM signatures ORDER BY profile") == [
        (GENOME, "fine", f"profiles/fine/sigs/GCA_000/{GENOME}.sig"),
        (GENOME, "genomes-v1", f"sigs/GCA_000/{GENOME}.sig"),
    ]
