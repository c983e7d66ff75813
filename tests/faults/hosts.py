"""A campaign of faults on several hosts: `python -m tests.faults.hosts --seed 1`.

Each host is a network namespace: the coordinator, two workers, and the servers of the queue and of the bucket, joined
by a bridge.  While jobs run, links are cut for longer than a lease, all processes of a host are killed at once, the
queue's server is killed and restarted or loses everything, and the clocks of the hosts differ by an hour.

At the end every job must be done, every signature must be the reference and must have been put into the bucket once,
and nothing may be left: no process, no workspace, nothing in the queue.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config

from tests.faults.machine import Clock
from tests.support.archives import make_archive, reference_signature
from tests.support.homes import LIVE, WORT, Home
from tests.support.polling import until
from tests.support.queue_servers import PASSWORD, SERVERS, QueueServer
from tests.support.shelf import gunzipped

LEASE = 8.0
"""Seconds of silence after which a worker counts as lost."""
BUCKET, BUCKET_PORT, QUEUE_PORT = "signatures", 9000, 9001
LAYOUTS = ("paired_illumina", "single_illumina", "clipped")
HOUR = 3600
PUT = re.compile(r'"PUT /signatures/sigs/(\w+)\.sig HTTP/1\.\d" 200')
INSIDE = "WORT_TEST_INSIDE"


@dataclass(frozen=True)
class Strike:
    """A planned fault: seconds after the start, its kind, the host, and for how long it lasts."""

    at: float
    kind: str
    host: int
    lasts: float


def plan(seed: int, seconds: float, every: float) -> list[Strike]:
    """Draw the faults of a campaign; the first five are of different kinds."""
    draw = random.Random(seed)
    kinds = ["cut", "kill-host", "kill-queue", "flush", "kill-coordinator"]
    draw.shuffle(kinds)
    found: list[Strike] = []
    at = every
    while at < seconds:
        kind = kinds[len(found)] if len(found) < len(kinds) else draw.choice(kinds)
        found.append(Strike(at, kind, draw.randrange(3 if kind == "cut" else 2), draw.uniform(1.2, 1.8) * LEASE))
        at += draw.uniform(0.6, 1.4) * every
    return found


def run(*words: str | Path) -> str:
    """Run a command that must succeed; return what it prints."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


class Namespace:
    """A host: a network namespace with an address on the bridge."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.address = name, f"10.77.0.{number}"
        self._link = f"wl{number}"
        run("ip", "netns", "add", name)
        run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", self._link, "master", "wortbr")
        run("ip", "link", "set", self._link, "up")
        run("ip", "-n", name, "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            run("ip", "-n", name, "link", "set", device, "up")

    @property
    def enter(self) -> tuple[str, ...]:
        """The words before a command that runs on this host."""
        return ("ip", "netns", "exec", self.name)

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Cut the link of the host within the context: packets are lost, and no connection is reset."""
        run("ip", "link", "set", self._link, "down")
        try:
            yield
        finally:
            run("ip", "link", "set", self._link, "up")

    def pids(self) -> list[int]:
        """Return the processes of the host."""
        return [int(pid) for pid in run("ip", "netns", "pids", self.name).split()]

    def kill(self) -> None:
        """Kill all processes of the host at once."""
        found = self.pids()
        for number in (signal.SIGSTOP, signal.SIGKILL):  # first stopped, so that none sees another one end
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        until(lambda: not self.pids(), f"{self.name} has no process", 60)


