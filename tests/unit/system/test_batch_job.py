"""Tests of the cores and memory that batch systems report.  Those of Slurm are of 22.05 on 8 cores."""

import pytest

from wort_cli.system.batch_job import Grant, granted_cores, granted_memory

STEP = "SLURM_STEP_ID=0 SLURM_NODEID=0 "
"""The environment of each task of `srun` on the first node."""
RECORDED: list[tuple[str, str, int, str, int | None, str]] = [
    ("sbatch -n1", "SLURM_CPUS_ON_NODE=1", 1, "$SLURM_CPUS_ON_NODE", None, ""),
    ("sbatch -n1 -c4", "SLURM_CPUS_ON_NODE=4 SLURM_CPUS_PER_TASK=4", 4, "$SLURM_CPUS_ON_NODE", None, ""),
    ("sbatch -n4 -N1", "SLURM_CPUS_ON_NODE=4 SLURM_NTASKS=4", 4, "$SLURM_CPUS_ON_NODE", None, ""),
    ("srun -n4 -N1", STEP + "SLURM_CPUS_ON_NODE=4 SLURM_STEP_TASKS_PER_NODE=4", 1, "$SLURM_CPUS_ON_NODE", None, ""),
    (
        "srun -n4 -c2 -N1",
        STEP + "SLURM_CPUS_ON_NODE=8 SLURM_CPUS_PER_TASK=2 SLURM_STEP_TASKS_PER_NODE=4",
        2,
        "$SLURM_CPUS_ON_NODE",
        None,
        "",
    ),
    (
        "sbatch -n1 -c2 --mem=900",
        "SLURM_CPUS_ON_NODE=2 SLURM_CPUS_PER_TASK=2 SLURM_MEM_PER_NODE=900",
        2,
        "$SLURM_CPUS_ON_NODE",
        900,
        "$SLURM_MEM_PER_NODE",
    ),
    (
        "sbatch -n1 -c2 --mem-per-cpu=300",
        "SLURM_CPUS_ON_NODE=2 SLURM_CPUS_PER_TASK=2 SLURM_MEM_PER_CPU=300",
        2,
        "$SLURM_CPUS_ON_NODE",
        600,
        "$SLURM_MEM_PER_CPU",
    ),
    (
        "srun -n4 -N1 --mem-per-cpu=200",
        STEP + "SLURM_CPUS_ON_NODE=4 SLURM_MEM_PER_CPU=200 SLURM_STEP_TASKS_PER_NODE=4",
        1,
        "$SLURM_CPUS_ON_NODE",
        200,
        "$SLURM_MEM_PER_CPU",
    ),
    (
        "srun -n4 -N1 --mem=1000",
        STEP + "SLURM_CPUS_ON_NODE=4 SLURM_MEM_PER_NODE=1000 SLURM_STEP_TASKS_PER_NODE=4",
        1,
        "$SLURM_CPUS_ON_NODE",
        250,
        "$SLURM_MEM_PER_NODE",
    ),
    ("sbatch -n1 --exclusive", "SLURM_CPUS_ON_NODE=8", 8, "$SLURM_CPUS_ON_NODE", None, ""),
    (
        "sbatch -n1 -c2 --exclusive --mem-per-cpu=100",
        "SLURM_CPUS_ON_NODE=8 SLURM_CPUS_PER_TASK=2 SLURM_MEM_PER_CPU=100",
        2,
        "$SLURM_CPUS_PER_TASK",
        800,
        "$SLURM_MEM_PER_CPU",
    ),
    ("sbatch --exclusive --mem=0", "SLURM_CPUS_ON_NODE=8 SLURM_TASKS_PER_NODE=8", 8, "$SLURM_CPUS_ON_NODE", None, ""),
    ("srun -N2 -n6", STEP + "SLURM_CPUS_ON_NODE=5 SLURM_STEP_TASKS_PER_NODE=5,1", 1, "$SLURM_CPUS_ON_NODE", None, ""),
    (
        "srun -N2 --ntasks-per-node=2 -c2",
        STEP + "SLURM_CPUS_ON_NODE=4 SLURM_CPUS_PER_TASK=2 SLURM_STEP_TASKS_PER_NODE=2(x2)",
        2,
        "$SLURM_CPUS_ON_NODE",
        None,
        "",
    ),
]
DOCUMENTED: list[tuple[str, str, int, str, int | None, str]] = [
    ("PBS Professional: -l select=1:ncpus=5", "PBS_JOBID=1.host NCPUS=5", 5, "$NCPUS", None, ""),
    ("Torque: -l nodes=1:ppn=3", "PBS_JOBID=1.host PBS_NUM_PPN=3 PBS_NP=3", 3, "$PBS_NUM_PPN", None, ""),
    ("LSF: bsub -n 6", "LSB_DJOB_NUMPROC=6 LSB_MCPU_HOSTS=node1 6", 6, "$LSB_DJOB_NUMPROC", None, ""),
    ("LSF: -n 6, two hosts", "LSB_DJOB_NUMPROC=6 LSB_MCPU_HOSTS=node1 4 node2 2", 4, "$LSB_MCPU_HOSTS", None, ""),
    ("Grid Engine: -pe smp 3", "JOB_ID=1 NSLOTS=3", 3, "$NSLOTS", None, ""),
]


