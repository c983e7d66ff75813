"""Tests of the download of an assembly: what has arrived is kept, and nothing else is taken for the file."""

from pathlib import Path
from random import Random

import pytest

from tests.support.archive_server import ArchiveServer, Fate, Request
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.assemblies.fetch import AssemblyFile
from wort_cli.pipeline.assemblies.requests import Requests
from wort_cli.system.cancellation import NEVER

DATA = b"\x1f\x8b\x08" + Random(1).randbytes(300_000)
OTHER = b"\x1f\x8b\x08" + Random(2).randbytes(300_000)


@pytest.fixture
def file(tmp_path: Path, server: ArchiveServer, client: Requests) -> AssemblyFile:
    server.files["x.fna.gz"] = DATA
    return AssemblyFile(tmp_path / "archive", client, lambda done, total: None, lambda size: None)


def failure(file: AssemblyFile, url: str) -> tuple[Reason, str]:
    with pytest.raises(JobFailed) as failed:
        file.fetch(url)
    return failed.value.failure.reason, str(failed.value)


def test_file_is_fetched_once(file: AssemblyFile, server: ArchiveServer) -> None:
    file.fetch(f"{server.url}/x.fna.gz")
    assert file.path.read_bytes() == DATA
    file.fetch(f"{server.url}/x.fna.gz")
    assert len(server.requests) == 1


def test_what_breaks_off_is_continued(file: AssemblyFile, server: ArchiveServer) -> None:
    server.fate = lambda request: Fate(cut=0.5) if request.number < 3 else Fate()
    file.fetch(f"{server.url}/x.fna.gz")
    assert file.path.read_bytes() == DATA
    assert [request.first for request in server.requests] == sorted({request.first for request in server.requests})
    assert len(server.requests) == 4


def test_next_attempt_continues(file: AssemblyFile, server: ArchiveServer, client: Requests) -> None:
    server.fate = lambda request: Fate(cut=0.5) if not request.number else Fate(cut=0.0)
    assert failure(file, f"{server.url}/x.fna.gz")[0] is Reason.NETWORK
    arrived = file.path.stat().st_size
    assert arrived > 100_000
    server.fate = lambda request: Fate()
    again = AssemblyFile(file.path.parent, client, lambda done, total: None, lambda size: None)
    again.fetch(f"{server.url}/x.fna.gz")
    assert again.path.read_bytes() == DATA
    assert server.requests[-1].first == arrived


def test_other_content_is_fetched_from_its_start(file: AssemblyFile, server: ArchiveServer) -> None:
    """One server ignores If-Range and sends the rest of another file."""

    def replaced(request: Request) -> Fate:
        server.files["x.fna.gz"] = OTHER  # for the next request
        return Fate() if request.number else Fate(cut=0.5)

    server.fate = replaced
    file.fetch(f"{server.url}/x.fna.gz")
    assert file.path.read_bytes() == OTHER


def test_part_of_another_url_is_not_used(file: AssemblyFile, server: ArchiveServer) -> None:
    server.files["y.fna.gz"] = OTHER
    file.fetch(f"{server.url}/x.fna.gz")
    file.fetch(f"{server.url}/y.fna.gz")
    assert file.path.read_bytes() == OTHER


@pytest.mark.parametrize(
    ("fate", "reason", "message"),
    [
        (Fate(status=404), Reason.NO_DATA, "there is no such file, although NCBI lists it"),
        (Fate(status=200), Reason.NETWORK, "does this network need a login"),
        (Fate(status=429), Reason.RATE_LIMITED, "it asks for fewer requests"),
        (Fate(status=503), Reason.NETWORK, "it has an internal error"),
        (Fate(body=b""), Reason.NETWORK, "the answer is empty"),
        (Fate(body=b">1\nACGT\n"), Reason.NETWORK, "the answer is not compressed"),
        (Fate(cut=0.0), Reason.NETWORK, "broke off"),
        (Fate(without=("Content-Length",)), Reason.NETWORK, "does not say how long the file is"),
        (Fate(noise=b"SSH-2.0-x\r\n"), Reason.NETWORK, "cannot be queried"),
    ],
    ids=["missing", "page", "limited", "down", "empty", "plain", "cut", "no-length", "noise"],
)
def test_failures_have_their_reasons(
    file: AssemblyFile, server: ArchiveServer, fate: Fate, reason: Reason, message: str
) -> None:
    server.fate = lambda request: fate
    found, sentence = failure(file, f"{server.url}/x.fna.gz?key=secret")
    assert found is reason
    assert message in sentence
    assert "secret" not in sentence


def test_disk_is_reserved_before_anything_is_written(tmp_path: Path, server: ArchiveServer, client: Requests) -> None:
    server.files["x.fna.gz"] = DATA

    def full(size: int) -> None:
        raise JobFailed(Reason.DISK_LOW, f"{size} bytes")

    file = AssemblyFile(tmp_path / "archive", client, lambda done, total: None, full)
    assert failure(file, f"{server.url}/x.fna.gz") == (Reason.DISK_LOW, f"{len(DATA)} bytes")
    assert not file.path.parent.exists()


def test_md5_is_that_of_the_file(file: AssemblyFile, server: ArchiveServer) -> None:
    import hashlib

    file.fetch(f"{server.url}/x.fna.gz")
    assert file.md5(NEVER) == hashlib.md5(DATA).hexdigest()
    file.remove()
    assert list(file.path.parent.iterdir()) == []
