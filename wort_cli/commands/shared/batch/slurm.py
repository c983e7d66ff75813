"""A job array for Slurm.

Slurm requeues a preempted task on its own (`--requeue`).  A task that runs out of time, or that met a failure that
may pass, asks to be started again.  A task that the user cancels gets SIGTERM and does not.
"""

from wort_cli.commands.shared.batch.request import Batch, Step, Written, command
from wort_cli.commands.shared.batch.task_script import CODES, compute, setup

WARNING = 120
"""Seconds before the end of its time at which a task is asked to end."""
USUAL_ARRAY = 1000
"""The largest task of an array that Slurm allows by default (slurm.conf, MaxArraySize)."""
TOO_MANY = (
    f"many clusters allow {USUAL_ARRAY:,} tasks in an array, as `scontrol show config | grep MaxArraySize` says; "
    "make fewer and longer tasks if sbatch refuses it"
)
AGAIN = """\
# Slurm itself starts a preempted task again.  One whose time is over, or that met a failure that may pass, asks for it.
restarts=${SLURM_RESTART_COUNT:-0}
if try_again "$code" && [ "$asked" != TERM ] && [ "$restarts" -lt $((tries - 1)) ]; then
    [ -z "$home" ] || rm -rf -- "$home"
    say "asks Slurm for another try, number $((restarts + 2)) of $tries"
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" # ends this script
fi
exit "$code"
"""


def written(batch: Batch) -> Written:
    """Return the job script, and how to submit it."""
    options = [
        f"--job-name={batch.name}",
        f"--array=1-{batch.tasks}",
        "--ntasks=1",
        f"--cpus-per-task={batch.cores}",
        f"--mem={batch.megabytes}M",
        "--output=/dev/null",
        "--requeue",
    ]
    if batch.partition:
        options.append(f"--partition={batch.partition}")
    if batch.seconds:
        options += [f"--time={slurm_time(batch.seconds)}", f"--signal=B:USR1@{min(WARNING, batch.seconds // 2)}"]
    directives = "".join(f"#SBATCH {option}\n" for option in options)
    script = f"""\
#!/bin/bash
{directives}# Written by `wort batch slurm`.  The runs of task N are in tasks/task-N.txt.
{CODES}
task=$SLURM_ARRAY_TASK_ID
{setup(batch)}exec >>"$dir/logs/task-$task.log" 2>&1

{compute(batch)}
tries={batch.tries}
compute
code=$?
{AGAIN}"""
    return Written(
        {"job.sbatch": script},
        (
            Step("start", command("sbatch", batch.directory / "job.sbatch")),
            Step("watch", command("squeue", f"--name={batch.name}")),
        ),
        (TOO_MANY,) if batch.tasks > USUAL_ARRAY else (),
    )


def slurm_time(seconds: int) -> str:
    """Return a time as Slurm has it, in days, hours, minutes and seconds."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"{day}-{hour:02d}:{minute:02d}:{second:02d}"
