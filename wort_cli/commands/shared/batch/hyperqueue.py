"""A job for HyperQueue: the script of a task, and a program that submits all tasks with HyperQueue's Python package.

HyperQueue starts a task again if its worker is lost, but not by an exit code: the script does that.
"""

from wort_cli.commands.shared.batch.request import Batch, Step, Written, command
from wort_cli.commands.shared.batch.task_script import retrying_script

SUBMIT = '''\
#!/usr/bin/env python3
"""Submits the tasks to a HyperQueue server, and waits for them.

Written by `wort batch hyperqueue`.  Without numbers of tasks, all are submitted.  Needs the Python package hyperqueue.
"""

import argparse
import sys

from hyperqueue import Client, Job
from hyperqueue.ffi.protocol import ResourceRequest

SCRIPT = {script!a}
parser = argparse.ArgumentParser(description="Submits the tasks to a HyperQueue server, and waits for them.")
parser.add_argument("tasks", type=int, nargs="*", default=range(1, {tasks} + 1), metavar="TASK")
parser.add_argument("--server-dir", help="directory of the server (default: that of `hq server start`)")
arguments = parser.parse_args()
job = Job(max_fails=None, name={name!a})
for task in arguments.tasks:
    resources = ResourceRequest(cpus={cores}, resources={resources!a})
    job.program(["/bin/bash", SCRIPT, str(task)], stdout=None, stderr=None, resources=resources)
client = Client(arguments.server_dir)
sys.exit(0 if client.wait_for_jobs([client.submit(job)], raise_on_error=False) else 1)
'''


def written(batch: Batch) -> Written:
    """Return the script and the program, and how to start it."""
    script = batch.directory / "task.sh"
    resources = {"mem": batch.megabytes} if batch.memory else {}
    submit = SUBMIT.format(
        script=str(script), tasks=batch.tasks, name=batch.name, cores=batch.cores, resources=resources
    )
    memory = ["--resource", f"mem={batch.megabytes}"] if batch.memory else []
    of_hq = ["hq", "submit", f"--name={batch.name}", f"--array=1-{batch.tasks}", f"--cpus={batch.cores}", *memory]
    return Written(
        {"task.sh": retrying_script(batch, "hyperqueue", '[ -z "${HQ_JOB_ID-}" ] || '), "submit.py": submit},
        (
            Step("start", command("python3", batch.directory / "submit.py")),
            Step("or", command(*of_hq, "--stdout=none", "--stderr=none", "bash", script)),
        ),
    )
