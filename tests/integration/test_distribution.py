"""The wheel and the sdist have everything, and the same bytes each time."""

import hashlib
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts import dist, man_pages

Built = list[Path]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose only commit has the files of this checkout."""
    root = tmp_path_factory.mktemp("checkout")
    dist.git(root, "init", "-q")
    files = dist.git(dist.ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    for name in filter(None, files):
        source, target = dist.ROOT / os.fsdecode(name), root / os.fsdecode(name)
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(source.stat().st_mode)
    dist.git(root, "add", "-A")
    dist.git(root, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-q", "-m", "x")
    return root


@pytest.fixture(scope="module")
def builds(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Built, Built]]:
    """Two builds of the same commit, in checkouts of different modes and times."""
    other = tmp_path_factory.mktemp("other")
    subprocess.run(["git", "clone", "-q", checkout, other], check=True, umask=0o077)
    (other / "wort_cli" / "left_over.py").write_text("")
    outputs = [tmp_path_factory.mktemp("dist") for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        yield tuple(pool.map(dist.make, outputs, (checkout, other)))  # type: ignore[misc]


def sums(files: Built) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_two_builds_of_a_commit_have_the_same_bytes(builds: tuple[Built, Built]) -> None:
    first, second = map(sums, builds)
    assert first == second
    assert sorted(name.rsplit(".", 1)[1] for name in first) == ["gz", "whl"]


def test_wheel_has_every_file_of_the_package_and_no_other(builds: tuple[Built, Built], checkout: Path) -> None:
    (wheel,) = (file for file in builds[0] if file.suffix == ".whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name and ".data/" not in name}
        modes = {member.external_attr >> 16 & 0o777 for member in archive.infolist()}
        metadata = archive.read(f"{'-'.join(wheel.name.split('-')[:2])}.dist-info/METADATA").decode()
    assert names == set(os.fsdecode(dist.git(checkout, "ls-files", "wort_cli")).split())
    assert any(name.endswith(".sql") for name in names)
    assert modes <= {0o644, 0o664}
    assert "License-Expression: BSD-3-Clause" in metadata


def test_wheel_installs_the_man_page_of_every_command(builds: tuple[Built, Built]) -> None:
    (wheel,) = (file for file in builds[0] if file.suffix == ".whl")
    prefix = f"{'-'.join(wheel.name.split('-')[:2])}.data/data/share/man/man1/"
    with zipfile.ZipFile(wheel) as archive:
        pages = {name.removeprefix(prefix): archive.read(name) for name in archive.namelist() if ".data/" in name}
    assert pages == {path.name: path.read_bytes() for path in man_pages.DIRECTORY.iterdir()}
    assert {"wort.1", "wort-compute.1", "wort-daemon-start.1"} <= pages.keys()


def test_sdist_has_what_tests_and_documents_need(builds: tuple[Built, Built]) -> None:
    (sdist,) = (file for file in builds[0] if file.name.endswith(".tar.gz"))
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    names = {member.name.split("/", 1)[-1] for member in members}
    assert {"constraints.txt", "docs/install.md", "tests/conftest.py", "demo/phage.sra", "Containerfile"} <= names
    assert len({member.mtime for member in members}) == 1
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    assert not [name for name in names if "__pycache__" in name or name.endswith("left_over.py")]
