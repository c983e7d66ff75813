"""Measures how long commands take from their start: wall and CPU seconds, with a warm cache of the compiled loops.

    python -m benchmarks.start_up [--rounds 5] [--archives DIR]

The commands are `wort --version`, `wort status`, and `wort compute FILE --now` with archives of 3 and 30 Mbp.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import compile_bytecode, measure
from benchmarks.small_runs import small_archive

BIN = Path(sys.executable).parent
MEGABASES = (3, 30)


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description="Measure the start of commands.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "wort-bench")
    options = parser.parse_args()
    compile_bytecode()
    archives = [small_archive(options.archives, megabases) for megabases in MEGABASES]
    commands = [["--version"], ["status"], *(["compute", str(path), "--now", "--force"] for path in archives)]
    with tempfile.TemporaryDirectory() as name:
        env = {**os.environ, "HOME": name, "WORT_HOME": f"{name}/home", "WORT_LOCATOR_URL": "off"}
        for words in commands:
            argv = [str(BIN / "wort"), *words]

            def run(argv: list[str] = argv) -> None:
                subprocess.run(argv, env=env, check=True, stdout=subprocess.DEVNULL, cwd=name)

            run()  # compiles the loops, if that was never done
            figures = [measure(run) for _ in range(options.rounds)]
            wall, cpu = (median(found) for found in zip(*((f.wall, f.cpu) for f in figures), strict=True))
            print(f"wort {' '.join(words)}: {wall:.2f} s, {cpu:.2f} s of CPU time", flush=True)


if __name__ == "__main__":
    main()
