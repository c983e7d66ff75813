"""Signature files of strangers that `wort view` shows."""

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.support.hostile_signatures import HOSTILE
from tests.support.memory_store import MemoryStore
from tests.support.small_world import SmallWorld, signature_bytes
from tests.support.submissions import document, text
from wort_cli.model.signature_file import Sketch

BOMBS = ["bomb of one number", "bomb of equal hashes", "bomb of a name", "list of commas", "name without an end"]
MAX_HASH = 18446744073709552
LARGE = 800_000
"""Hashes of a large signature: 6 MB of gzip, 16 MB of JSON."""
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Prints the peak memory in kilobytes of a command and its children.  Without a process in between, the memory of the
tests would count."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return SmallWorld(tmp_path_factory.mktemp("world") / "home", MemoryStore())


@pytest.mark.parametrize("name", BOMBS)
def test_hostile_file_is_not_shown(world: SmallWorld, name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.sig"
    path.write_bytes(HOSTILE[name]())
    started = time.monotonic()
    done = world("view", str(path))
    assert (done.code, done.out, "is not a signature" in done.err) == (6, "", True)
    assert time.monotonic() - started < 60


def test_uncompressed_output_of_a_bomb_ends_at_the_limit(world: SmallWorld, tmp_path: Path) -> None:
    path = tmp_path / "x.sig"
    path.write_bytes(gzip.compress(b'[{"name":"' + b"a" * 5_000_000))
    done = world("view", str(path), "--raw", env={"WORT_SUBMIT_UNPACKED": "1000000"})
    assert done.code == 6
    assert len(done.out) <= 1_000_000


def test_name_that_controls_a_terminal_is_refused(world: SmallWorld, tmp_path: Path) -> None:
    path = tmp_path / "x.sig"
    path.write_bytes(text(document("\x1b[2J")))
    done = world("view", str(path))
    assert (done.code, "\x1b" in done.out + done.err) == (6, False)


def test_large_signature_is_shown_in_little_memory(tmp_path: Path) -> None:
    """It needs sixteen bytes for each hash, not a Python object."""
    hashes = np.unique(np.random.default_rng(1).integers(1, MAX_HASH, LARGE, dtype=np.uint64))
    sketch = Sketch(21, 42, MAX_HASH, hashes, np.ones(len(hashes), np.uint64))
    path = tmp_path / "x.sig"
    path.write_bytes(signature_bytes("SRR000001", [sketch]))
    view = [str(Path(sys.executable).with_name("wort")), "view", str(path)]
    environment = {"WORT_HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", PEAK, *view], env=environment, capture_output=True, check=True)
    assert int(done.stdout) < 100_000
