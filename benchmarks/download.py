"""Computes a run that is only named, from a server on loopback with a delay and a limited rate for each connection.

    python -m benchmarks.download [--megabases 300] [--latency 0.03] [--rate 20] [--rounds 3] [--archives DIR]

Compares wort with the archive on disk and wort by columns, alternately, and once the reference pipeline, which streams
the run.  All must give the same signature.  Prints seconds, the bytes that the server sent, and the ratios of medians.
"""

import argparse
import gzip
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from benchmarks.served import answer_until_closed, archive_with_qualities
from tests.support.archive_server import ArchiveServer
from wort_cli.model.profile import SRA_V1
from wort_cli.pipeline.archives.columns import VDB, select
from wort_cli.pipeline.archives.kar import read_table

BIN = Path(sys.executable).parent
RUN = "SRR000001"
DISK, COLUMNS, REFERENCE = "on disk", "by columns", "reference"


def serve(archive: Path, latency: float, rate: float, pipe: Connection) -> None:
    """Serve an archive until the other end of the pipe is closed; answer each message with the bytes sent so far."""
    with ArchiveServer({RUN: archive.read_bytes()}, latency=latency, rate=rate).serving() as server:
        pipe.send(server.url)
        answer_until_closed(pipe, lambda: server.sent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Compute a run that is only named.")
    parser.add_argument("--megabases", type=int, default=300)
    parser.add_argument("--latency", type=float, default=0.03, help="seconds before each answer")
    parser.add_argument("--rate", type=float, default=20.0, help="megabytes per second of each connection")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the two ways of wort")
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "wort-bench")
    options = parser.parse_args()
    archive = archive_with_qualities(options.archives, options.megabases)
    data = archive.read_bytes()
    needed = select(read_table(data, len(data)), VDB).size
    print(f"archive {len(data) / 1e6:.1f} MB, needed columns {needed / 1e6:.1f} MB ({needed / len(data):.0%})")
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(
        target=serve, args=(archive, options.latency, options.rate * 1e6, theirs), daemon=True
    )
    server.start()
    theirs.close()
    url = ours.recv()
    with tempfile.TemporaryDirectory() as name:
        signatures: list[bytes] = []
        walls: dict[str, list[float]] = {DISK: [], COLUMNS: [], REFERENCE: []}
        sizes: list[int] = []
        for number, what in enumerate([*(DISK, COLUMNS) * options.rounds, REFERENCE]):
            work = Path(name) / str(number)
            work.mkdir()
            ours.send(None)
            before = ours.recv()
            started = time.monotonic()
            signatures.append(compute(what, work, archive, url))
            seconds = time.monotonic() - started
            ours.send(None)
            sent = ours.recv() - before
            walls[what].append(seconds)
            sizes += [sent] if what == COLUMNS else []
            print(
                f"{what:12} {seconds:7.2f} s  {sent / 1e6:7.1f} MB ({sent / needed:.3f} of the needed columns)",
                flush=True,
            )
        assert signatures[1:] == signatures[:-1], "the signatures differ"
    disk, columns, reference = (median(walls[what]) for what in (DISK, COLUMNS, REFERENCE))
    print(
        f"by columns: {max(sizes) / needed:.3f} times the bytes of the needed columns, "
        f"{columns / disk:.2f} times the time from disk, {reference / columns:.1f} times as fast as the reference"
    )
    ours.close()
    server.join(5)


def compute(what: str, work: Path, archive: Path, url: str) -> bytes:
    """Compute the signature in one of the ways; return it."""
    (work / "vdb").mkdir()
    (work / "vdb" / "x.kfg").write_text(
        '/LIBS/GUID = "8d3a6f2e-1111-4222-8333-444455556666"\n/libs/cloud/report_instance_identity = "false"\n'
        + "".join(
            f'/repository/remote/{kind}/resolver-cgi = "{url}/sdl/2/retrieve"\n'
            for kind in ("main/SDL.2", "main/CGI", "protected/SDL.2", "protected/CGI")
        )
    )
    environment = {
        **os.environ,
        "HOME": str(work),
        "WORT_HOME": str(work / "wort"),
        "VDB_CONFIG": str(work / "vdb"),
        "WORT_LOCATOR_URL": f"{url}/sdl/2/retrieve",
        "WORT_MIRRORS": "off",
    }
    out = work / "out.sig"
    if what == REFERENCE:
        pipe = f"fastq-dump {' '.join(SRA_V1.decode_flags)} {RUN} | {BIN / 'sourmash'} sketch dna " + (
            f"-p k=21,k=31,k=51,scaled=1000,abund --name {RUN} -o {out} -"
        )
        subprocess.run(
            ["bash", "-o", "pipefail", "-c", pipe], check=True, env=environment, cwd=work, capture_output=True
        )
        return read(out)
    if what == DISK:
        (work / "archives").mkdir()
        (work / "archives" / f"{RUN}.sra").symlink_to(archive)
        environment["WORT_ARCHIVES"] = str(work / "archives")
    argv = [str(BIN / "wort"), "compute", RUN, "--now", "-o", str(out)]
    subprocess.run(argv, check=True, env=environment, cwd=work, capture_output=True)
    return read(out)


def read(path: Path) -> bytes:
    """Return the content of a file, decompressed if it is gzip."""
    content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


if __name__ == "__main__":
    main()