class Program:
    """`wort daemon` or `wort worker` on a host, in a home of its own, with a clock of its own."""

    def __init__(self, root: Path, namespace: Namespace, env: dict[str, str], *words: str) -> None:
        self.namespace, self.home, self._words = namespace, Home(root), words
        self.home.env |= env
        self.clock = Clock(self.home)
        self._process: subprocess.Popen[bytes] | None = None
        self.log = root / "log"

    def start(self) -> None:
        """Start the program, unless it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.namespace.enter, str(WORT), *self._words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.home.env,
                cwd=self.home.cwd,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill all processes of the host."""
        self.namespace.kill()
        if self._process is not None:
            self._process.wait(60)

    def stop(self) -> None:
        """Ask the program to end, and wait for it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(120)


class Campaign:
    """The hosts, and what happens to them."""

    def __init__(self, root: Path, kind: str, jobs: int) -> None:
        self.root = root
        run("ip", "link", "add", "name", "wortbr", "type", "bridge")
        run("ip", "link", "set", "wortbr", "up")
        self.places = [Namespace(f"host{i}", 10 + i) for i in range(4)]
        servers = self.places[3]
        (root / "queue").mkdir()
        self.queue: QueueServer = SERVERS[kind](root / "queue", QUEUE_PORT, servers.address, servers.enter)
        self._bucket: subprocess.Popen[bytes] | None = None
        self.bucket_log = root / "bucket.log"
        self.endpoint = f"http://{servers.address}:{BUCKET_PORT}"
        archives, self.references = self._archives(jobs)
        env = {
            "WORT_QUEUE": self.queue.url,
            "WORT_QUEUE_PASSWORD": PASSWORD,
            "WORT_WORKER_LEASE": str(LEASE),
            "WORT_RETRY_DELAY": "1",
            "WORT_ACCEPT_UNPROVED": "true",
            "WORT_PUBLISH_UNPROVED": "true",
            "WORT_S3_BUCKET": BUCKET,
            "WORT_S3_ENDPOINT": self.endpoint,
            "WORT_S3_TIMEOUT": "3",
            "WORT_JOBS": "1",
            "WORT_FETCH_AHEAD": "0",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        here = env | {"WORT_ARCHIVES": str(archives)}
        self.coordinator = Program(root / "c", self.places[0], env, "daemon", "start", "--foreground")
        self.workers = [Program(root / f"w{i}", self.places[1 + i], here, "worker") for i in range(2)]
        self.coordinator.clock.move(HOUR)
        self.workers[1].clock.move(-HOUR)

    @property
    def programs(self) -> list[Program]:
        """The coordinator and the workers."""
        return [self.coordinator, *self.workers]

    def _archives(self, jobs: int) -> tuple[Path, dict[str, bytes]]:
        """Make the archives; return their directory, and the reference signature of each run."""
        directory, found = self.root / "archives", {}
        directory.mkdir()
        made = []
        for layout in LAYOUTS:
            made.append(self.root / f"{layout}.sra")
            make_archive(layout, made[-1], seed=1)
        for i in range(jobs):
            name = f"SRR{2_000_001 + i}"
            (directory / f"{name}.sra").hardlink_to(made[i % 3])
            found[name] = made[i % 3]
        references: dict[str, bytes] = {}
        for i, layout in enumerate(LAYOUTS):
            first = f"SRR{2_000_001 + i}"
            reference_signature(made[i], first, self.root / f"{layout}.sig")
            text = gunzipped(self.root / f"{layout}.sig")
            for name, archive in found.items():
                if archive == made[i]:
                    references[name] = text.replace(first.encode(), name.encode())
        return directory, references

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Start everything; kill what is left at the end."""
        try:
            with self.queue:
                with self.bucket_log.open("wb") as log:
                    words = (sys.executable, "-m", "moto.server", "-H", "0.0.0.0", "-p", str(BUCKET_PORT))
                    self._bucket = subprocess.Popen([*self.places[3].enter, *words], stdout=log, stderr=log)
                until(self._make_bucket, "the bucket is there", 60)
                for program in self.programs:
                    program.start()
                yield
        finally:
            for place in self.places:
                place.kill()

    def _client(self) -> object:
        config = Config(retries={"total_max_attempts": 5})
        return boto3.session.Session("test", "test", region_name="us-east-1").client(
            "s3", endpoint_url=self.endpoint, config=config
        )

    def _make_bucket(self) -> bool:
        code = f"import sys; from tests.faults.hosts import make_bucket; make_bucket({self.endpoint!r})"
        done = subprocess.run([*self.places[0].enter, sys.executable, "-c", code], capture_output=True, check=False)
        return done.returncode == 0

    def strike(self, strike: Strike) -> None:
        """Inject a fault; return when it is over."""
        if strike.kind == "cut":
            with self.places[strike.host].cut():
                time.sleep(strike.lasts)
        elif strike.kind == "kill-host":
            self.workers[strike.host].kill()
            time.sleep(strike.lasts / 4)
        elif strike.kind == "kill-queue":
            self.queue.kill()
            time.sleep(strike.lasts / 4)
            self.queue.start()
        elif strike.kind == "flush":
            with contextlib.suppress(AssertionError):  # its tables may not be there yet
                self.queue.lose_everything()
        else:
            self.coordinator.kill()
            time.sleep(strike.lasts / 4)
        for program in self.programs:
            program.start()

    def wort(self, *words: str, stdin: str = "") -> None:
        """Run a command on the coordinator's host."""
        self.coordinator.home(*words, stdin=stdin, before=self.places[0].enter).expect(0)

    def live(self) -> int:
        """Return how many jobs have not ended."""
        return len([job for job in self.coordinator.home.jobs() if job.state in LIVE])

    # ---- the verdict

    def faults(self) -> list[str]:
        """Return what is wrong at the end."""
        jobs = self.coordinator.home.jobs()
        wrong = [f"{job.name} is {job.state}: {job.reason} {job.message}" for job in jobs if job.state != "done"]
        if {job.name for job in jobs} != set(self.references):
            wrong.append("the ledger has other jobs than were enqueued")
        out = self.root / "objects"
        code = f"from tests.faults.hosts import save_objects; save_objects({self.endpoint!r}, {str(out)!r})"
        run(*self.places[0].enter, sys.executable, "-c", code)
        objects = {path.stem: gunzipped(path) for path in out.glob("*.sig")}
        for name, text in self.references.items():
            if objects.get(name) != text:
                wrong.append(f"{name}: another signature in the bucket")
        puts = PUT.findall(self.bucket_log.read_text(errors="replace"))
        wrong += [f"{name} was put {puts.count(name)} times" for name in self.references if puts.count(name) != 1]
        twice = self.coordinator.home.select(
            "SELECT job_id, count(*) FROM events WHERE after = 'done' GROUP BY job_id HAVING count(*) != 1"
        )
        wrong += [f"job {job} was done {times} times" for job, times in twice]
        return wrong

    def left(self) -> list[str]:
        """Return what is left in workspaces and in the queue; it goes when workers have heard of it."""
        homes = (home for worker in self.workers for home in worker.home.path.glob("worker/*"))
        work = [str(path) for home in homes for path in (home / "work").glob("[0-9]*")]
        return [*work, *self.queue.values()]


