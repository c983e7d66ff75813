"""The loops are compiled once on a machine; every later process loads them from numba's cache."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.builders import numbers
from wort_cli.pipeline.seal import are_decimals, number_blocks
from wort_cli.pipeline.sketching.compiled_fasta import CompiledFastaReader
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.pipeline.sketching.hash_text import hash_text
from wort_cli.pipeline.warm_up import never_compiled


def run_loops() -> None:
    """Call the compiled functions that every job needs."""
    hash_text(b"N" + b"ACGT" * 20, [21, 31], 42, 2**64 - 1)
    reader = CompiledFastaReader()
    reader.feed(b">1.1\nACGT\n")
    reader.finish()
    counts = HashCounts()
    counts.add(numbers([5, 7]))
    hashes, _ = counts.table()
    list(number_blocks(hashes))
    are_decimals(np.frombuffer(b"5,7", np.uint8), hashes)


def compilations() -> dict[str, int]:
    """Return how often this process has compiled each function instead of loading it, for all compiled functions."""
    functions = {
        f"{name}.{attribute}": value.stats
        for name, module in list(sys.modules.items())
        if name.startswith("wort_cli.")
        for attribute, value in vars(module).items()
        if getattr(value, "__module__", "") == name and getattr(getattr(value, "stats", None), "cache_path", None)
    }
    return {name: sum(stats.cache_misses.values()) for name, stats in functions.items()}


def run_python(code: str, **environment: str) -> str:
    argv = [sys.executable, "-c", code]
    return subprocess.run(argv, env={**os.environ, **environment}, check=True, capture_output=True, text=True).stdout


def test_second_process_compiles_nothing() -> None:
    run_loops()  # compiles what is not in the cache
    module = test_second_process_compiles_nothing.__module__
    out = run_python(f"from {module} import *; run_loops(); print(len(compilations()), sum(compilations().values()))")
    functions, compiled = map(int, out.split())
    assert functions >= 7
    assert compiled == 0


def test_kernel_in_the_cache_is_recognized() -> None:
    run_loops()
    assert not never_compiled()


def test_empty_cache_is_recognized(tmp_path: Path) -> None:
    code = "from wort_cli.pipeline.warm_up import never_compiled; print(never_compiled())"
    assert run_python(code, NUMBA_CACHE_DIR=str(tmp_path)).strip() == "True"


START = """
import sys
import wort_cli.foreground
print(*sys.modules)
from wort_cli.pipeline.warm_up import load_numba_once
load_numba_once()
from wort_cli.pipeline.sketching.hash_text import hash_text
hash_text(b"N", [21], 42, 1)
print(*sys.modules)
import cffi, scipy.linalg.cython_blas
"""


def test_packages_that_take_long_to_import_are_imported_late_or_never() -> None:
    before_a_job, in_a_job = (line.split() for line in run_python(START).splitlines())
    assert not {"numba", "scipy", "sourmash", "boto3", "rich"} & set(before_a_job)
    assert "numba" in in_a_job
    assert not {"scipy.linalg", "cffi", "coverage", "sourmash", "boto3"} & set(in_a_job)


FIRST_USE = """
import sys, threading, time
from wort_cli.pipeline.sketching.jit import jit, load_numba
thread = threading.Thread(target=load_numba)
thread.start()
time.sleep(float(sys.argv[1]))
print(jit(lambda x: x + 1)(1))
thread.join()
"""


@pytest.mark.parametrize("seconds", ["0.06", "0.1", "0.16"])
def test_loading_numba_in_a_thread_does_not_block_its_first_use(seconds: str) -> None:
    argv = [sys.executable, "-c", FIRST_USE, seconds]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.returncode) == ("2\n", 0), done.stderr
