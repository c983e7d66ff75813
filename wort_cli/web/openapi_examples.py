"""The groups of operations in the description of the interface, and command lines that show each operation.

In a command line, WORT stands for the URL of the server, RUN for a run of which it has the signature, and JOB for a
job.  A token is in the variable TOKEN of the shell.
"""

from dataclasses import dataclass

WORT, RUN, JOB = "$WORT", "SRR139146", "4711"
"""The placeholders of the description; the page replaces them by examples of this server."""
ASSEMBLY = "GCA_000005845.2"
BEARER = '-H "Authorization: Bearer $TOKEN"'
JSON = "-H 'Content-Type: application/json'"
LOGIN = f'TOKEN=$(curl -sS -X POST -u "$NAME:$PASSWORD" {WORT}/v1/auth/tokens)'
FILE = f"curl -sSL -o {RUN}.sig.gz {WORT}/v1/view/sra/{RUN}"


@dataclass(frozen=True)
class Group:
    """A group of operations; the description has it as a tag."""

    name: str
    about: str


READ = Group("Signatures", "Get signatures, and tables of all of them.")
ASK = Group("Status", "Ask which signatures there are, what is under way, and why others are missing.")
CHANGE = Group("Compute and submit", "Have signatures computed, and submit those of others. A token is needed.")
JOBS = Group("Jobs", "Look at a job, cancel jobs, queue them again, and pause the queue.")
ACCESS = Group("Tokens", "Get a token for a user and a password, and revoke it.")
SERVER = Group("Server", "How the server is, for monitoring.")
OLD = Group("Oldest paths", "What clients of the first version ask for. New clients use the others.")
GROUPS = (READ, ASK, CHANGE, JOBS, ACCESS, SERVER, OLD)


@dataclass(frozen=True)
class Example:
    """Command lines, and what they do."""

    label: str
    source: str


