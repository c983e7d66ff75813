"""A workflow for Nextflow: a process for each task, on the executor of nextflow.config.

A task whose exit code says that another try may help is tried again; one with another code does not stop the others,
because its report says which runs need a person.
"""

from wort_cli.commands.shared.batch.request import Batch, Step, Written, command
from wort_cli.commands.shared.batch.task_script import plain_script

MAIN = """\
#!/usr/bin/env nextflow
// Computes the runs of task N, tasks/task-N.txt.  Written by `wort batch nextflow`.
nextflow.enable.dsl = 2

process compute {{
    tag "task ${{task_number}}"
    cpus {cores}
    memory '{megabytes} MB'
{more}    maxRetries {retries}
    errorStrategy {{ task.exitStatus == 75 || task.exitStatus > 128 ? 'retry' : 'ignore' }}

    input:
    val task_number

    script:
    \"\"\"
    {script} ${{task_number}} || {{ code=\\$?; [ \\$code = 3 ] || exit \\$code; }}
    \"\"\"
}}

workflow {{
    Channel.of(1..{tasks}) | compute
}}
"""
CONFIG = """\
// The executor: 'local', 'slurm', 'sge', 'lsf', 'pbspro', 'hq' ...; see https://nextflow.io/docs/latest/executor.html
process.executor = 'local'
"""


def written(batch: Batch) -> Written:
    """Return the workflow, its configuration and the script of a task, and how to start it."""
    more = ""
    if batch.seconds:
        more += f"    time '{batch.seconds} s'\n"
    if batch.partition:
        more += f"    queue '{batch.partition}'\n"
    main = MAIN.format(
        cores=batch.cores,
        megabytes=batch.megabytes,
        more=more,
        retries=batch.tries - 1,
        script=groovy_text(command("bash", batch.directory / "task.sh")),
        tasks=batch.tasks,
    )
    return Written(
        {"main.nf": main, "nextflow.config": CONFIG, "task.sh": plain_script(batch, "nextflow")},
        (Step("start", command("nextflow", "run", batch.directory / "main.nf", "-resume")),),
    )


def groovy_text(text: str) -> str:
    """Return a text for a string of Groovy between triple quotes, where $ and \\ mean something."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace('"', '\\"')
