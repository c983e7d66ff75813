"""Tests of `-o`: the suffix chooses the format, and a file of another run is never replaced without --force."""

import errno
import gzip
import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest

from tests.support.builders import provenance
from tests.support.small_world import reference
from wort_cli.commands.shared.exporting.output import Output, OutputItem, OutputRefused
from wort_cli.errors import StorageProblem, UsageError
from wort_cli.system import atomic_files

A, B = "SRR000001", "SRR000002"
TO_STDOUT = """
from tests.support.small_world import reference
from tests.unit.commands.shared.exporting.test_output import item
from wort_cli.commands.shared.exporting.output import Output
Output.parse("{target}").write([item("SRR000001")])
"""


def opened(content: bytes) -> AbstractContextManager[IO[bytes]]:
    @contextmanager
    def file() -> Iterator[IO[bytes]]:
        yield io.BytesIO(content)

    return file()


def item(name: str, content: bytes | None = None) -> OutputItem:
    """Return a gzipped signature, as the store has it, with its provenance."""
    stored = reference(name) if content is None else content
    return OutputItem(name, lambda: opened(stored), replace(provenance(), name=name), hint="elsewhere")


def write(target: Path | str, *names: str, force: bool = False) -> None:
    output = Output.parse(str(target), force=force)
    output.check(names)
    output.write(map(item, names))


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


# ---- the format


def test_suffix_chooses_the_format(tmp_path: Path) -> None:
    for suffix in (".sig", ".sig.gz", ".zip"):
        write(tmp_path / f"x{suffix}", A)
        (tmp_path / "x.prov.json").unlink()
    assert (tmp_path / "x.sig").read_bytes() == gzip.decompress(reference(A))
    assert (tmp_path / "x.sig.gz").read_bytes() == reference(A)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.read(f"signatures/{A}.sig.gz") == reference(A)


def test_signature_that_is_not_compressed_is_compressed_for_gzip(tmp_path: Path) -> None:
    Output.parse(str(tmp_path / "x.sig.gz")).write([item(A, gzip.decompress(reference(A)))])
    assert gzip.decompress((tmp_path / "x.sig.gz").read_bytes()) == gzip.decompress(reference(A))


