"""A workflow for Snakemake: a rule that computes a task, and one that asks for all of them.

Snakemake starts a job again whatever its exit code: the script of a task decides instead whether it tries again.  A
task of which no run has a signature is complete, as its report says why.
"""

from wort_cli.commands.shared.batch.request import Batch, Step, Written, command
from wort_cli.commands.shared.batch.task_script import retrying_script

WORKFLOW = """\
# Computes the runs of task N, tasks/task-N.txt.  Written by `wort batch snakemake`.
SCRIPT = {script!a}


rule all:
    input:
        expand("done/task-{{number}}", number=range(1, {tasks} + 1)),


rule compute:
    input:
        "tasks/task-{{number}}.txt",
    output:
        touch("done/task-{{number}}"),
    threads: {cores}
    resources:
        mem_mb={megabytes},
{more}    params:
        script=SCRIPT,
    shell:
        "bash {{params.script:q}} {{wildcards.number}} || [ $? -eq 3 ]"
"""


def written(batch: Batch) -> Written:
    """Return the workflow and the script of a task, and how to start it."""
    more = f"        runtime={max(1, batch.seconds // 60)},\n" if batch.seconds else ""
    if batch.partition:
        more += f"        slurm_partition={batch.partition!a},\n"
    workflow = WORKFLOW.format(
        script=str(batch.directory / "task.sh"),
        tasks=batch.tasks,
        cores=batch.cores,
        megabytes=batch.megabytes,
        more=more,
    )
    places = ("--snakefile", batch.directory / "Snakefile", "--directory", batch.directory)
    return Written(
        {"Snakefile": workflow, "task.sh": retrying_script(batch, "snakemake", "")},
        (Step("start", command("snakemake", *places, "--cores", batch.cores, "--keep-going")),),
    )
