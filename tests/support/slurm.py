"""A real Slurm on this machine: munge, a controller, and two nodes of one core each, in two partitions.

Jobs in the partition `high` take the place of those in `low`, which have a grace time, and which Slurm starts again
(PreemptMode=REQUEUE).  All files are below one directory; the controller of another test is not seen.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.polling import until
from tests.support.ports import free_port

NODES = ("n1", "n2")
CONFIGURATION = """\
ClusterName=test
SlurmctldHost=localhost
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd%n.pid
SlurmctldPort={port}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=30
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n1 NodeHostname=localhost Port={first} CPUs=1 RealMemory=2000
NodeName=n2 NodeHostname=localhost Port={second} CPUs=1 RealMemory=2000
PartitionName=low Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=30
PartitionName=high Nodes=n1,n2 MaxTime=INFINITE State=UP PriorityTier=10
"""


class Slurm:
    """The cluster: `with Slurm(directory) as slurm`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._processes: list[subprocess.Popen[bytes]] = []
        self.env = {"SLURM_CONF": str(root / "slurm.conf")}

    def __enter__(self) -> Slurm:
        for name in ("state", "spooln1", "spooln2"):
            (self.root / name).mkdir()
        self.root.chmod(0o755)
        key = self.root / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        ports = dict(zip(("port", "first", "second"), (free_port() for _ in range(3)), strict=True))
        (self.root / "slurm.conf").write_text(CONFIGURATION.format(root=self.root, user=user, **ports))
        files = {"socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={self.root}/munge.{name}" for option, name in files.items()]
        try:
            self._start("/usr/sbin/munged", "--foreground", "--force", f"--key-file={key}", *options)
            until((self.root / "munge.socket").exists, "munged listens")
            self._start("/usr/sbin/slurmctld", "-D")
            for node in NODES:
                self._start("/usr/sbin/slurmd", "-D", "-N", node)
            until(lambda: self.states() == dict.fromkeys(NODES, "idle"), "both nodes are idle")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self._processes):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def run(self, *words: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
        """Run a command of Slurm; return what it prints."""
        done = subprocess.run(
            [str(word) for word in words],
            env={**os.environ, **(env or {}), **self.env},
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def states(self) -> dict[str, str]:
        """Return the state of each node."""
        done = subprocess.run(
            ["sinfo", "--noheader", "--Node", "--format=%N %T", "--partition=low"],
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=False,
        )
        return dict(line.split() for line in done.stdout.splitlines())

    def tasks(self) -> dict[str, tuple[str, str]]:
        """Return the state and the node of each task in the queue, by its number."""
        text = self.run("squeue", "--noheader", "--array", "--states=all", "--format=%K %T %N")
        rows = (line.split(maxsplit=2) for line in text.splitlines())
        return {row[0]: (row[1], row[2] if len(row) > 2 else "") for row in rows}

    def is_idle(self) -> bool:
        """Return whether nothing waits or runs."""
        return self.run("squeue", "--noheader").strip() == ""

    def _start(self, *command: str) -> None:
        log = (self.root / f"{Path(command[0]).name}.log").open("ab")
        with log:
            self._processes.append(
                subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **self.env}
                )
            )
