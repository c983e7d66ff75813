"""Measures `wort runs` and `wort compute` of a project with many runs, which a server on loopback lists.

python -m benchmarks.expansion [RUNS]
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.sync import peak_until_end
from tests.support.run_lists import RunLists

PROJECT = "PRJNA250000"
BIN = Path(sys.executable).parent
COMMANDS = (("runs", PROJECT, "--tsv"), ("compute", PROJECT, "-g", "all", "--yes", "-n"),
            ("compute", PROJECT, "-g", "all", "--yes"), ("compute", PROJECT, "-g", "all", "--yes"))  # fmt: skip


def main() -> None:
    """List, plan, enqueue, and enqueue again."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 250_000
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(number, theirs), daemon=True)
    server.start()
    env = os.environ | ours.recv()
    with tempfile.TemporaryDirectory() as directory:
        env |= {"WORT_HOME": f"{directory}/home", "WORT_ARCHIVES": ""}
        for words in COMMANDS:
            started, before = time.monotonic(), os.times()
            process = subprocess.Popen([BIN / "wort", *words], env=env, stdout=subprocess.PIPE, cwd=directory)
            lines = 0
            assert process.stdout is not None
            with process.stdout as out:
                peak = 0
                for _ in out:
                    lines += 1
                    if lines % 20_000 == 0:
                        peak = max(peak, peak_now(process.pid))
            peak = max(peak, peak_until_end(process))
            after = os.times()
            seconds, cpu = time.monotonic() - started, sum(after[2:4]) - sum(before[2:4])
            print(
                f"wort {' '.join(words)}: exit {process.returncode}, {lines:,} lines, {seconds:.1f} s "
                f"({cpu:.1f} s of CPU), {peak / 1000:.0f} MB of memory",
                flush=True,
            )
    server.terminate()
    server.join()


def peak_now(pid: int) -> int:
    """Return the peak memory of a process so far, in kilobytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return max((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), default=0)


def serve(number: int, pipe: Connection) -> None:
    """Serve both lists until this process is ended; send the environment of a home that asks for them."""
    with RunLists().serving() as lists:
        lists.put_many(PROJECT, number)
        pipe.send(lists.env)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
