"""Tests of known answers: compiled functions that are damaged are compiled again, and never give a signature."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import wort_cli
from tests.support.polling import until
from tests.unit.pipeline.sketching.loops_in_use import ALL
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import SRA_V1
from wort_cli.pipeline.decimals import DECIMALS
from wort_cli.pipeline.sketching import loops as loops_module
from wort_cli.pipeline.sketching.compiled_fasta import PARSING
from wort_cli.pipeline.sketching.hash_counts import COUNTING
from wort_cli.pipeline.sketching.hash_text import KERNEL, KNOWN_KSIZES
from wort_cli.pipeline.sketching.known_input import known_letters, known_numbers
from wort_cli.pipeline.sketching.loop_files import Code, decode, one_compilation, read_code
from wort_cli.pipeline.sketching.loops import Array, Loops
from wort_cli.pipeline.sketching.python_fasta import PythonFastaReader


@pytest.mark.parametrize("loops", ALL, ids=[loops.name for loops in ALL])
def test_loops_give_the_known_answer(loops: Loops) -> None:
    """The right results are those that are written down."""
    loops.load()
    assert loops.is_right()


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
    counted = Counter((known_numbers(3_000) % 1_000).tolist())
    expected = as_table(counted)
    for large in (0, 2**32):
        expected += as_table(counted + Counter({3 * number: times + large for number, times in counted.items()}))
    assert np.frombuffer(COUNTING.compute(), np.uint64).tolist() == expected


def as_table(counted: Counter[int]) -> list[int]:
    """Return the numbers, ascending, and then their counts."""
    return sorted(counted) + [counted[number] for number in sorted(counted)]


def test_known_fasta_is_read_as_by_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The known answer of the compiled FASTA reader is right: the reader in plain Python gives the same."""
    by_loops = PARSING.compute()
    monkeypatch.setattr("wort_cli.pipeline.sketching.compiled_fasta.CompiledFastaReader", PythonFastaReader)
    assert PARSING.compute() == by_loops


