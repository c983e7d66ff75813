"""The answers of each path of the interface, for its description (OpenAPI 3.0)."""

from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.provenance import Trust
from wort_cli.web.bodies import MAX_IDS
from wort_cli.web.databases import DATABASES
from wort_cli.web.jobs import MAX_PAGE
from wort_cli.web.openapi_operations import (
    CHANGING,
    IDS,
    JSON_TEXT,
    answer,
    deprecated,
    file_operation,
    json_body,
    operation,
    parameter,
    path_parameter,
)
from wort_cli.web.openapi_schemas import (
    ANSWER,
    ASSEMBLY_ID,
    COUNTS,
    ID,
    INTEGER,
    RUN_ID,
    SERVED_SIGNATURE,
    TEXT,
    Schema,
    listed,
    named,
    record,
    words,
)

DATABASE = path_parameter("database", words(DATABASES))
ANY_DATASET = path_parameter("dataset", TEXT)
NEXT_PAGE: Schema = {"type": "string", "nullable": True}
LIMIT = parameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE}, "The size of a page")
WITH_FILE = {"multipart/form-data": {"schema": record(file={"type": "string", "format": "binary"})}}
SUBMITTED: Schema = {**ANSWER, "properties": {**ANSWER["properties"], "digest": TEXT, "trust": TEXT}}


def described_paths() -> dict[str, Schema]:
    """Return the description of each path."""
    return {**signatures(), **requests(), **questions(), **job_paths(), **about_the_server(), **oldest_paths()}


def signatures() -> dict[str, Schema]:
    """Return the description of the paths that have signatures and manifests."""
    since = parameter("since", TEXT, "Only signatures that were recorded since a date, such as 2026-11-27")
    file = file_operation("The file of a signature", "application/json", parameters=(DATABASE, ANY_DATASET))
    file["responses"]["404"] = JSON_TEXT
    parquet, packed_csv = (
        file_operation("All sketches of a database", media_type, 400, *more, parameters=(DATABASE, since))
        for media_type, *more in (("application/vnd.apache.parquet", 501), ("application/gzip",))
    )
    for manifest in (parquet, packed_csv):
        manifest["responses"]["404"] = JSON_TEXT
    return {
        "/v1/view/{database}/{dataset}": {"get": view(DATABASE, ANY_DATASET)},
        "/wort-{database}/sigs/{dataset}.sig": {"get": file},
        "/wort-{database}/SOURMASH-MANIFEST.parquet": {"get": parquet},
        "/wort-{database}/SOURMASH-MANIFEST.csv.gz": {"get": packed_csv},
    }


def view(*parameters: Schema) -> Schema:
    """Return the description of a redirect to the file of a signature."""
    return operation(
        "Redirect to the file of a signature",
        {302: answer("`Location` has the file", TEXT, "text/html; charset=utf-8"), 404: JSON_TEXT},
        parameters=parameters,
    )


def compute(about: str, name: str, schema: Schema) -> Schema:
    """Return the description of a request to compute a signature."""
    recompute = parameter("recompute", {"type": "boolean"}, "Also if there is a signature, or it was unavailable")
    return operation(
        about,
        {202: answer("It is enqueued, or there is one", named("Answer")), 404: answer("Unavailable", named("Answer"))},
        *(400, *CHANGING),
        parameters=(path_parameter(name, schema), recompute),
        security=("token",),
    )


def submit(*parameters: Schema) -> Schema:
    """Return the description of a submission."""
    return operation(
        "Submit a signature",
        {202: answer("It is stored as unverified", SUBMITTED), 404: JSON_TEXT},
        *(400, *CHANGING, 408, 413, 415),
        parameters=parameters,
        body=WITH_FILE,
        security=("token",),
    )


def tokens(schema: Schema, media_type: str) -> dict[str, Schema]:
    """Return the description of how users get tokens, and revoke them."""
    return {
        "post": operation(
            "Get a token for a user and a password",
            {200: answer("The token", schema, media_type)},
            *CHANGING,
            security=("password",),
        ),
        "delete": operation("Revoke tokens", {204: answer("Revoked")}, *CHANGING, security=("password", "token")),
    }


def requests() -> dict[str, Schema]:
    """Return the description of the paths that change something."""
    many = operation(
        "Compute the signatures of many runs and assemblies",
        {202: answer("What was done", record(counts=COUNTS, answers=listed(named("ManyAnswer"))))},
        *(400, *CHANGING, 408, 413),
        body=json_body(ids=IDS, recompute={"type": "boolean"}, group={"type": "string", "maxLength": 100}),
        security=("token",),
    )
    return {
        "/v1/compute/sra/{run}": {"post": compute("Compute the signature of a run", "run", RUN_ID)},
        "/v1/compute/genomes/{assembly}": {
            "post": compute("Compute the signature of an assembly", "assembly", ASSEMBLY_ID)
        },
        "/v1/compute": {"post": many},
        "/v1/submit/{database}/{dataset}": {"post": submit(DATABASE, ANY_DATASET)},
        "/v1/auth/tokens": tokens(TEXT, "text/plain; charset=utf-8"),
    }


