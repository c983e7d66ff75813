"""Measures `wort serve`: requests beside a bare framework, pages of a large home, event streams, large files.

    python -m benchmarks.serving [--home DIR] [--rounds 5] [--seconds 3] [--daemon]

The home has 1,000,000 jobs and 200,000 signatures (benchmarks/large_home.py makes it; --home keeps it).  Rates are
measured in turn with those of a server of the same framework that answers `hello`; the CPU time of a request is that of
the server's process.  --daemon also runs 1000 jobs of one read with and without a server beside the daemon, which a
client asks all the time.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks import large_home, tiny_jobs
from benchmarks.http_load import load
from benchmarks.measure import resident
from tests.support.ports import free_port
from tests.support.served_home import ServedHome
from wort_cli.ledger.ledger import Ledger

HELLO = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def hello(request): return PlainTextResponse("hello")
uvicorn.run(Starlette(routes=[Route("/hello", hello)]), port=int(sys.argv[1]), http="h11", loop="asyncio", ws="none",
            lifespan="off", access_log=False, log_config=None, server_header=False)
"""
LARGE, LARGE_SIZE = "SRR99999999", 1_000_000_000
STREAMS = 1000
JOBS = 1000
PAGES = {
    "run page": f"/view/sra/{large_home.SHOWN}/",
    "queue": "/queue",
    "queue, state queued": "/queue?state=queued",
    "queue, reason no-reads": "/queue?reason=no-reads",
    "queue, group all": "/queue?group=all",
    "queue, group some, state done": "/queue?group=some&state=done",
    "queue, page at job 500,000": "/queue?before=500000",
    "queue, failed, page at job 300,000": "/queue?state=failed&before=300000",
}


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measure wort serve.")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--daemon", action="store_true", help="also the daemon with a server beside it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wort-serving-") as directory:
        home = options.home or Path(directory) / "home"
        if not (home / "ledger.db").exists():
            large_home.make_home(home)
        home.chmod(0o700)
        record_large(home)
        with serving(home) as (pid, port):
            measure_pages(port)
            measure_redirect(pid, port, options.rounds, options.seconds)
            measure_large_file(pid, port)
            measure_manifest(pid, port)
            measure_streams(home, pid, port)
        if options.daemon:
            measure_daemon()


def record_large(home: Path) -> None:
    """Record a signature of a gigabyte, if the home has none."""
    ledger = Ledger(home / "ledger.db")
    served = ServedHome(home, ledger)
    if not ledger.storage.row("served_signature", name=LARGE, profile="sra-v1"):
        served.record_large(LARGE, LARGE_SIZE)
    ledger.close()


@contextlib.contextmanager
def process(*words: str, home: Path | None = None, port: int) -> Iterator[int]:
    """Run a server until the end of the body; yield its process id when it answers."""
    env = {**os.environ, "WORT_S3_PRESET": "off"} | ({"WORT_HOME": str(home)} if home else {})
    with subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while server.poll() is None:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30).read()
                    break
                time.sleep(0.1)
            yield server.pid
        finally:
            server.terminate()


@contextlib.contextmanager
def serving(home: Path) -> Iterator[tuple[int, int]]:
    """Run `wort serve` of a home; yield its process id and its port."""
    port = free_port()
    with process(str(large_home.WORT), "serve", "--rate", "0", "--port", str(port), home=home, port=port) as pid:
        yield pid, port


def fetch(port: int, path: str) -> tuple[float, int]:
    """Return the seconds of a request, and the bytes of its answer."""
    started, size = time.perf_counter(), 0
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=600) as answer:
        while part := answer.read(1 << 20):
            size += len(part)
    return time.perf_counter() - started, size


def measure_pages(port: int) -> None:
    """Print the time of the first request of each page, and the median of later ones."""
    for name, path in PAGES.items():
        first, size = fetch(port, path)
        later = statistics.median(fetch(port, path)[0] for _ in range(20))
        print(f"{name:36} first {1000 * first:7.1f} ms, later {1000 * later:6.1f} ms, {size:,} bytes", flush=True)


def measure_redirect(pid: int, port: int, rounds: int, seconds: float) -> None:
    """Print requests a second, and CPU time for each, of `view` and of the bare framework, in turn."""
    hello_port = free_port()
    with (
        tempfile.NamedTemporaryFile("w", suffix=".py") as script,
        contextlib.ExitStack() as stack,
    ):
        script.write(HELLO)
        script.flush()
        hello = stack.enter_context(without_root(sys.executable, script.name, str(hello_port), port=hello_port))
        cases = {
            "hello": (hello, hello_port, "/hello"),
            "view": (pid, port, f"/v1/view/sra/{large_home.SHOWN}"),
        }
        rates: dict[str, list[float]] = {name: [] for name in cases}
        costs: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, (server, at, path) in cases.items():
                before = tiny_jobs.cost(server).own
                found = load(at, path, seconds)
                rates[name].append(found.per_second)
                costs[name].append(1e6 * (tiny_jobs.cost(server).own - before) / len(found.seconds))
    for name in cases:
        rate, cost = statistics.median(rates[name]), statistics.median(costs[name])
        print(f"{name:36} {rate:7.0f} requests/s, {cost:4.0f} us of CPU each", flush=True)
    print(f"view / hello: {statistics.median(rates['view']) / statistics.median(rates['hello']):.2f} of the rate")


