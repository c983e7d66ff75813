"""The loops are compiled once on a machine; every later process loads them from a file, without numba."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.pipeline.sketching.loops_in_use import ALL


def run_python(code: str, *arguments: str, **environment: str) -> str:
    argv = [sys.executable, "-c", code, *arguments]
    return subprocess.run(argv, env={**os.environ, **environment}, check=True, capture_output=True, text=True).stdout


RUN_LOOPS = """
import sys
import wort_cli.foreground
print(*sys.modules)
from wort_cli.pipeline.sketching import loops
loops.COMPILER = "no compiler"
from tests.unit.pipeline.sketching.loops_in_use import ALL
for each in ALL:
    each.load()
print(*sys.modules)
"""


def test_second_process_compiles_nothing_and_imports_nothing_that_takes_long() -> None:
    for loops in ALL:
        loops.load()  # compiles what is not in a file
    before_a_job, in_a_job = (line.split() for line in run_python(RUN_LOOPS).splitlines())
    assert "llvmlite" not in before_a_job
    for modules in before_a_job, in_a_job:
        assert not {"numba", "scipy", "sourmash", "boto3", "rich"} & set(modules)
    assert "llvmlite.binding" in in_a_job


WARM_UP = """
import sys
from tests.unit.pipeline.sketching.loops_in_use import ALL
from wort_cli.model.profile import SRA_V1
from wort_cli.pipeline.sketching.engine import KernelEngine
from wort_cli.pipeline.warm_up import warm_up
warm_up(KernelEngine(SRA_V1), sys.argv[1])
print(*(each.name for each in ALL if each.is_ready))
"""


@pytest.mark.parametrize("decoder", ["auto", "fastq-dump"])
def test_warm_up_loads_the_loops_of_a_job(decoder: str) -> None:
    """libncbi-vdb is not loaded into a process that is not to use it."""
    expected = ["kernel", "count_loops", "decimal_loops", *["spot_loops"] * (decoder == "auto")]
    assert run_python(WARM_UP, decoder).split() == expected


def test_loops_are_compiled_into_the_chosen_directory(tmp_path: Path) -> None:
    code = "from wort_cli.pipeline.decimals import DECIMALS; DECIMALS.load()"
    run_python(code, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".lock", ".loops"]
