"""The resources that a batch system gave the job of this process, according to its environment.

Most batch systems also enforce it, by affinity and control groups; where one does not, a process that took the whole
node would take from other users' jobs.

Sources: sbatch(1), "OUTPUT ENVIRONMENT VARIABLES"; qsub(1) of Grid Engine and PBS; bsub(1) of LSF.
"""

import os
from collections.abc import Mapping

CORES = ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "NSLOTS", "NCPUS", "LSB_DJOB_NUMPROC")
"""The first one that is set counts: a task may have fewer cores than its job has on this node."""
MEGABYTE = 1 << 20


def granted_cores(environment: Mapping[str, str] = os.environ) -> int | None:
    """Return the cores that a batch system gave this job; None if there is none, or if it does not say."""
    return next((number for name in CORES if (number := positive(environment.get(name, "")))), None)


def granted_memory(environment: Mapping[str, str] = os.environ) -> int | None:
    """Return the bytes of memory that Slurm gave this job on this node; None if there is no job, or no limit."""
    if whole := positive(environment.get("SLURM_MEM_PER_NODE", "")):
        return whole * MEGABYTE
    each, cores = (positive(environment.get(name, "")) for name in ("SLURM_MEM_PER_CPU", "SLURM_CPUS_ON_NODE"))
    return each * cores * MEGABYTE if each and cores else None


def positive(text: str) -> int:
    """Return a number; 0 for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