def variables(text: str) -> dict[str, str]:
    """Return variables; a value ends where the next name begins."""
    found: dict[str, str] = {}
    name = ""
    for word in text.split():
        if "=" in word:
            name, value = word.split("=", 1)
            found[name] = value
        else:
            found[name] += f" {word}"
    return found


@pytest.mark.parametrize(
    ("command", "environment", "cores", "who", "megabytes", "by"),
    RECORDED + DOCUMENTED,
    ids=[row[0] for row in RECORDED + DOCUMENTED],
)
def test_task_gets_what_its_batch_system_gave_it(
    command: str, environment: str, cores: int, who: str, megabytes: int | None, by: str
) -> None:
    given = variables(environment)
    assert granted_cores(given) == Grant(cores, who)
    assert granted_memory(given) == (None if megabytes is None else Grant(megabytes << 20, by))


@pytest.mark.parametrize(
    ("environment", "cores"),
    [
        ("", None),
        ("SLURM_CPUS_PER_TASK= SLURM_CPUS_ON_NODE=4(x2)", None),
        ("NSLOTS=0", None),
        (f"NSLOTS={'9' * 30}", None),
        ("LSB_MCPU_HOSTS=node1", None),
        ("SLURM_CPUS_PER_TASK=2 NSLOTS=8", 2),
        ("SLURM_CPUS_ON_NODE=6 SLURM_STEP_ID=0 SLURM_NODEID=2 SLURM_STEP_TASKS_PER_NODE=6(x2),3", 2),
        ("SLURM_CPUS_ON_NODE=6 SLURM_STEP_ID=0 SLURM_NODEID=9 SLURM_STEP_TASKS_PER_NODE=6", 6),
        ("SLURM_CPUS_ON_NODE=2 SLURM_STEP_ID=0 SLURM_STEP_TASKS_PER_NODE=4", 1),
        ("SLURM_CPUS_ON_NODE=2 SLURM_STEP_ID=0 SLURM_STEP_TASKS_PER_NODE=rubbish", 2),
    ],
    ids=range(10),
)
def test_smallest_number_counts_and_what_is_no_number_does_not(environment: str, cores: int | None) -> None:
    found = granted_cores(variables(environment))
    assert (found.amount if found else None) == cores


@pytest.mark.parametrize("environment", ["SLURM_MEM_PER_CPU=2000", "SLURM_MEM_PER_NODE=0", ""])
def test_memory_that_slurm_does_not_limit_is_unknown(environment: str) -> None:
    assert granted_memory(variables(environment)) is None