def questions() -> dict[str, Schema]:
    """Return the description of the paths that say what is known."""
    return {
        "/v1/status/{id}": {
            "get": operation(
                "What is known of a run or an assembly",
                {200: answer("Its state", named("RunStatus"))},
                *(400, 404),
                parameters=(path_parameter("id", ID),),
            )
        },
        "/v1/status": {"post": status_of_many()},
        "/v1/jobs": {
            "get": operation(
                "Jobs, newest first",
                {200: answer("A page", record(counts=COUNTS, next=NEXT_PAGE, jobs=listed(named("Job"))))},
                400,
                parameters=(
                    parameter("state", words(JobState), "Only jobs in this state"),
                    parameter("reason", words(Reason), "Only jobs with this reason"),
                    parameter("group", TEXT, "Only jobs of this group"),
                    parameter("before", {"type": "integer", "minimum": 1}, "Only jobs with smaller numbers"),
                    LIMIT,
                ),
            )
        },
        "/v1/catalog": {
            "get": operation(
                "Signatures in order of their ids",
                {200: answer("A page", record(next=NEXT_PAGE, signatures=listed(SERVED_SIGNATURE)))},
                400,
                parameters=(
                    parameter("database", words(DATABASES), "Only signatures of this database"),
                    parameter("trust", words(Trust), "Only signatures of this trust"),
                    parameter("after", TEXT, "Only ids after this one"),
                    LIMIT,
                ),
            )
        },
        "/v1/events": {
            "get": operation(
                "Transitions and progress of jobs, as server-sent events",
                {200: answer("A stream without an end", TEXT, "text/event-stream; charset=utf-8")},
                400,
                parameters=(parameter("id", ID, "Only events of this run or assembly"),),
            )
        },
    }


def status_of_many() -> Schema:
    """Return the description of a question about many."""
    states = {
        "description": "The state of each",
        "content": {
            "application/json": {"schema": record(counts=COUNTS, runs=listed(named("Run")))},
            "text/csv; charset=utf-8": {"schema": TEXT},
        },
    }
    return operation(
        "What is known of many runs and assemblies, of a group, or of a project",
        {200: states},
        *(400, 404, 408, 413),
        parameters=(parameter("format", words(("json", "csv")), "The format of the answer"),),
        body=json_body(ids=IDS, group=TEXT, project=TEXT),
    )


def job_paths() -> dict[str, Schema]:
    """Return the description of the paths that are about one job, or change jobs and the queue."""
    job = path_parameter("job", TEXT)
    numbers: Schema = {**listed({"type": "integer", "minimum": 1}), "maxItems": MAX_IDS}
    selected = json_body(
        ids=IDS,
        jobs=numbers,
        group=TEXT,
        state=words(JobState),
        reason=words(Reason),
        all={"type": "boolean"},
    )
    only_group = {"application/json": {"schema": {"type": "object", "properties": {"group": TEXT}}}}
    found: dict[str, Schema] = {
        "/v1/jobs/{job}": {
            "get": operation("A job", {200: answer("The job", named("Job"))}, 404, parameters=(job,)),
        },
        "/v1/queue": {"get": operation("Whether the queue is paused", {200: answer("It is said", named("Queue"))})},
    }
    for verb, about, what in (("cancel", "Cancel", "cancelled"), ("retry", "Queue again", "queued")):
        one = answer("What was done, and the job as it is now", record(**{what: INTEGER, "job": named("Job")}))
        many = answer("What was done", record(**{what: INTEGER, "before": COUNTS, "unknown": listed(TEXT)}))
        found[f"/v1/jobs/{{job}}/{verb}"] = {
            "post": operation(f"{about} a job", {200: one}, *(*CHANGING, 404), parameters=(job,), security=("token",))
        }
        found[f"/v1/jobs/{verb}"] = {
            "post": operation(
                f"{about} the jobs that the body selects",
                {200: many},
                *(400, *CHANGING, 408, 413),
                body=selected,
                security=("token",),
            )
        }
    for verb, about in (("pause", "Let no more jobs start"), ("resume", "Let jobs start again")):
        state = answer("How it is now", named("Queue"))
        found[f"/v1/queue/{verb}"] = {
            "post": operation(
                f"{about}: all, or those of a group",
                {200: state},
                *(400, *CHANGING, 408, 413),
                body=only_group,
                body_required=False,
                security=("token",),
            )
        }
    return found


def about_the_server() -> dict[str, Schema]:
    """Return the description of the paths about the server itself."""
    return {
        "/health": {
            "get": operation(
                "Whether the server can answer",
                {200: answer("It can", named("Health")), 503: answer("It cannot", named("Health"))},
            )
        },
        "/metrics": {"get": operation("Metrics", {200: answer("For Prometheus", TEXT, "text/plain; charset=utf-8")})},
        "/v1/openapi.json": {
            "get": operation("This description", {200: answer("As JSON", {"type": "object"}, "application/json")})
        },
        "/v1/openapi.yaml": {
            "get": operation(
                "This description", {200: answer("As YAML", {"type": "object"}, "text/yaml; charset=utf-8")}
            )
        },
    }


def oldest_paths() -> dict[str, Schema]:
    """Return the description of the paths of the first version of the earlier service."""
    task = operation(
        "How far a task is", {200: answer("Its state", named("Task"))}, 404, parameters=(path_parameter("task", TEXT),)
    )
    named_by_itself = operation(
        "Submit a signature, whose own name says of which run it is",
        {200: answer("It is stored as unverified", SUBMITTED)},
        *(400, *CHANGING, 408, 413, 415),
        body=WITH_FILE,
        security=("token",),
    )
    return {
        "/submit": {"post": deprecated(named_by_itself)},
        "/compute/{run}": {"post": deprecated(compute("Compute the signature of a run", "run", RUN_ID))},
        "/status/{task}": {"get": deprecated(task)},
        "/viewer/{dataset}": {"get": deprecated(view(ANY_DATASET))},
        "/tokens": {method: deprecated(one) for method, one in tokens(record(token=TEXT), "application/json").items()},
    }
