"""Tests of known answers: compiled functions that are damaged are compiled again, and never give a signature."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wort_cli
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import SRA_V1
from wort_cli.pipeline.seal import DECIMALS
from wort_cli.pipeline.sketching.compiled_fasta import PARSING
from wort_cli.pipeline.sketching.hash_counts import COUNTING
from wort_cli.pipeline.sketching.hash_text import KERNEL, KNOWN_KSIZES
from wort_cli.pipeline.sketching.kernel import M2
from wort_cli.pipeline.sketching.known_answer import KnownAnswer, known_letters, known_numbers
from wort_cli.pipeline.sketching.python_fasta import PythonFastaReader

ALL = (KERNEL, COUNTING, PARSING, DECIMALS)


class Loops:
    """Stands for a compiled function: its results are wrong until it has been compiled often enough."""

    stats: Any = type("Stats", (), {"cache_path": None})()

    def __init__(self, wrong: int) -> None:
        self.wrong = wrong

    def recompile(self) -> None:
        """Compile again."""
        self.wrong -= 1

    def compute(self) -> bytes:
        """Return a result."""
        return b"wrong" if self.wrong > 0 else b"right"

    def answer(self) -> KnownAnswer:
        """Return the known answer of these loops."""
        return KnownAnswer("loops", (self,), self.compute, hashlib.sha256(b"right").hexdigest())


@pytest.mark.parametrize("answer", ALL, ids=[answer.name for answer in ALL])
def test_compiled_functions_give_the_known_answer(answer: KnownAnswer) -> None:
    """The right results are those that are written down."""
    assert answer.is_right()


def test_known_hashes_are_those_of_sourmash() -> None:
    """The known answer of the kernel is right: sourmash hashes the same k-mers."""
    from sourmash import MinHash

    found = np.frombuffer(KERNEL.compute(), np.uint64)
    expected: Counter[int] = Counter()
    for k in KNOWN_KSIZES:
        minhash = MinHash(n=0, ksize=k, scaled=4, seed=SRA_V1.seed, track_abundance=True)
        minhash.add_sequence(known_letters(20_000).decode(), force=True)
        expected.update(minhash.hashes)
    assert minhash._max_hash == 1 << 62
    assert Counter(found.tolist()) == expected


def test_known_counts_are_those_of_python() -> None:
    """The known answer of the counting loops is right."""
    hashes, counts = np.frombuffer(COUNTING.compute(), np.uint64).reshape(2, -1)
    assert dict(zip(hashes.tolist(), counts.tolist(), strict=True)) == Counter((known_numbers(3_000) % 1_000).tolist())


def test_known_fasta_is_read_as_by_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The known answer of the compiled FASTA reader is right: the reader in plain Python gives the same."""
    by_loops = PARSING.compute()
    monkeypatch.setattr("wort_cli.pipeline.sketching.compiled_fasta.CompiledFastaReader", PythonFastaReader)
    assert PARSING.compute() == by_loops


def test_known_numbers_are_written_as_by_python() -> None:
    """The known answer of the decimal loops is right."""
    numbers = [number >> i % 64 for i, number in enumerate(known_numbers(500).tolist())]
    assert DECIMALS.compute().decode() == f"{','.join(map(str, numbers))} 1 0"


def test_wrong_functions_are_compiled_again() -> None:
    """A wrong result is followed by one compilation, and a right one by none; each is computed once."""
    loops = Loops(wrong=1)
    answer = loops.answer()
    answer.check()
    answer.check()
    assert loops.wrong == 0


def test_machine_that_stays_wrong_fails_the_job_each_time() -> None:
    """If compiling does not help, each check fails with `machine-error`."""
    answer = Loops(wrong=5).answer()
    for _ in range(2):
        with pytest.raises(JobFailed, match="loops") as failed:
            answer.check()
        assert failed.value.failure.reason is Reason.MACHINE_ERROR


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a copy of wort's package with its caches of machine code."""
    KERNEL.check()
    COUNTING.check()
    return Path(shutil.copytree(Path(wort_cli.__file__).parent, tmp_path / "wort_cli")) / "pipeline" / "sketching"


def run(package: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with the copy of the package."""
    variables = {**os.environ, "PYTHONPATH": str(package.parents[2])}
    variables.pop("NUMBA_CACHE_DIR", None)
    return subprocess.run(
        [sys.executable, "-P", "-c", code], env=variables, capture_output=True, text=True, check=False
    )


def cached(package: Path, name: str) -> Path:
    """Return the newest file with the machine code of a function."""
    return max((package / "__pycache__").glob(f"{name}-*.nbc"), key=lambda file: file.stat().st_mtime)


def test_flipped_bit_in_the_cache_gives_no_wrong_hash(package: Path) -> None:
    """A damaged constant of the hash function, wherever it is in the cache, is noticed, and the cache repaired."""
    file = cached(package, "kernel.hash_blocks")
    right = int(M2).to_bytes(8, "little")
    damaged = file.read_bytes().replace(right, bytes([right[0] ^ 1]) + right[1:])
    assert damaged != file.read_bytes()
    file.write_bytes(damaged)
    code = "from wort_cli.pipeline.sketching.hash_text import *; print(hash_text(b'ACGTT', [5], 42, 2**64 - 1)[0][0])"
    from sourmash import MinHash

    minhash = MinHash(n=0, ksize=5, scaled=1)
    minhash.add_sequence("ACGTT")
    done = run(package, code)
    assert done.stdout.split() == [str(hash_) for hash_ in minhash.hashes], done.stderr
    assert cached(package, "kernel.hash_blocks").read_bytes() != damaged


def test_damaged_code_is_not_executed(package: Path) -> None:
    """Damaged machine code might end the process, so the sums of the cache's files are compared first."""
    file = cached(package, "hash_counts.merge_counts")
    file.write_bytes(b"")  # an error if it were loaded
    done = run(package, "from wort_cli.pipeline.sketching.hash_counts import *; HashCounts(); print(1)")
    assert done.stdout == "1\n", done.stderr
    assert file.stat().st_size