EXAMPLES: dict[tuple[str, str], tuple[Group, tuple[Example, ...]]] = {
    ("get", "/v1/view/{database}/{dataset}"): (
        READ,
        (
            Example("Download a signature", FILE),
            Example("Look at it with sourmash", f"{FILE}\nsourmash sig describe {RUN}.sig.gz"),
        ),
    ),
    ("get", "/wort-{database}/sigs/{dataset}.sig"): (
        READ,
        (
            Example("As it is stored: gzip", f"curl -sS -o {RUN}.sig.gz {WORT}/wort-sra/sigs/{RUN}.sig"),
            Example("Size, checksum and trust only", f"curl -sSI {WORT}/wort-sra/sigs/{RUN}.sig"),
        ),
    ),
    ("get", "/wort-{database}/SOURMASH-MANIFEST.parquet"): (
        READ,
        (Example("All sketches as one table", f"curl -sSO {WORT}/wort-sra/SOURMASH-MANIFEST.parquet"),),
    ),
    ("get", "/wort-{database}/SOURMASH-MANIFEST.csv.gz"): (
        READ,
        (
            Example(
                "The first rows",
                f"curl -sSO {WORT}/wort-sra/SOURMASH-MANIFEST.csv.gz\nzcat SOURMASH-MANIFEST.csv.gz | head -n 4",
            ),
        ),
    ),
    ("get", "/v1/status/{id}"): (ASK, (Example("State of a run", f"curl -sS {WORT}/v1/status/{RUN}"),)),
    ("post", "/v1/status"): (
        ASK,
        (
            Example(
                "State of several runs", f'curl -sS {JSON} -d \'{{"ids": ["{RUN}", "SRR000001"]}}\' {WORT}/v1/status'
            ),
            Example(
                "A file with a run on each line, as CSV",
                f"printf '{RUN}\\nSRR000001\\n' > runs.txt\n"
                f"curl -sS -H 'Content-Type: text/plain' --data-binary @runs.txt '{WORT}/v1/status?format=csv'",
            ),
        ),
    ),
    ("get", "/v1/jobs"): (ASK, (Example("What failed last", f"curl -sS '{WORT}/v1/jobs?state=failed&limit=5'"),)),
    ("get", "/v1/catalog"): (
        ASK,
        (Example("Signatures that were computed here", f"curl -sS '{WORT}/v1/catalog?trust=computed&limit=5'"),),
    ),
    ("get", "/v1/events"): (ASK, (Example("Until Ctrl-C", f"curl -sSN {WORT}/v1/events"),)),
    ("post", "/v1/compute/sra/{run}"): (
        CHANGE,
        (Example("One run", f"curl -sS -X POST {BEARER} {WORT}/v1/compute/sra/{RUN}"),),
    ),
    ("post", "/v1/compute/genomes/{assembly}"): (
        CHANGE,
        (Example("One assembly", f"curl -sS -X POST {BEARER} {WORT}/v1/compute/genomes/{ASSEMBLY}"),),
    ),
    ("post", "/v1/compute"): (
        CHANGE,
        (
            Example(
                "Several runs, as a group",
                f'curl -sS {BEARER} {JSON} -d \'{{"ids": ["{RUN}"], "group": "soil"}}\' {WORT}/v1/compute',
            ),
        ),
    ),
    ("post", "/v1/submit/{database}/{dataset}"): (
        CHANGE,
        (
            Example(
                "A signature from a file",
                f"{FILE}\ncurl -sS {BEARER} -F file=@{RUN}.sig.gz {WORT}/v1/submit/sra/{RUN}",
            ),
        ),
    ),
    ("get", "/v1/jobs/{job}"): (JOBS, (Example("State of a job", f"curl -sS {WORT}/v1/jobs/{JOB}"),)),
    ("post", "/v1/jobs/{job}/cancel"): (
        JOBS,
        (Example("Cancel a job", f"curl -sS -X POST {BEARER} {WORT}/v1/jobs/{JOB}/cancel"),),
    ),
    ("post", "/v1/jobs/cancel"): (
        JOBS,
        (Example("Cancel a group", f'curl -sS {BEARER} {JSON} -d \'{{"group": "soil"}}\' {WORT}/v1/jobs/cancel'),),
    ),
    ("post", "/v1/jobs/{job}/retry"): (
        JOBS,
        (Example("Queue a job again", f"curl -sS -X POST {BEARER} {WORT}/v1/jobs/{JOB}/retry"),),
    ),
    ("post", "/v1/jobs/retry"): (
        JOBS,
        (
            Example(
                "Queue again what failed for a reason",
                f'curl -sS {BEARER} {JSON} -d \'{{"reason": "network"}}\' {WORT}/v1/jobs/retry',
            ),
        ),
    ),
    ("get", "/v1/queue"): (JOBS, (Example("Is it paused?", f"curl -sS {WORT}/v1/queue"),)),
    ("post", "/v1/queue/pause"): (JOBS, (Example("Pause", f"curl -sS -X POST {BEARER} {WORT}/v1/queue/pause"),)),
    ("post", "/v1/queue/resume"): (JOBS, (Example("Resume", f"curl -sS -X POST {BEARER} {WORT}/v1/queue/resume"),)),
    ("post", "/v1/auth/tokens"): (
        ACCESS,
        (Example("Into a variable", LOGIN),),
    ),
    ("delete", "/v1/auth/tokens"): (
        ACCESS,
        (Example("The token of the request", f"curl -sS -X DELETE {BEARER} {WORT}/v1/auth/tokens"),),
    ),
    ("get", "/health"): (SERVER, (Example("Health", f"curl -sS {WORT}/health"),)),
    ("get", "/metrics"): (SERVER, (Example("Metrics", f"curl -sS {WORT}/metrics"),)),
    ("get", "/v1/openapi.json"): (SERVER, (Example("As JSON", f"curl -sS {WORT}/v1/openapi.json"),)),
    ("get", "/v1/openapi.yaml"): (SERVER, (Example("As YAML", f"curl -sS {WORT}/v1/openapi.yaml"),)),
    ("post", "/compute/{run}"): (
        OLD,
        (Example("Compute a run", f"{LOGIN}\ncurl -sS -X POST {BEARER} {WORT}/compute/{RUN}"),),
    ),
    ("post", "/submit"): (
        OLD,
        (
            Example(
                "A signature with the name of its run",
                f"{FILE}\n{LOGIN}\ncurl -sS {BEARER} -F file=@{RUN}.sig.gz {WORT}/submit",
            ),
        ),
    ),
    ("get", "/status/{task}"): (OLD, (Example("How far a task is", f"curl -sS {WORT}/status/{JOB}"),)),
    ("get", "/viewer/{dataset}"): (
        OLD,
        (Example("The signature of a run", f"curl -sSL -o {RUN}.sig.gz {WORT}/viewer/{RUN}"),),
    ),
    ("post", "/tokens"): (OLD, (Example("As JSON", f'ANSWER=$(curl -sS -X POST -u "$NAME:$PASSWORD" {WORT}/tokens)'),)),
    ("delete", "/tokens"): (
        OLD,
        (Example("The token of the request", f"{LOGIN}\ncurl -sS -X DELETE {BEARER} {WORT}/tokens"),),
    ),
}
"""The group and the examples of each operation."""
RIGHTS = ("compute", "submit", "cancel", "retry", "pause")


def right_of(path: str) -> str:
    """Return the right that a request which changes something at a path needs."""
    words = path.replace("resume", "pause").split("/")
    return next((right for right in RIGHTS if right in words), "")


def with_examples(paths: dict[str, dict[str, dict[str, object]]]) -> dict[str, dict[str, dict[str, object]]]:
    """Return the description of paths with the group and the examples of each operation."""
    return {
        path: {method: {**described, **extras(method, path)} for method, described in operations.items()}
        for path, operations in paths.items()
    }


def extras(method: str, path: str) -> dict[str, object]:
    """Return what the description of an operation has beside its parameters and responses."""
    group, examples = EXAMPLES.get((method, path), (SERVER, ()))
    samples = [{"lang": "Shell", "label": one.label, "source": one.source} for one in examples]
    right = right_of(path) if method != "get" else ""
    described = {"description": f"Needs a token with the right `{right}`."} if right else {}
    return {**described, "tags": [group.name], "x-codeSamples": samples}
