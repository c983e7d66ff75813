"""The resources that a batch system gave the job of this process, according to its environment.

Most batch systems also enforce it, by affinity and control groups; where one does not, a process that took the whole
node would take from other users' jobs.  If several variables say something, the smallest number counts.

Sources: sbatch(1) and srun(1), "OUTPUT ENVIRONMENT VARIABLES"; qsub(1) of Grid Engine (NSLOTS), of PBS Professional
(NCPUS) and of Torque (PBS_NUM_PPN); bsub(1) of LSF.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

CORES = ("SLURM_CPUS_PER_TASK", "NSLOTS", "NCPUS", "PBS_NUM_PPN", "LSB_DJOB_NUMPROC")
"""Variables that have the cores of this task, or of the whole job."""
MEGABYTE = 1 << 20
TASKS_OF_NODES = re.compile(r"(\d+)(?:\(x(\d+)\))?")
"""An entry of SLURM_STEP_TASKS_PER_NODE, such as 2(x3): two tasks on each of three nodes."""


@dataclass(frozen=True, order=True)
class Grant:
    """An amount of a resource that was given."""

    amount: int
    """Cores, or bytes of memory."""
    origin: str
    """The origin of the amount, such as $SLURM_CPUS_PER_TASK."""


def granted_cores(environment: Mapping[str, str] = os.environ) -> Grant | None:
    """Return the cores that a batch system gave this task; None if there is none, or if it does not say."""
    return min(core_grants(environment), default=None)


def core_grants(environment: Mapping[str, str]) -> Iterator[Grant]:
    """Yield what each variable says of the cores."""
    for name in CORES:
        if number := positive(environment.get(name, "")):
            yield Grant(number, f"${name}")
    if number := slurm_share(environment):
        yield Grant(number, "$SLURM_CPUS_ON_NODE")
    hosts = environment.get("LSB_MCPU_HOSTS", "").split()  # host slots host slots ...; a job starts on the first
    if len(hosts) > 1 and (number := positive(hosts[1])):
        yield Grant(number, "$LSB_MCPU_HOSTS")


def granted_memory(environment: Mapping[str, str] = os.environ) -> Grant | None:
    """Return the bytes of memory that Slurm gave this task on this node; None if there is no job, or no limit."""
    return min(memory_grants(environment), default=None)


def memory_grants(environment: Mapping[str, str]) -> Iterator[Grant]:
    """Yield what each variable says of the memory.  With `--exclusive`, all cores of the node count."""
    tasks = tasks_here(environment)
    if whole := positive(environment.get("SLURM_MEM_PER_NODE", "")):
        yield Grant(whole * MEGABYTE // tasks, "$SLURM_MEM_PER_NODE")
    each, cores = positive(environment.get("SLURM_MEM_PER_CPU", "")), slurm_share(environment)
    if each and cores:
        yield Grant(each * cores * MEGABYTE, "$SLURM_MEM_PER_CPU")


def slurm_share(environment: Mapping[str, str]) -> int:
    """Return the cores of this node that are this task's; 0 if Slurm does not say."""
    cores = positive(environment.get("SLURM_CPUS_ON_NODE", ""))
    return max(1, cores // tasks_here(environment)) if cores else 0


def tasks_here(environment: Mapping[str, str]) -> int:
    """Return how many tasks of this process's step are on this node; a job script has the node alone."""
    if not environment.get("SLURM_STEP_ID"):
        return 1
    node, first = positive(environment.get("SLURM_NODEID", "")), 0
    for tasks, nodes in TASKS_OF_NODES.findall(environment.get("SLURM_STEP_TASKS_PER_NODE", "")[:100_000]):
        first += positive(nodes) or 1
        if node < first:
            return positive(tasks) or 1
    return 1


def positive(text: str) -> int:
    """Return a number; 0 for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
