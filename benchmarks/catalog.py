"""Measures `wort catalog` of a home with a million sketches: seconds and peak memory for each format.

python -m benchmarks.catalog [SKETCHES]
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.sync import peak_until_end
from wort_cli.ledger.ledger import Ledger

KSIZES = (21, 31, 51)
ORGANISMS = ("Homo sapiens", "Escherichia coli", "soil metagenome", "human gut metagenome", "Zea mays")


def main() -> None:
    """Write the catalog in each format."""
    number = (int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000) // len(KSIZES)
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        home.mkdir()
        fill(home, number)
        for ending in ("parquet", "csv", "csv.gz", "sqlite"):
            argv: list[Path | str] = [
                Path(sys.executable).with_name("wort"),
                "catalog",
                "-o",
                f"{directory}/catalog.{ending}",
            ]
            started, before = time.monotonic(), os.times()
            process = subprocess.Popen(argv, env=os.environ | {"WORT_HOME": str(home)}, stdout=subprocess.DEVNULL)
            peak = peak_until_end(process)
            seconds, after = time.monotonic() - started, os.times()
            cpu = sum(after[2:4]) - sum(before[2:4])
            size = Path(f"{directory}/catalog.{ending}").stat().st_size
            print(
                f"{ending}: exit {process.returncode}, {number * len(KSIZES):,} rows, {seconds:.1f} s "
                f"({cpu:.1f} s of CPU), {peak / 1000:.0f} MB of memory, {size / 1e6:.0f} MB",
                flush=True,
            )


def fill(home: Path, number: int) -> None:
    """Write the ledger of a home with signatures, their sketches, and what is known of their runs."""
    ledger = Ledger(home / "ledger.db")
    connection = ledger.storage.connection
    with ledger.transaction():
        connection.executemany(
            "INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance, remote, sha256)"
            " VALUES (?, 'sra-v1', ?, 'computed', ?, ?, ?, '{}', ?, ?)",
            signatures(number),
        )
        connection.executemany(
            "INSERT INTO sketches VALUES (?, 'sra-v1', ?, ?, ?, 'DNA', 0, 1000, ?, 1, ?, '', '')", sketches(number)
        )
        connection.executemany(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, 408170, ?, 'WGS', 'METAGENOMIC', 'RANDOM', 'PAIRED',"
            " 'ILLUMINA', 'Illumina NovaSeq 6000', ?, ?, ?, '2024-05-06', '2024-05-07', 'ENA, NCBI', 0)",
            runs(number),
        )
    ledger.close()


def signatures(number: int) -> Iterator[tuple[object, ...]]:
    """Yield rows of `signatures`."""
    for n in range(number):
        name, checksum = f"SRR{10_000_000 + n}", f"{n * 0x9E3779B97F4A7C15 % 2**256:064x}"
        path = f"sigs/{name[:6]}/{name}.sig"
        yield name, checksum, path, 100_000 + n, 1.7e9 + n, f"s3://wort-sra/sigs/{name}.sig", checksum


def sketches(number: int) -> Iterator[tuple[object, ...]]:
    """Yield rows of `sketches`."""
    for n in range(number):
        for position, k in enumerate(KSIZES):
            md5 = f"{(3 * n + position + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"
            yield f"SRR{10_000_000 + n}", position, md5, k, 5000 + n % 977, 20_000 + n % 9973


def runs(number: int) -> Iterator[tuple[object, ...]]:
    """Yield rows of `runs`."""
    for n in range(number):
        project, sample = f"PRJNA{100_000 + n // 50}", 1_000_000 + n
        of = (project, f"SRP{100_000 + n // 50}", f"SRX{sample}", f"SRS{sample}", f"SAMN{sample}")
        yield f"SRR{10_000_000 + n}", *of, ORGANISMS[n // 50 % 5], 10_000 + n, 3_000_000 + n, 1_000_000 + n


if __name__ == "__main__":
    main()