@pytest.mark.parametrize("text", ["x", "x.txt", "x.gz", "x.json", ".sig", "x.zip.gz", "\x1b[2J"])
def test_other_suffix_is_refused_with_the_way_to_name_a_directory(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.sig, \.sig\.gz or \.zip") as error:
        Output.parse(f"{tmp_path}/{text}")
    assert error.value.hint.startswith("for a directory, add a slash: ")
    assert error.value.hint.isprintable()


def test_sourmash_reads_every_sketch_of_a_zip_file(tmp_path: Path) -> None:
    import sourmash

    write(tmp_path / "two.zip", A, B)
    index = sourmash.load_file_as_index(str(tmp_path / "two.zip"))
    found = sorted((found.name, found.minhash.ksize, len(found.minhash)) for found in index.signatures())
    wanted = sourmash.load_signatures_from_json(gzip.decompress(reference(A)).decode())
    assert found[:3] == sorted((each.name, each.minhash.ksize, len(each.minhash)) for each in wanted)
    assert [name for name, *_ in found] == [A] * 3 + [B] * 3
    assert len(list(index.select(ksize=31).signatures())) == 2
    assert [found["name"] for found in json.loads((tmp_path / "two.prov.json").read_text())] == [A, B]


def test_member_of_a_zip_file_has_a_plain_header(tmp_path: Path) -> None:
    write(tmp_path / "two.zip", A, B)
    header = (tmp_path / "two.zip").read_bytes()[:30]
    assert header[:4] == b"PK\x03\x04"
    assert int.from_bytes(header[28:30], "little") == 0  # of extra fields, which Python 3.11.2 wrote wrongly


def test_zip_files_of_equal_signatures_are_equal(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        write(tmp_path / place / "x.zip", A, B)
    assert (tmp_path / "one" / "x.zip").read_bytes() == (tmp_path / "two" / "x.zip").read_bytes()


# ---- the place


def test_trailing_slash_is_a_directory_which_is_made(tmp_path: Path) -> None:
    write(f"{tmp_path}/new/deep/", A, B)
    assert files(tmp_path) == sorted(f"new/deep/{name}{end}" for name in (A, B) for end in (".sig", ".prov.json"))


def test_existing_directory_needs_no_slash(tmp_path: Path) -> None:
    write(tmp_path, A)
    assert files(tmp_path) == [f"{A}.prov.json", f"{A}.sig"]


def test_without_signatures_nothing_is_written(tmp_path: Path) -> None:
    for text in ("new/", "x.zip", "x.sig"):
        Output.parse(f"{tmp_path}/{text}").write([])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("parent", ["nowhere", "file"])
def test_missing_directory_of_a_file_is_a_usage_error(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no directory"):
        write(tmp_path / parent / "x.sig", A)
    assert files(tmp_path) == ["file"]


def test_directory_below_a_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is not a directory"):
        write(f"{tmp_path}/file/new/", A)


@pytest.mark.parametrize("text", ["x.sig", "-"])
def test_several_signatures_need_a_directory_or_a_zip_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is not a directory, and there are 2 signatures"):
        Output.parse(text if text == "-" else f"{tmp_path}/{text}").check([A, B])


# ---- what exists


@pytest.mark.parametrize("suffix", [".sig", ".sig.gz", ".zip"])
def test_file_of_the_same_run_is_replaced_and_that_of_another_is_not(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"x{suffix}", A)
    write(tmp_path / f"x{suffix}", A)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(OutputRefused, match=f"has the signature of '{A}'"):
        write(tmp_path / f"x{suffix}", B)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    write(tmp_path / f"x{suffix}", B, force=True)
    with pytest.raises(OutputRefused):
        write(tmp_path / f"x{suffix}", A)


def test_zip_file_that_would_lose_a_run_is_not_replaced(tmp_path: Path) -> None:
    write(tmp_path / "x.zip", A, B)
    with pytest.raises(OutputRefused, match=B):
        write(tmp_path / "x.zip", A)
    write(tmp_path / "x.zip", B, A)


def test_file_of_several_signatures_that_would_lose_one_is_not_replaced(tmp_path: Path) -> None:
    (first,), (second,) = (json.loads(gzip.decompress(reference(name))) for name in (A, B))
    (tmp_path / "x.sig").write_text(json.dumps([first, second]))
    with pytest.raises(OutputRefused, match=B):
        write(tmp_path / "x.sig", A)


@pytest.mark.parametrize(
    "content", [b"", b"my thesis", b'{"name": "SRR000001"}', b"PK\x03\x04", gzip.compress(b"x", mtime=0), b"\x1f\x8b"]
)
@pytest.mark.parametrize("name", ["x.sig", "x.zip", "x.prov.json"])
def test_file_that_is_no_signature_is_not_replaced(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    target = tmp_path / name.replace(".prov.json", ".sig")
    with pytest.raises(OutputRefused, match="is not a signature"):
        write(target, A)
    assert files(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == content
    write(target, A, force=True)
    assert (tmp_path / name).read_bytes() != content


@pytest.mark.parametrize("links", [True, False])
def test_file_that_appears_meanwhile_is_not_replaced(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds on a disk without hard links, too."""

    def no_link(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links")

    if not links:
        monkeypatch.setattr(Path, "hardlink_to", no_link)
    path = tmp_path / "x.sig"
    with pytest.raises(FileExistsError), atomic_files.atomic_output(path, replace=False) as file:
        file.write(b"ours")
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert files(tmp_path) == ["x.sig"]
    with atomic_files.atomic_output(tmp_path / "y.sig", replace=False) as file:
        file.write(b"ours")
    assert files(tmp_path) == ["x.sig", "y.sig"]


def test_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "x.sig").symlink_to("target")
    write(tmp_path / "x.sig", A)
    write(tmp_path / "x.sig", A)
    assert (tmp_path / "x.sig").is_symlink()
    assert (tmp_path / "target").read_bytes() == gzip.decompress(reference(A))


# ---- devices and pipes


def test_named_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    small = b'[{"class":"sourmash_signature"}]'
    Output.parse(str(pipe)).write([item(A, small)])
    assert os.read(reader, 100) == small
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)


@pytest.mark.parametrize("target", ["-", "/dev/stdout"])
def test_standard_output_gets_the_json_and_no_provenance(target: str) -> None:
    done = subprocess.run([sys.executable, "-c", TO_STDOUT.format(target=target)], capture_output=True, check=False)
    assert (done.stderr, done.returncode) == (b"", 0)
    assert done.stdout == gzip.decompress(reference(A))


def test_target_that_cannot_be_written_raises_a_storage_problem_with_the_hint() -> None:
    with pytest.raises(StorageProblem, match="can't be written") as problem:
        write("/dev/full", A)
    assert problem.value.hint == "elsewhere"