def test_known_numbers_are_written_as_by_python() -> None:
    """The known answer of the decimal loops is right."""
    numbers = [number >> i % 64 for i, number in enumerate(known_numbers(500).tolist())]
    text = ",".join(map(str, numbers))
    counted = Counter(text.encode()[::7])
    bits = sum((byte & 31) << 3 + 5 * i for i, byte in enumerate(text.encode()))
    size = 3 + 5 * len(text)
    words = [bits >> 64 * i & 2**64 - 1 for i in range(size // 64 + 1)]
    facts = [1, 0, 1, 0, *(counted[byte] for byte in sorted(counted)), size, *words]
    assert DECIMALS.compute().decode() == f"{text} {' '.join(map(str, facts))}"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a copy of wort's package with its machine code."""
    KERNEL.load()
    COUNTING.load()
    return Path(shutil.copytree(Path(wort_cli.__file__).parent, tmp_path / "wort_cli")) / "pipeline" / "sketching"


def run(package: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with the copy of the package."""
    variables = {**os.environ, "PYTHONPATH": str(package.parents[2])}
    variables.pop("NUMBA_CACHE_DIR", None)
    return subprocess.run(
        [sys.executable, "-P", "-c", code], env=variables, capture_output=True, text=True, check=False
    )


def cached(package: Path, name: str) -> Path:
    """Return the newest file with the machine code of a module."""
    return max((package / "__pycache__").glob(f"{name}-*.loops"), key=lambda file: file.stat().st_mtime)


COUNT = """
from wort_cli.pipeline.sketching.hash_counts import *
counts = HashCounts()
counts.add(np.array([7, 5, 7], np.uint64))
print(*counts.table())
"""


def test_flipped_bit_in_the_file_is_noticed_before_the_code_runs(package: Path) -> None:
    """Damaged machine code might end the process, so the sum of the file is compared first; the file is repaired."""
    file = cached(package, "count_loops")
    right = file.read_bytes()
    file.write_bytes(right[:1000] + bytes([right[1000] ^ 1]) + right[1001:])
    done = run(package, COUNT)
    assert done.stdout == "[5 7] [1 2]\n", done.stderr
    repaired = decode(file.read_bytes())
    assert repaired is not None
    assert set(repaired) == {function.name for function in COUNTING.functions}


def test_file_that_others_can_write_is_not_used(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cached(package, "count_loops")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(file.parent))
    assert read_code(file.name) is not None
    file.chmod(0o666)
    assert read_code(file.name) is None


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the compiler by one that returns the code of COUNTING; return the modules that it was asked for."""
    COUNTING.load()
    asked: list[str] = []
    code = COUNTING.code()
    assert code is not None

    def compile_again(loops: Loops) -> Code:
        asked.append(loops.name)
        return code

    monkeypatch.setattr(Loops, "_compile", compile_again)
    monkeypatch.setattr(loops_module, "save_code", lambda *_: None)
    return asked


def counting_with(answers: list[bytes]) -> Loops:
    """Return the counting loops, with other known answers: of each call, in this order."""
    loops = Loops(COUNTING.module, "")
    loops.function("count_absent", Array(np.uint64), Array(np.uint64), results=1)
    loops.known_answer(hashlib.sha256(b"right").hexdigest())(lambda: answers.pop(0))
    return loops


def test_loops_that_give_a_wrong_answer_are_compiled_again(compilations: list[str]) -> None:
    """A wrong answer is followed by one compilation, and a right one by none; each is computed once."""
    loops = counting_with([b"wrong", b"right"])
    loops.load()
    loops.load()
    assert compilations == ["count_loops"]
    assert loops.functions[0](np.array([3], np.uint64), np.array([3, 5], np.uint64)) == 1


def test_machine_that_stays_wrong_fails_the_job_each_time(compilations: list[str]) -> None:
    loops = counting_with([b"wrong"] * 4)
    for _ in range(2):
        with pytest.raises(JobFailed, match="count_loops") as failed:
            loops.load()
        assert failed.value.failure.reason is Reason.MACHINE_ERROR
    assert len(compilations) == 2


def test_loops_that_two_processes_need_are_compiled_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two objects stand for two processes: each opens the lock, and reads the file, on its own."""
    COUNTING.load()
    code = COUNTING.code()
    assert code is not None
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    both_found_nothing = threading.Barrier(2, timeout=300)
    asked: list[str] = []

    @contextlib.contextmanager
    def after_both(name: str) -> Iterator[None]:
        both_found_nothing.wait()
        with one_compilation(name):
            yield

    def compile_now(loops: Loops) -> Code:
        asked.append(loops.name)
        return code

    monkeypatch.setattr(Loops, "_compile", compile_now)
    monkeypatch.setattr(loops_module, "one_compilation", after_both)
    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(counting_with([b"right"]).load) for _ in range(2)]:
            done.result(60)
    assert asked == ["count_loops"]


def test_compiler_ends_with_the_process_that_waits_for_it(package: Path) -> None:
    """The process is killed while it waits; the compiler, which would take seconds, ends too."""
    for file in (package / "__pycache__").glob("*.loops"):
        file.unlink()
    variables = {**os.environ, "PYTHONPATH": str(package.parents[2])}
    variables.pop("NUMBA_CACHE_DIR", None)
    variables["XDG_CACHE_HOME"] = str(package / "cache")
    with subprocess.Popen([sys.executable, "-P", "-c", COUNT], env=variables, stdout=subprocess.PIPE) as waiting:
        children = Path(f"/proc/{waiting.pid}/task/{waiting.pid}/children")
        compiler = int(until(children.read_text, "the compiler").split()[0])
        until(lambda: b"compile_loops" in Path(f"/proc/{compiler}/cmdline").read_bytes(), "the compiler's start")
        waiting.kill()
        waiting.communicate(timeout=300)
    until(lambda: not Path(f"/proc/{compiler}").exists(), "the end of the compiler")


def test_compiler_that_ends_without_code_fails_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops_module, "COMPILER", "no_such_module")
    with pytest.raises(JobFailed, match=r"numba cannot compile the loops of count_loops .*no_such_module"):
        counting_with([])._compile()


@pytest.mark.parametrize("wrong", [np.zeros(3, np.int64), np.zeros((3, 1), np.uint64), np.zeros(6, np.uint64)[::2]])
def test_argument_of_another_type_is_refused(wrong: np.ndarray) -> None:
    """Machine code would access memory that is not in the array."""
    COUNTING.load()
    with pytest.raises(TypeError, match="not a contiguous array"):
        COUNTING.functions[0](wrong, np.zeros(1, np.uint64))
