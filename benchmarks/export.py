"""Measures `wort export` of many small signatures, and `sourmash sig cat` of 2,000 of them.

python -m benchmarks.export [NUMBER]
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Figures, measure
from tests.support.signatures import make_recorded_signatures
from wort_cli.model.accession import Accession
from wort_cli.stores.local import LocalStore

SAMPLE = 2000
"""Signatures that `sourmash sig cat` gets: more would take hours."""
BIN = Path(sys.executable).parent


def main() -> None:
    """Export, update the export, and have sourmash write the same of a part."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as directory:
        home, root = Path(directory) / "home", Path(directory)
        home.mkdir()
        names = make_recorded_signatures(home, number)
        env = os.environ | {"WORT_HOME": str(home)}
        target = root / "all.sig.zip"
        made = run([BIN / "wort", "export", "--all", "-o", target], env)
        print(f"wort export: {number:,} signatures, {figures(made)}, {target.stat().st_size / 1e6:.0f} MB", flush=True)
        print(f"wort export --update: {figures(run([BIN / 'wort', 'export', '--all', '-o', target, '--update'], env))}")
        store, some = LocalStore(home / "signatures"), names[:SAMPLE]
        listed = root / "list.txt"
        listed.write_text("".join(f"{store.path(Accession(name))}\n" for name in some))
        argv: list[Path | str] = [BIN / "sourmash", "sig", "cat", "--from-file", listed, "-o", root / "some.zip"]
        theirs = run(argv, env)
        print(f"sourmash sig cat: {len(some):,} signatures, {figures(theirs)}")
        factor = theirs.cpu / len(some) * number / made.cpu
        print(f"sourmash would need {factor:.0f} times the CPU time of wort")
        run([BIN / "sourmash", "sig", "summarize", target], env)


def run(argv: Sequence[Path | str], env: dict[str, str]) -> Figures:
    """Run a command, which must succeed; return its figures."""

    def start() -> None:
        subprocess.run(argv, env=env, check=True, capture_output=True)

    return measure(start)


def figures(made: Figures) -> str:
    """Return figures as text."""
    return f"{made.wall:.1f} s, {made.cpu:.1f} s of CPU, {made.rss / 1e6:.0f} MB of memory"


if __name__ == "__main__":
    main()
