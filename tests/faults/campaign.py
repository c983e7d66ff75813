"""A campaign: runs many small jobs while faults are injected, and checks that everything is right at the end.

    python -m tests.faults.campaign --seed 1              run the plan of this seed
    python -m tests.faults.campaign --seed 1 --times 10   run ten seeds
    python -m tests.faults.campaign --seed 1 --plan       only print the plan

The steps: enqueue jobs while the planned strikes start and end; wait until every job has ended; check that strikes
explain all failures; retry the failed jobs; compare everything with the reference; stop the daemon; check that nothing
is left.  A campaign that fails keeps its home with all logs, and prints its path.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import verdict
from tests.faults.clerk import Clerk
from tests.faults.machine import Machine, archive_named, lay_archives
from tests.faults.plan import Kind, Order, Strike, orders, strikes
from tests.faults.strikes import strike
from tests.support.ceph import Ceph
from tests.support.homes import Done, JobRow
from tests.support.polling import until
from tests.support.proxy import Proxy
from tests.support.shelf import Shelf

PATIENCE = 8.0
"""Seconds that a strike waits for a target."""
SURVIVE = 5.0
"""Seconds of a stopwatch that a tool may outlive a killed worker or daemon."""
TICK = 0.03
FELT = 0.2
"""Seconds for which a strike without duration may affect running jobs."""
ENDED_WITHIN = 120.0
"""Seconds after the last strike, or after the end of a job, within which another job must end."""
INSIDE = "WORT_FAULTS_INSIDE"
PLACEHOLDER = "SRR000000"
"""The name in reference signatures; those of a run differ only in the name."""


@dataclass
class Report:
    """The record of a campaign."""

    landed: list[Strike] = field(default_factory=list)
    missed: list[Strike] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    met: dict[str, set[Strike]] = field(default_factory=lambda: defaultdict(set))
    """The strikes that were active while the job of each run was running."""


class Failed(Exception):
    """The campaign cannot continue."""


class Campaign:
    """The campaign of one seed."""

    def __init__(self, machine: Machine, jobs: Sequence[Order], plan: Sequence[Strike], shelf: Shelf) -> None:
        self._machine = machine
        self._orders = jobs
        self._plan = plan
        self._shelf = shelf
        self._began = time.monotonic()
        self.report = Report()

    def run(self) -> Report:
        """Run all steps in order."""
        runs = {order.run: order.case.archive for order in self._orders}
        lay_archives(self._machine.home, self._shelf, runs)
        self._print(f"{len(self._orders)} jobs, {len(self._plan)} strikes, home {self._machine.home.root}")
        try:
            self._inject_faults()
            self._settle()
            self._complain(verdict.of_orders(self._orders, self._jobs()))
            self._complain(verdict.of_failures(self._orders, self._jobs(), self.report.met))
            self._retry()
            self._complain(verdict.of_outcomes(self._orders, self._jobs()))
            self._complain(verdict.of_ledger(self._machine))
            self._complain(verdict.of_signatures(self._machine, self._orders, self._reference))
            self._stop()
            self._complain(verdict.of_leftovers(self._machine))
        except (AssertionError, Failed, subprocess.TimeoutExpired) as error:
            self._complain([str(error)])
        if "Traceback" in self._machine.daemon.output():
            self._complain([f"a daemon ended with a traceback:\n{self._machine.daemon.output()[-3000:]}"])
        return self.report

    # ---- During the strikes

    def _inject_faults(self) -> None:
        """Inject the strikes and enqueue the jobs; return when all strikes are over and all jobs were accepted."""
        clerk = Clerk(self._machine.home, self._orders)
        self._wait_for_work(clerk)
        planned, due = list(self._plan), list[Strike]()
        lifts: list[tuple[float, Strike, Callable[[], object]]] = []
        try:
            while planned or due or lifts or clerk.busy:
                self._machine.daemon.supervise()
                self._complain(self._survivors())
                clerk.turn(self._now())
                while planned and planned[0].at <= self._now():
                    due.append(planned.pop(0))
                for one in list(due):
                    before = self._running()
                    lift = strike(one, self._machine)
                    if lift is not None or self._now() > one.at + PATIENCE:
                        due.remove(one)
                        self._note(one, landed=lift is not None)
                    if lift is not None:
                        self._note_affected(one, before)
                        lifts.append((self._now() + max(one.lasting, FELT), one, lift))
                running = self._running() if lifts else ()
                for _, one, _ in lifts:
                    self._note_affected(one, running)
                for item in [item for item in lifts if item[0] <= self._now()]:
                    lifts.remove(item)
                    item[2]()
                    if item[1].lasting:
                        self._print(f"over: {item[1]}")
                if self._now() > (self._plan[-1].at if self._plan else 0.0) + ENDED_WITHIN:
                    raise Failed(f"not all jobs were accepted: {[str(done) for done in clerk.refusals[-3:]]}")
                time.sleep(TICK)
        finally:
            for _, _, lift in lifts:
                lift()
        self._print(
            f"all strikes are over: {len(self.report.landed)} landed, {len(self.report.missed)} had no target; "
            f"{self._machine.daemon.starts} starts of the daemon, {len(clerk.refusals)} commands refused"
        )

    def _running(self) -> set[str]:
        """Return the runs whose jobs are running; all runs while the ledger cannot be read, as on a full disk."""
        try:
            return {name for (name,) in self._machine.home.select("SELECT name FROM jobs WHERE state = 'running'")}
        except sqlite3.OperationalError:
            return {order.run for order in self._orders}

    def _note_affected(self, one: Strike, runs: Iterable[str]) -> None:
        """Record that a strike may affect the jobs of some runs."""
        for run in runs:
            self.report.met[run].add(one)

    def _survivors(self) -> Iterator[str]:
        """Yield a sentence for each process that outlived its worker for too long."""
        for doomed in [one for one in self._machine.doomed if one.since.seconds > SURVIVE]:
            self._machine.doomed.remove(doomed)
            for pid in doomed.survivors():
                yield f"process {pid} still runs {SURVIVE:g} s after {doomed.why}"

    def _wait_for_work(self, clerk: Clerk) -> None:
        """Wait until the first job runs; the time of the plan starts then."""

        def runs() -> bool:
            self._machine.daemon.supervise()
            clerk.turn(0.0)
            return any(job.state == "running" for job in self._jobs())

        until(runs, "the first job runs", 60, pause=TICK)
        self._began = time.monotonic()

    def _note(self, one: Strike, *, landed: bool) -> None:
        (self.report.landed if landed else self.report.missed).append(one)
        self._print(f"{one}{'' if landed else ': no target'}")

    # ---- After the strikes

    def _settle(self) -> None:
        """Wait until every job has ended."""
        deadline, before = time.monotonic() + ENDED_WITHIN, -1
        while live := verdict.live(self._jobs()):
            self._machine.daemon.supervise()
            self._complain(self._survivors())
            if len(live) != before:
                deadline, before = time.monotonic() + ENDED_WITHIN, len(live)
            if time.monotonic() > deadline:
                stuck = [f"{job.name} {job.state} {job.reason} {job.message}" for job in live]
                raise Failed(f"none of these has ended within {ENDED_WITHIN:g} seconds: {stuck}")
            time.sleep(0.2)
        self._print("every job has ended")

    def _retry(self) -> None:
        """Retry the failed jobs, and wait for them."""
        failed = [job for job in self._jobs() if job.state == "failed"]
        self._print(f"{len(failed)} have failed: {sorted({f'{job.reason}' for job in failed})}")
        if failed:
            self._wort("retry", "--failed").expect(0)
            self._settle()

    def _stop(self) -> None:
        """Stop the daemon, and wait up to 5 seconds for its processes to end."""
        self._wort("daemon", "stop").expect(0)
        until(lambda: self._machine.daemon.reap() is not None, "the daemon has ended")
        with contextlib.suppress(AssertionError):  # verdict.of_leftovers reports those that are left
            self._machine.home.until_idle()

    def _wort(self, *words: str) -> Done:
        """Run a command.  Raises AssertionError if it prints a traceback."""
        return self._machine.home(*words, timeout=300)

    def _jobs(self) -> list[JobRow]:
        return self._machine.home.jobs()

    def _reference(self, order: Order) -> bytes:
        archive = archive_named(self._shelf, order.case.archive)
        made = self._shelf.reference(archive, PLACEHOLDER)
        name = f'"name":"{PLACEHOLDER}"'.encode()
        assert made.count(name) == 1, "the reference contains its name more than once"
        return made.replace(name, f'"name":"{order.run}"'.encode())

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _print(self, what: str) -> None:
        print(f"{self._now():7.2f}  {what}", flush=True)

    def _complain(self, complaints: Iterator[str] | Sequence[str]) -> None:
        for complaint in complaints:
            self._print(f"WRONG: {complaint}")
            self.report.complaints.append(complaint)


# ---- The command


def plan_of(seed: int, given: argparse.Namespace) -> list[Strike]:
    """Return the strikes of a seed, without the excluded kinds."""
    return [one for one in strikes(seed, given.seconds, given.every) if one.kind.name not in given.without]


def print_plan(seed: int, plan: Sequence[Strike]) -> None:
    """Print the strikes of a seed."""
    print(f"---- seed {seed}: the plan", *(f"{one.at:7.2f}  {one}" for one in plan), sep="\n", flush=True)


def run_seed(seed: int, given: argparse.Namespace, ceph: Ceph, proxy: Proxy, shelf: Shelf) -> bool:
    """Run the campaign of a seed; return whether it passed."""
    jobs, plan = orders(seed, given.jobs, given.seconds), plan_of(seed, given)
    print_plan(seed, plan)
    print(f"---- seed {seed}: the campaign", flush=True)
    root = Path(tempfile.mkdtemp(prefix=f"wort-faults-{seed}-"))
    machine = Machine(root / "home", ceph, proxy)
    try:
        report = Campaign(machine, jobs, plan, shelf).run()
        if not report.complaints and len(report.landed) < len(plan) / 2:
            report.complaints.append("most strikes had no target, so that the campaign proves little")
    finally:
        machine.end()
        kept = machine.keep()
        machine.home.unmount()
    if report.complaints:
        print(f"---- seed {seed}: FAILED, {len(report.complaints)} complaints; the home is kept in {kept}", flush=True)
        return False
    if not given.keep:
        shutil.rmtree(root)
    print(f"---- seed {seed}: passed, {len(report.landed)} strikes, {len(jobs)} jobs", flush=True)
    return True


def enter_namespace() -> None:
    """Restart this program in a new mount namespace, in which it can mount a tmpfs."""
    if os.environ.get(INSIDE):
        return
    for options in (["--mount"], ["--mount", "--map-root-user"]):
        if subprocess.run(["unshare", *options, "true"], capture_output=True, check=False).returncode == 0:
            os.environ[INSIDE] = "yes"
            argv = ["unshare", *options, sys.executable, "-m", "tests.faults.campaign", *sys.argv[1:]]
            os.execvp("unshare", argv)
    sys.exit("a small disk needs a mount namespace, and this user may not create one: see unshare(1)")


def main() -> None:
    """`python -m tests.faults.campaign`."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, default=1, help="number of seeds to run")
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=120.0, help="duration of the strikes")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between strikes, on average")
    parser.add_argument("--keep", action="store_true", help="also keep the home of a campaign that passed")
    parser.add_argument("--plan", action="store_true", help="only print the plan")
    parser.add_argument("--without", action="append", default=[], choices=[kind.name for kind in Kind])
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.times)
    if given.plan:
        for seed in seeds:
            print_plan(seed, plan_of(seed, given))
        return
    enter_namespace()
    failed = []
    with tempfile.TemporaryDirectory(prefix="wort-faults-shelf-") as scratch:
        shelf = Shelf(Path(scratch))
        (Path(scratch) / "ceph").mkdir()
        with Ceph(Path(scratch) / "ceph") as ceph, Proxy(ceph.port).running() as proxy:
            for seed in seeds:
                if not run_seed(seed, given, ceph, proxy, shelf):
                    failed.append(seed)
    if failed:
        sys.exit(f"failed: seeds {failed}")
    print(f"{given.times} passed")


if __name__ == "__main__":
    main()
