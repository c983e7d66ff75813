"""A sealed signature has the bytes that `sourmash sketch` writes, or does not exist."""

import gzip
import io
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import fake_decoders
from tests.support.builders import MAX_HASH, TOOLS, numbers, random_reads, sketch
from wort_cli.model.accession import parse_name
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import SRA_V1
from wort_cli.model.signature_file import Sketch, digest, read_signature
from wort_cli.pipeline.seal import seal, write_signature
from wort_cli.pipeline.sketching.engine import ENGINES
from wort_cli.system.cancellation import Cancellation, Cancelled

LONG = random_reads(1, 200_000)
INPUTS = {
    "a long read": LONG,
    "repeated reads": [*LONG, LONG[0][:100_000], LONG[0][50_000:60_000]],
    "reads with N and lower case": [LONG[0][:70_000].lower() + "NNN" + LONG[0][70_000:]],
    "reads of which some are short": [*LONG, "ACGT"],
    "short reads only": ["ACGTACGTAC", "GGG"],
    "reads long enough for k=21 only": [read[:30] for read in random_reads(3000, 30, seed=2)],
}


def sketched(reads: Sequence[str], engine: str = "kernel") -> tuple[Sketch, ...]:
    return fake_decoders.sketched(reads, SRA_V1, ENGINES[engine](SRA_V1))


def written(name: str, sketches: Sequence[Sketch]) -> bytes:
    file = io.BytesIO()
    write_signature(name, sketches, file)
    return file.getvalue()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("what", INPUTS)
def test_signature_has_the_bytes_of_sourmash_sketch(tmp_path: Path, what: str, engine: str) -> None:
    fasta = "".join(f">SRR139146.{n}.1\n{read}\n" for n, read in enumerate(INPUTS[what], 1))
    reference = subprocess.run(
        [TOOLS / "sourmash", *SRA_V1.sourmash_arguments(), "--name", "SRR139146", "-o", "-", "-"],
        input=fasta.encode(), capture_output=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    ours = gzip.decompress(written("SRR139146", sketched(INPUTS[what], engine)))
    assert ours == reference.stdout.rstrip(b"\n")
    assert ours.startswith(b"[{")


@pytest.mark.parametrize("name", ["SRR139146", "my.sample_1-x"])
def test_sealed_signature_reads_back(tmp_path: Path, name: str) -> None:
    sketches = sketched(INPUTS["repeated reads"])
    sealed_digest = seal(parse_name(name), sketches, tmp_path / "sealed.sig")
    read = read_signature(tmp_path / "sealed.sig")
    assert (read.name, read.filename) == (name, "")
    assert read.digest == sealed_digest == digest(sketches)
    assert [made.md5 for made in read.sketches] == [made.md5sum() for made in sketches]
    assert (tmp_path / "sealed.sig").read_bytes() == written(name, sketches)


def test_sealing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    sketches = sketched(LONG)
    for name in ("a", "b"):
        seal(parse_name("SRR139146"), sketches, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_compressed_bytes_are_the_same_in_every_process() -> None:
    program = (
        "import sys; from tests.support.builders import sketch; from wort_cli.pipeline.seal import write_signature; "
        "write_signature('SRR139146', [sketch(range(1, 100), [7] * 99)], sys.stdout.buffer)"
    )
    root = Path(__file__).parents[3]
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=root)
    assert other.stdout == written("SRR139146", [sketch(range(1, 100), [7] * 99)])
    assert b'"mins":[1,2,3,' in gzip.decompress(other.stdout)
    assert other.stdout[3] == 0  # no name (RFC 1952)
    assert other.stdout[4:8] == bytes(4)  # no time


@pytest.mark.parametrize(
    "wrong",
    [
        sketch([3, 2, 1], [1, 2, 3]),  # sourmash sorts them
        sketch([1, 1], [2, 3]),  # sourmash merges them
        sketch([1, 2], [3, 0]),  # sourmash drops an abundance of 0
        sketch([1, MAX_HASH + 1], [3, 4]),  # above the threshold
        sketch([1, 2], [3, 4], max_hash=MAX_HASH - 12_345),  # no scaled has this threshold
        Sketch(21, 42, MAX_HASH, numbers([1]), numbers([1]), moltype="RNA"),
    ],
)
def test_invalid_sketch_is_refused_and_leaves_no_file(tmp_path: Path, wrong: Sketch) -> None:
    with pytest.raises(JobFailed) as failure:
        seal(parse_name("SRR139146"), [wrong], tmp_path / "sealed.sig")
    assert failure.value.failure.reason is Reason.TOOL_CRASH
    assert list(tmp_path.iterdir()) == []


def test_path_that_cannot_be_written_raises_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        seal(parse_name("SRR139146"), [sketch()], tmp_path / "file" / "sealed.sig")


def test_sealing_can_be_cancelled(tmp_path: Path) -> None:
    """Both while writing and while reading back; no file is left."""
    many = sketch(range(1, 300_000), None)
    whole = 0

    def count() -> bool:
        nonlocal whole
        whole += 1
        return False

    seal(parse_name("SRR139146"), [many], tmp_path / "whole.sig", Cancellation(count))
    for last in (1, whole // 4, whole - 1):
        left = last

        def is_late() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        with pytest.raises(Cancelled):
            seal(parse_name("SRR139146"), [many], tmp_path / "sealed.sig", Cancellation(is_late))
        assert [path.name for path in tmp_path.iterdir()] == ["whole.sig"]
