"""The shell blocks of the documents are executed, so that no command in them can be wrong.

Each document has a fresh home.  Its blocks run one after the other with `bash -euo pipefail`, so that any command that
fails makes the test fail.  Before the next block, as a reader would, the test waits until the jobs of the last have
ended.  Stand-ins on the PATH take the place of programs that change the machine or need the network; they accept only
what the documents use.  Runs are fetched from a locator on loopback, which serves the bundled archive under several
accessions.
"""

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.archive_server import ArchiveServer
from tests.support.assemblies import Assembly, fasta, site, variables
from tests.support.bucket import Bucket
from tests.support.documents import DOCUMENTS, ROOT, ShellBlock, shell_blocks
from tests.support.homes import Home, write_script
from tests.support.polling import until
from tests.support.run_lists import RunLists, run
from tests.support.shelf import Shelf

PHAGE = ROOT / "demo" / "phage.sra"
RUNS = ("SRR139146", "SRR139147", "SRR139148", "ERR1950500")
STAND_INS = {
    "sudo": '[ "$*" = "apt-get install sra-toolkit" ]',
    "pip": '[ "$*" = "install ." ]',
    "chgrp": '[ "$1" = plankton ] || [ "$1 $2" = "-R plankton" ]',
    "systemctl": '[ "$1" = --user ]',
    "loginctl": '[ "$*" = enable-linger ]',
    "sbatch": 'SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_JOB_ID=1 bash "$1" && SLURM_ARRAY_TASK_ID=2 bash "$1"',
    "squeue": '[ "$1" = --name=soil ]',
    "aws": '[ "$*" = "s3 cp --no-sign-request s3://wort-sra/sigs/SRR139146.sig -" ] && cat "$STAND_IN_OBJECT"',
    "jq": 'for last; do :; done; [ -f "$last" ] || last=-; cat "$last" | python3 -m json.tool',
}
WITH_BLOCKS = [path for path in DOCUMENTS if any(block.is_run for block in shell_blocks(path))]


@pytest.fixture
def locator() -> Iterator[ArchiveServer]:
    """A locator on loopback that has the runs of the documents."""
    with ArchiveServer(dict.fromkeys(RUNS, PHAGE.read_bytes())).serving() as server:
        yield server


@pytest.fixture
def lists() -> Iterator[RunLists]:
    """ENA and NCBI on loopback, which list the runs of a project."""
    with RunLists().serving() as server:
        server.put("PRJNA63463", [run(number, "PRJNA63463") for number in (139146, 139147)])
        yield server


@pytest.fixture
def genomes() -> Iterator[ArchiveServer]:
    """NCBI's assemblies on loopback, with the one of the documents."""
    with ArchiveServer(site([Assembly(sequences=fasta())])).serving() as server:
        yield server


@pytest.fixture
def prepared(home: Home, shelf: Shelf, locator: ArchiveServer, lists: RunLists, genomes: ArchiveServer) -> Home:
    """A home with the files that the documents name, and stand-ins on its PATH."""
    for name, script in STAND_INS.items():
        write_script(home.root / "bin" / name, script)
    copy = home.root / "SRR139146.sra"
    copy.write_bytes(PHAGE.read_bytes())
    signature = shelf.reference(copy, "SRR139146")
    for name in ("tmp", "results", "shared/node1/wort/signatures", "shared/sra"):
        (home.root / name).mkdir(parents=True)
    for directory in (home.root / "shared/node1/wort/signatures", home.cwd / "results"):
        directory.mkdir(exist_ok=True)
        (directory / "SRR139146.sig").write_bytes(signature)
    (home.root / "object.sig").write_bytes(gzip.compress(signature))
    (home.cwd / "SRR139146.sig").write_bytes(signature)
    (home.cwd / "demo").symlink_to(ROOT / "demo")
    (home.cwd / "genomes").mkdir()
    (home.cwd / "genomes" / "phage.fa").write_bytes(shelf.fasta(PHAGE))
    for directory in (home.cwd, home.root / "home"):
        (directory / "runs.txt").write_text("SRR139146  # the first\nSRR139147\n", encoding="ascii")
    (home.cwd / "SraRunTable.csv").write_text("Run,Bases\nSRR139148,400000\n", encoding="ascii")
    del home.env["PYTHONWARNINGS"]  # sourmash warns
    home.env |= {
        "PATH": f"{home.root / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "WORT_DOWNLOAD": "columns",
        "WORT_LOCATOR_URL": f"{locator.url}/sdl/2/retrieve",
        "WORT_MIRRORS": "off",
        **lists.env,
        **variables(genomes),
        "STAND_IN_OBJECT": str(home.root / "object.sig"),
        "TMPDIR": str(home.root / "tmp"),
        "RESULTS": str(home.root / "results"),
        "SHARED": str(home.root / "shared"),
        "EDITOR": "true",
    }
    return home


def run_blocks(document: Path, home: Home) -> None:
    for block in shell_blocks(document):
        if block.is_run:
            if block.needs_daemon:
                home("daemon", "start")
            if block.needs_no_daemon:
                home("daemon", "stop")
            run_block(block, home)
            until(lambda: not home.processes() or not is_busy(home), "the jobs have ended")


def is_busy(home: Home) -> bool:
    """Return whether a daemon has jobs that it runs now."""
    return any(job.state in ("queued", "running") for job in home.jobs())


def run_block(block: ShellBlock, home: Home) -> None:
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", block.text],
        cwd=home.cwd,
        env=home.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, f"{block}\n{block.text}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}"
    assert "Traceback" not in done.stderr, f"{block}\n{done.stderr}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("document", [path for path in WITH_BLOCKS if path.name != "s3.md"], ids=lambda path: path.name)
def test_shell_blocks_succeed(document: Path, prepared: Home) -> None:
    run_blocks(document, prepared)


@pytest.mark.timeout(600)
def test_shell_blocks_about_buckets_succeed(prepared: Home, bucket: Bucket) -> None:
    run_blocks(ROOT / "docs" / "s3.md", prepared)


def test_block_with_a_wrong_option_fails(prepared: Home) -> None:
    with pytest.raises(AssertionError, match="No such option"):
        run_block(ShellBlock(ROOT / "README.md", 1, "wort status --no-such-option | cat", ""), prepared)


@pytest.mark.timeout(600)
def test_python_blocks_succeed_as_one_program(prepared: Home) -> None:
    """They are run one after the other in one process, beside a daemon, as in a notebook."""
    for mate in (1, 2):
        reads = b"@a\n" + b"ACGTTGCATT" * 20 + b"\n+\n" + b"I" * 200 + b"\n"
        (prepared.cwd / f"soil_R{mate}.fastq.gz").write_bytes(gzip.compress(reads))
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "python.md").read_text("utf-8"), re.M | re.S)
    assert len(blocks) == 4
    prepared("daemon", "start")
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=prepared.cwd,
        env=prepared.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("phage ")
    assert sorted(line.split()[:2] for line in lines[1:3]) == [["ERR1950500", "done"], ["SRR139146", "done"]]
    assert lines[3].startswith("SRR139146 computed (21, 31, 51)")