@contextlib.contextmanager
def without_root(*words: str, port: int) -> Iterator[int]:
    """Run the bare framework, which has no page at `/`."""
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as server:
        try:
            while True:
                with contextlib.suppress(OSError):
                    fetch(port, "/hello")
                    break
                time.sleep(0.1)
            yield server.pid
        finally:
            server.terminate()


def measure_large_file(pid: int, port: int) -> None:
    """Print the rate of a file of a gigabyte, and by how much the memory of the server grows meanwhile."""
    path = f"/wort-sra/sigs/{LARGE}.sig"
    compared, _ = fetch(port, f"/v1/view/sra/{LARGE}")  # follows the redirect, and compares the file at first
    before, peak, ended = resident(pid), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.02):
            peak = max(peak, resident(pid))

    thread = threading.Thread(target=watch)
    thread.start()
    seconds, size = fetch(port, path)
    ended.set()
    thread.join()
    grown = (peak - before) / 1e6
    print(f"{size / 1e9:.1f} GB: first {compared:.1f} s, later {size / 1e6 / seconds:.0f} MB/s, memory +{grown:.1f} MB")


def measure_manifest(pid: int, port: int) -> None:
    """Print the time of a manifest of all signatures, and of the same again."""
    for name in ("SOURMASH-MANIFEST.parquet", "SOURMASH-MANIFEST.csv.gz"):
        first, size = fetch(port, f"/wort-sra/{name}")
        later, _ = fetch(port, f"/wort-sra/{name}")
        print(f"{name:36} first {first:5.1f} s, later {later:5.2f} s, {size:,} bytes; {resident(pid) / 1e6:.0f} MB")


def measure_streams(home: Path, pid: int, port: int) -> None:
    """Print memory, idle CPU time and the delay of an event with many clients."""
    asyncio.run(streams(home, pid, port))


async def streams(home: Path, pid: int, port: int) -> None:
    """Open the streams, wait, let a job be queued, and wait until all clients have its event."""
    memory = resident(pid)
    opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(STREAMS)))
    for reader, writer in opened:
        writer.write(b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b"retry: 3000")
    before, idle = tiny_jobs.cost(pid).own, 10.0
    await asyncio.sleep(idle)
    used = (tiny_jobs.cost(pid).own - before) / idle
    words = [str(large_home.WORT), "compute", f"SRR{int(time.time()) % 1_000_000:06}"]
    env = {**os.environ, "WORT_HOME": str(home), "WORT_S3_PRESET": "off"}
    queued = await asyncio.create_subprocess_exec(*words, env=env, stdout=subprocess.DEVNULL)
    await queued.wait()
    started = time.perf_counter()
    times = await asyncio.gather(*(arrival(reader, started) for reader, _ in opened))
    for _, writer in opened:
        writer.close()
    print(
        f"{STREAMS:,} event streams: +{(resident(pid) - memory) / 1e6:.0f} MB, idle {100 * used:.1f} % of a core; "
        f"an event has reached the first after {min(times):.2f} s, all after {max(times):.2f} s",
        flush=True,
    )


async def arrival(reader: asyncio.StreamReader, started: float) -> float:
    """Return the seconds until an event arrives."""
    await reader.readuntil(b"event: job")
    return time.perf_counter() - started


def measure_daemon() -> None:
    """Print the daemon's CPU time for a job with and without a server beside it, which a client asks all the time."""
    for beside in (False, True, False, True):
        port = free_port()
        os.environ |= {
            "WORT_SERVE": "true" if beside else "false",
            "WORT_SERVE_PORT": str(port),
            "WORT_S3_PRESET": "off",
        }
        ended = threading.Event()

        def ask(port: int = port, ended: threading.Event = ended) -> None:
            while not ended.wait(0.05):
                for path in ("/queue", "/v1/jobs", "/metrics"):
                    with contextlib.suppress(OSError):
                        fetch(port, path)

        thread = threading.Thread(target=ask)
        with tempfile.TemporaryDirectory(prefix="wort-beside-") as work:
            if beside:
                thread.start()
            outcome = tiny_jobs.run(Path(work), JOBS)
            ended.set()
            if beside:
                thread.join()
        name = "with a server that is asked" if beside else "alone"
        figures = {"daemon": outcome.daemon, "seconds": outcome.seconds, "done": outcome.done}
        print(
            f"{JOBS} jobs, {name}: {json.dumps({key: round(value, 2) for key, value in figures.items()})}", flush=True
        )


if __name__ == "__main__":
    main()
