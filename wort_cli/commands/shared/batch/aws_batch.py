"""An array job for AWS Batch: a container's image with the lists, a job definition, and the job.

The nodes share no directory: the lists are in the image, and the reports go into the bucket.  Batch tries a task again
by its exit code, and after its machine was taken away (Spot).  Documents have the form of `aws ... --cli-input-json`.
"""

import json
import shlex
from dataclasses import replace

from wort_cli.commands.shared.batch.request import Batch, Step, Written, command
from wort_cli.commands.shared.batch.task_script import CODES, KEEP, compute, own_cores, setup
from wort_cli.errors import UsageError

MOST_TASKS = 10_000
"""Jobs in an array, at most (AWS Batch, Service quotas)."""
MOST_TRIES = 10
PLACE = "/batch"
CONTAINERFILE = """\
# The image of wort, with the lists of this batch.  Written by `wort batch aws-batch`.
FROM {base}
USER root
COPY . {place}
RUN chmod -R a+rX {place}
USER 1000:1000
ENTRYPOINT ["bash", "{place}/task.sh"]
CMD []
"""
UPLOAD = """\
[ -n "$home" ] || exit "$code"
# The report goes into the bucket, with the python that wort runs with.  Another try reports again what it has not.
python=$(dirname "$(readlink -f "$(command -v "$wort")")")/python
key={key}$task-${{AWS_BATCH_JOB_ATTEMPT:-1}}.jsonl
"$python" - "$report" {bucket} "$key" <<'END' || code=75
import os
import sys

import boto3

report, bucket, key = sys.argv[1:]
client = boto3.client("s3", endpoint_url=os.environ.get("WORT_S3_ENDPOINT") or None)
client.upload_file(report, bucket, key)
END
"""


def written(batch: Batch) -> Written:
    """Return the files, and how to start the job.  Raises UsageError for what Batch cannot do."""
    for value, option in ((batch.image, "--image"), (batch.partition, "--partition")):
        if not value:
            raise UsageError(
                f"AWS Batch needs {option}", "--image names the image of the batch, --partition the job queue"
            )
    if batch.store.directory is not None:
        raise UsageError("the tasks of AWS Batch share no directory", "give a bucket with --store")
    if KEEP in batch.options:
        raise UsageError("the tasks of AWS Batch share no key for --keep-slices", "leave --keep-slices out")
    if batch.tasks > MOST_TASKS:
        raise UsageError(f"an array of AWS Batch has at most {MOST_TASKS:,} tasks", "make fewer and longer tasks")
    reports = f"{batch.store.prefix}batch/{batch.name}/reports/task-"
    inside = own_cores(replace(batch, program="wort"))
    upload = UPLOAD.format(bucket=shlex.quote(batch.store.bucket), key=shlex.quote(reports))
    script = f"""\
#!/bin/bash
# Computes the runs of one task, tasks/task-N.txt.  Written by `wort batch aws-batch`.
{CODES}
task=$((${{AWS_BATCH_JOB_ARRAY_INDEX:-0}} + 1))
{setup(inside, directory=PLACE)}
{compute(inside, report='"$home/report.jsonl"')}
compute
code=$?
{upload}exit "$code"
"""
    files = {
        "task.sh": script,
        "Containerfile": CONTAINERFILE.format(base=batch.base_image, place=PLACE),
        "job-definition.json": json_text(job_definition(batch)),
        "job.json": json_text(job(batch)),
    }
    definition, submitted = (f"file://{batch.directory / name}" for name in ("job-definition.json", "job.json"))
    bucket = f"s3://{batch.store.bucket}/{reports.rpartition('/')[0]}/"
    return Written(
        files,
        (
            Step(
                "build",
                command("docker", "build", "-t", batch.image, "-f", batch.directory / "Containerfile", batch.directory),
            ),
            Step("push", command("docker", "push", batch.image)),
            Step("define", command("aws", "batch", "register-job-definition", "--cli-input-json", definition)),
            Step("start", command("aws", "batch", "submit-job", "--cli-input-json", submitted)),
            Step("reports", command("aws", "s3", "cp", "--recursive", bucket, batch.directory / "reports")),
        ),
    )


def job_definition(batch: Batch) -> dict[str, object]:
    """Return the parameters of RegisterJobDefinition."""
    resources = {"VCPU": str(batch.cores), "MEMORY": str(batch.megabytes)}
    return {
        "jobDefinitionName": batch.name,
        "type": "container",
        "platformCapabilities": ["EC2"],
        "containerProperties": {
            "image": batch.image,
            **({"jobRoleArn": batch.role} if batch.role else {}),
            "resourceRequirements": [{"type": type, "value": value} for type, value in resources.items()],
        },
        "retryStrategy": {
            "attempts": min(batch.tries, MOST_TRIES),
            "evaluateOnExit": [
                {"onStatusReason": "Host EC2*", "action": "RETRY"},
                {"onExitCode": "75", "action": "RETRY"},
                {"onExitCode": "1", "action": "EXIT"},
                {"onExitCode": "1*", "action": "RETRY"},  # a task that was killed; Batch knows no other patterns
                {"onReason": "*", "action": "EXIT"},
            ],
        },
        **({"timeout": {"attemptDurationSeconds": max(60, batch.seconds)}} if batch.seconds else {}),
    }


def job(batch: Batch) -> dict[str, object]:
    """Return the parameters of SubmitJob.  An array has two tasks or more."""
    return {
        "jobName": batch.name,
        "jobQueue": batch.partition,
        "jobDefinition": batch.name,
        **({"arrayProperties": {"size": batch.tasks}} if batch.tasks > 1 else {}),
    }


def json_text(document: object) -> str:
    """Return a document as JSON for people."""
    return json.dumps(document, indent=2) + "\n"
