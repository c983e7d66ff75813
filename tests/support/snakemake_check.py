"""Runs what `wort batch snakemake` writes with the real Snakemake: `make snakemake-check`.

Snakemake brings 50 packages, so that it is no requirement of the tests: it is installed into an environment of its own.
The directory has a blank and a quote in its name.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.archives import make_archive
from tests.support.homes import WORT
from tests.support.shelf import copy_archive

VERSION = "9.27.1"
RUNS = ("SRR900001", "SRR900002", "SRR900003")


def main() -> None:
    """Install Snakemake, compute three runs in two tasks, and run the workflow again, which has nothing to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--environment", type=Path, default=Path("build/snakemake"), help="where Snakemake is installed"
    )
    environment = parser.parse_args().environment.absolute()
    if not (environment / "bin" / "snakemake").exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        subprocess.run([str(environment / "bin" / "pip"), "install", "--quiet", f"snakemake=={VERSION}"], check=True)
    with tempfile.TemporaryDirectory(prefix="wort-snakemake.") as name:
        check(Path(name), environment / "bin" / "snakemake")


def check(root: Path, snakemake: Path) -> None:
    """Run the workflow of a batch below a directory; fail if a signature, a log or a report is missing."""
    make_archive("paired_illumina", root / "made.sra", seed=1)
    for run in RUNS:
        copy_archive(root / "made.sra", root / "archives" / f"{run}.sra")
    batch, store = root / "ann's batch", root / "store"
    store.mkdir()
    env = {
        **os.environ,
        "HOME": str(root),
        "WORT_HOME": str(root / "home"),
        "WORT_ARCHIVES": str(root / "archives"),
        "WORT_ACCEPT_UNPROVED": "true",
        "WORT_LOCATOR_URL": "off",
        "WORT_S3_PRESET": "off",
    }
    asked = [*RUNS, "--tasks", "2", "--store", f"file://{store}", "--cores", "1", "--memory", "900M", "--time", "1h"]
    subprocess.run([str(WORT), "batch", "snakemake", *asked, "-o", str(batch)], env=env, check=True)
    words = [str(snakemake), "--snakefile", str(batch / "Snakefile"), "--directory", str(batch), "--cores", "2"]
    for _ in range(2):
        done = subprocess.run(words, env=env, check=True, stderr=subprocess.PIPE, text=True)
        sys.stderr.write(done.stderr)
    assert "Nothing to be done" in done.stderr
    assert sorted(path.name for path in (store / "sigs").iterdir()) == [f"{run}.sig" for run in RUNS]
    for task in (1, 2):
        assert "ended with exit code 0" in (batch / "logs" / f"task-{task}.log").read_text()
        assert (batch / "reports" / f"task-{task}.jsonl").stat().st_size > 0


if __name__ == "__main__":
    main()
