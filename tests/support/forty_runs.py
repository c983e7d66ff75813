"""Forty runs for the tests of schedulers: archives in one directory, references, and a decoder that tests can hold."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.support.homes import FASTQ_DUMP, WORT, Home
from tests.support.polling import until
from tests.support.shelf import Shelf, copy_archive

RUNS = tuple(f"SRR{900_000 + number}" for number in range(1, 41))
ARCHIVES = 4
"""Different archives, which the runs have in turn."""


class FortyRuns:
    """The runs below a directory, and the environment in which a home finds and holds them."""

    def __init__(self, home: Home, shelf: Shelf) -> None:
        self._home = home
        self._shelf = shelf
        self.root = home.root / "forty"
        self.list = self.root / "runs.txt"
        self.shared = self.root / "shared"
        self._holds = self.root / "holds"
        for directory in (self.shared, self._holds):
            directory.mkdir(parents=True)
        for number, run in enumerate(RUNS):
            copy_archive(shelf.archive(seed=1 + number % ARCHIVES), self.root / "archives" / f"{run}.sra")
        self.list.write_text("".join(f"{run}\n" for run in RUNS), "ascii")
        self.env = {
            **home.with_tool(
                "fastq-dump",
                f"""
for last; do :; done
hold={self._holds}/$(basename -- "$last" .sra)
case " $* " in *" --fasta "*) if [ -e "$hold" ]; then
    : >"$hold.reached.$$"
    while [ -e "$hold" ]; do sleep 0.05; done
fi ;; esac
exec {FASTQ_DUMP} "$@"
""",
            ),
            "WORT_ARCHIVES": str(self.root / "archives"),
            "WORT_FETCH_AHEAD": "0",
        }

    def batch(self, engine: str, *options: str) -> tuple[Path, str, str]:
        """Have the batch of an engine written, in eight tasks; return its directory, and two runs that are held.

        The first run is inside the list of task 1, the second inside that of task 2.
        """
        directory = self._home.root / "forty runs"
        self._home(
            *("batch", engine, "--from-file", self.list, "--tasks", "8", "--store", f"file://{self.shared}"),
            *("--cores", "1", *options),
            *("-o", directory),
            env=self.env,
        ).expect(0)
        lists = [(directory / "tasks" / f"task-{number}.txt").read_text().split() for number in (1, 2)]
        held = lists[0][1], lists[1][2]
        for run in held:
            self.hold(run)
        return directory, *held

    def shell(self, home: Home) -> dict[str, str]:
        """Return the environment of a user's shell, with wort on the PATH, and SHARED as the documents have it."""
        (self.root / "nfs").mkdir()
        path = f"{self.env['PATH'].partition(':')[0]}:{WORT.parent}:{home.env['PATH']}"
        return {**home.env, **self.env, "PATH": path, "SHARED": str(self.root / "nfs")}

    def in_shell(self, script: str, env: Mapping[str, str]) -> None:
        """Run a block of a document."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.root,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"

    def hold(self, run: str) -> None:
        """Have the decoder of a run wait."""
        (self._holds / run).touch()

    def until_held(self, run: str, times: int = 1) -> None:
        """Wait until so many decoders of a run have waited."""
        until(lambda: len(list(self._holds.glob(f"{run}.reached.*"))) >= times, f"{run} is decoded")

    def release(self, run: str) -> None:
        """Let the decoder of a run continue, and those to come."""
        (self._holds / run).unlink()

    def reference(self, run: str) -> bytes:
        """Return the JSON of the reference signature of a run."""
        first = RUNS[RUNS.index(run) % ARCHIVES]
        archive = self._shelf.archive(seed=1 + RUNS.index(run) % ARCHIVES)
        return self._shelf.reference(archive, first).replace(first.encode(), run.encode())

    def check(self, objects: Mapping[str, bytes]) -> None:
        """Check that there is each signature, as the reference has it, and its provenance, and no other object."""
        assert sorted(objects) == sorted([*(f"sigs/{run}.sig" for run in RUNS), *(f"prov/{run}.json" for run in RUNS)])
        for run in RUNS:
            assert gzip.decompress(objects[f"sigs/{run}.sig"]) == self.reference(run), run
            assert json.loads(objects[f"prov/{run}.json"])["name"] == run

    def check_directory(self) -> None:
        """Check the shared directory, in which nothing is unfinished."""
        files = [path for path in self.shared.rglob("*") if path.is_file() and ".wort" not in path.parts]
        self.check({str(path.relative_to(self.shared)): path.read_bytes() for path in files})
        assert list((self.shared / ".wort" / "partial").iterdir()) == []

    def check_reports(self, directory: Path) -> Counter[str]:
        """Check that the last line of each run says that it is done; return how many lines have each state."""
        last, states = dict[str, str](), Counter[str]()
        for path in directory.iterdir():
            for line in path.read_text("utf-8").splitlines():
                report = json.loads(line)
                last[report["name"]] = report["state"]
                states[report["state"]] += 1
        assert last == dict.fromkeys(RUNS, "done")
        return states


def process_of_task(batch: Path, number: int) -> int:
    """Return the pid of the process of wort that computes the list of a task; its children may have its arguments.

    The whole path of the list is compared: other tests have tasks of the same number at the same time.
    """
    tasks = os.fsencode(batch / "tasks" / f"task-{number}.txt")

    def find() -> int:
        parents = dict[int, int]()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
                parent = int(path.with_name("stat").read_text("utf-8").rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"compute" in words and tasks in words:
                parents[int(path.parent.name)] = parent
        return next((pid for pid, parent in parents.items() if parent not in parents), 0)

    return until(find, f"task {number} runs")


def kill_task(batch: Path, number: int) -> None:
    """Kill the process of wort that computes the list of a task."""
    os.kill(process_of_task(batch, number), signal.SIGKILL)