def make_bucket(endpoint: str) -> None:
    """Create the bucket; runs on a host."""
    client = boto3.session.Session("test", "test", region_name="us-east-1").client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket=BUCKET)


def save_objects(endpoint: str, directory: str) -> None:
    """Write all signatures in the bucket to files; runs on a host."""
    client = boto3.session.Session("test", "test", region_name="us-east-1").client("s3", endpoint_url=endpoint)
    Path(directory).mkdir()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="sigs/"):
        for item in page.get("Contents", ()):
            body = client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
            (Path(directory) / Path(item["Key"]).name).write_bytes(body)


def campaign(
    root: Path, kind: str, seed: int, jobs: int, seconds: float, every: float, say: Callable[[str], None]
) -> list[str]:
    """Run a campaign; return what is wrong."""
    hosts = Campaign(root, kind, jobs)
    strikes = plan(seed, seconds, every)
    with hosts.running():
        hosts.wort("compute", "-", stdin="\n".join(hosts.references))
        started = time.monotonic()
        for strike in strikes:
            time.sleep(max(0.0, started + strike.at - time.monotonic()))
            at = time.monotonic() - started
            say(f"{at:6.1f} s: {strike.kind} {strike.host} for {strike.lasts:.0f} s, {hosts.live()} live")
            hosts.strike(strike)
        say(f"{time.monotonic() - started:6.1f} s: no more faults, {hosts.live()} live")
        until(lambda: not hosts.live(), "all jobs have ended", 900, pause=0.5)
        say(f"{time.monotonic() - started:6.1f} s: all jobs have ended")
        until(lambda: not hosts.left(), "nothing is left in workspaces and in the queue", 90, pause=0.5)
        wrong = hosts.faults()
        for program in (*hosts.workers, hosts.coordinator):
            program.stop()
        for place in hosts.places[:3]:
            until(lambda place=place: not place.pids(), f"no process is left on {place.name}", 60)  # type: ignore[misc]
    return wrong


def enter_namespace() -> None:
    """Run this program in a network and a mount namespace of its own, as root of a user namespace if need be."""
    unshare = ("unshare", "-mn") if os.geteuid() == 0 else ("unshare", "-rmn")
    script = 'mount -t tmpfs tmpfs /run && ip link set lo up && exec "$@"'
    words = (*unshare, "bash", "-c", script, "bash", sys.executable, "-m", "tests.faults.hosts", *sys.argv[1:])
    os.execvpe(words[0], words, {**os.environ, INSIDE: "yes"})


def main() -> int:
    """Run campaigns from a seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--queue", choices=sorted(SERVERS), default="postgresql")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--every", type=float, default=12)
    arguments = parser.parse_args()
    if INSIDE not in os.environ:
        enter_namespace()
    root = Path(tempfile.mkdtemp(prefix="wort-hosts-"))
    try:
        wrong = campaign(
            root,
            arguments.queue,
            arguments.seed,
            arguments.jobs,
            arguments.seconds,
            arguments.every,
            lambda text: print(text, flush=True),
        )
    except BaseException:
        print(f"the campaign of seed {arguments.seed} failed; its files are in {root}", flush=True)
        raise
    print(json.dumps({"seed": arguments.seed, "queue": arguments.queue, "jobs": arguments.jobs, "wrong": wrong}))
    if wrong:
        print(f"its files are in {root}")
        return 1
    subprocess.run(["rm", "-rf", root], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
