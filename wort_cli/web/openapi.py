"""`/v1/openapi.json` and `.yaml`: the description of the interface (OpenAPI 3.0).

The YAML is the same JSON, which is YAML too.
"""

import json
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import wort_cli
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.provenance import Trust
from wort_cli.web.bodies import MAX_IDS
from wort_cli.web.jobs import MAX_PAGE
from wort_cli.web.openapi_examples import GROUPS, with_examples
from wort_cli.web.openapi_schemas import (
    ANSWER,
    COUNTS,
    INTEGER,
    PARTS,
    RUN_ID,
    SCHEMAS,
    TEXT,
    Schema,
    listed,
    named,
    record,
    words,
)
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services


def parameter(name: str, schema: Schema, about: str, *, place: str = "query") -> Schema:
    """Return the description of a parameter."""
    return {"name": name, "in": place, "required": place == "path", "description": about, "schema": schema}


def path_parameter(name: str, schema: Schema = RUN_ID) -> Schema:
    """Return the description of a part of a path."""
    return parameter(name, schema, PARTS[name], place="path")


def answer(about: str, schema: Schema | None = None, media_type: str = "application/json") -> Schema:
    """Return the description of a response."""
    return {"description": about, **({"content": {media_type: {"schema": schema}}} if schema is not None else {})}


PROBLEMS = {
    400: "The request is invalid",
    401: "No valid token or password",
    403: "The token does not allow this, or the server is read-only",
    404: "Not found",
    408: "The body did not arrive in time",
    413: "Too large",
    415: "The body is no form",
    416: "The file has no such bytes",
    429: "Too many requests; `Retry-After` says when to try again",
    500: "The server has a problem",
    501: "The server lacks a package",
    503: "The server cannot answer now",
}


def operation(
    about: str,
    responses: dict[int, Schema],
    *problems: int,
    parameters: tuple[Schema, ...] = (),
    body: Schema | None = None,
    body_required: bool = True,
    security: tuple[str, ...] = (),
) -> Schema:
    """Return the description of an operation; every one may also answer with 429, 500 and 503."""
    found = {code: answer(PROBLEMS[code], named("Problem"), "application/problem+json") for code in problems}
    for code in (429, 500, 503):
        found.setdefault(code, answer(PROBLEMS[code], named("Problem"), "application/problem+json"))
    found |= responses
    return {
        "summary": about,
        "responses": {str(code): found[code] for code in sorted(found)},
        **({"parameters": list(parameters)} if parameters else {}),
        **({"requestBody": {"required": body_required, "content": body}} if body else {}),
        **({"security": [{name: []} for name in security]} if security else {}),
    }


def file_operation(about: str, media_type: str, *problems: int, parameters: tuple[Schema, ...] = ()) -> Schema:
    """Return the description of a file that is sent whole or in part."""
    binary: Schema = {} if media_type == "application/json" else {"type": "string", "format": "binary"}
    responses = {
        200: answer(about, binary, media_type),
        206: answer("A part of it", binary, media_type),
        304: answer("It has not changed"),
    }
    return operation(about, responses, 416, *problems, parameters=parameters)


IDS: Schema = {**listed({"type": "string", "maxLength": 100}), "maxItems": MAX_IDS}
CHANGING = (401, 403)
JSON_TEXT = answer("Not found: a JSON text", TEXT)
"""What the earlier service answers for a database or a run that it does not have."""


def json_body(**properties: Schema) -> Schema:
    """Return the description of a body: a JSON object, or plain text with an id on each line."""
    return {
        "application/json": {"schema": {"type": "object", "properties": properties}},
        "text/plain": {"schema": TEXT},
    }


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


def described_paths() -> dict[str, Schema]:
    """Return the description of each path."""
    since = parameter("since", TEXT, "Only signatures that were recorded since a date, such as 2026-11-27")
    limit = parameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE}, "The size of a page")
    database = path_parameter("database", {"type": "string", "example": "sra"})
    page = {"type": "string", "nullable": True}
    with_file = record(file={"type": "string", "format": "binary"})
    accepted = {**ANSWER, "properties": {**ANSWER["properties"], "digest": TEXT, "trust": TEXT}}
    compute = operation(
        "Compute the signature of a run",
        {202: answer("It is enqueued, or there is one", named("Answer")), 404: answer("Unavailable", named("Answer"))},
        *(400, *CHANGING),
        parameters=(
            path_parameter("run"),
            parameter("recompute", {"type": "boolean"}, "Also if there is a signature, or the run was unavailable"),
        ),
        security=("token",),
    )
    view = operation(
        "Redirect to the file of a signature",
        {302: answer("`Location` has the file", TEXT, "text/html; charset=utf-8"), 404: JSON_TEXT},
        parameters=(database, path_parameter("dataset", TEXT)),
    )
    revoke = operation("Revoke tokens", {204: answer("Revoked")}, *CHANGING, security=("password", "token"))
    return {
        "/v1/view/{database}/{dataset}": {"get": view},
        "/v1/compute/sra/{run}": {"post": compute},
        "/v1/compute": {
            "post": operation(
                "Compute the signatures of many runs",
                {202: answer("What was done", record(counts=COUNTS, answers=listed({"type": "object"})))},
                *(400, *CHANGING, 408, 413),
                body=json_body(ids=IDS, recompute={"type": "boolean"}, group={"type": "string", "maxLength": 100}),
                security=("token",),
            )
        },
        "/v1/submit/{database}/{dataset}": {
            "post": operation(
                "Submit a signature of a run",
                {202: answer("It is stored as unverified", accepted), 404: JSON_TEXT},
                *(400, *CHANGING, 408, 413, 415),
                parameters=(database, path_parameter("dataset")),
                body={"multipart/form-data": {"schema": with_file}},
                security=("token",),
            )
        },
        "/v1/auth/tokens": {
            "post": operation(
                "Get a token for a user and a password",
                {200: answer("The token", TEXT, "text/plain; charset=utf-8")},
                *CHANGING,
                security=("password",),
            ),
            "delete": revoke,
        },
        "/v1/status/{run}": {
            "get": operation(
                "What is known of a run",
                {200: answer("Its state", named("RunStatus"))},
                400,
                parameters=(path_parameter("run"),),
            )
        },
        "/v1/status": {
            "post": operation(
                "What is known of many runs, of a group, or of a project",
                {
                    200: {
                        "description": "The state of each",
                        "content": {
                            "application/json": {"schema": record(counts=COUNTS, runs=listed(named("Run")))},
                            "text/csv; charset=utf-8": {"schema": TEXT},
                        },
                    }
                },
                *(400, 404, 408, 413),
                parameters=(parameter("format", words(("json", "csv")), "The format of the answer"),),
                body=json_body(ids=IDS, group=TEXT, project=TEXT),
            )
        },
        "/v1/jobs": {
            "get": operation(
                "Jobs, newest first",
                {200: answer("A page", record(counts=COUNTS, next=page, jobs=listed(named("Job"))))},
                400,
                parameters=(
                    parameter("state", words(JobState), "Only jobs in this state"),
                    parameter("reason", words(Reason), "Only jobs with this reason"),
                    parameter("group", TEXT, "Only jobs of this group"),
                    parameter("before", {"type": "integer", "minimum": 1}, "Only jobs with smaller numbers"),
                    limit,
                ),
            )
        },
        "/v1/catalog": {
            "get": operation(
                "Signatures in order of their accessions",
                {200: answer("A page", record(next=page, signatures=listed({"type": "object"})))},
                400,
                parameters=(
                    parameter("trust", words(Trust), "Only signatures of this trust"),
                    parameter("after", TEXT, "Only runs after this one"),
                    limit,
                ),
            )
        },
        "/v1/events": {
            "get": operation(
                "Transitions and progress of jobs, as server-sent events",
                {200: answer("A stream without an end", TEXT, "text/event-stream; charset=utf-8")},
                400,
                parameters=(parameter("id", RUN_ID, "Only events of this run"),),
            )
        },
        "/wort-sra/sigs/{run}.sig": {
            "get": {
                **file_operation(
                    "The file of a signature", "application/json", parameters=(path_parameter("run", TEXT),)
                ),
            }
        },
        "/wort-sra/SOURMASH-MANIFEST.parquet": {
            "get": file_operation("All sketches", "application/vnd.apache.parquet", 400, 501, parameters=(since,))
        },
        "/wort-sra/SOURMASH-MANIFEST.csv.gz": {
            "get": file_operation("All sketches", "application/gzip", 400, parameters=(since,))
        },
        "/health": {
            "get": operation(
                "Whether the server can answer",
                {200: answer("It can", named("Health")), 503: answer("It cannot", named("Health"))},
            )
        },
        "/metrics": {"get": operation("Metrics", {200: answer("For Prometheus", TEXT, "text/plain; charset=utf-8")})},
    }


def close(paths: dict[str, Schema]) -> None:
    """Add to the description of what only reads that it needs a token."""
    for path, methods in paths.items():
        for found in methods.values():
            if path == "/health" or "security" in found:
                continue
            found["security"] = [{"token": []}]
            for code in CHANGING:
                problem = answer(PROBLEMS[code], named("Problem"), "application/problem+json")
                found["responses"].setdefault(str(code), problem)


@cache
def description(root: str, *, is_closed: bool = False) -> Schema:
    """Return the description of the interface below a root path.

    is_closed: whether reading needs a token
    """
    paths = described_paths() | job_paths()
    paths["/wort-sra/sigs/{run}.sig"]["get"]["responses"]["404"] = JSON_TEXT
    if is_closed:
        close(paths)
    return {
        "openapi": "3.0.3",
        "info": {"title": "wort", "version": wort_cli.__version__, "description": "Signatures of sequencing runs"},
        "servers": [{"url": root or "/"}],
        "tags": [{"name": group.name, "description": group.about} for group in GROUPS],
        "paths": with_examples(paths),
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
            },
        },
    }


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        Route("/v1/openapi.json", openapi, methods=["GET"]),
        Route("/v1/openapi.yaml", openapi, methods=["GET"], name="openapi_yaml"),
    ]


@unguarded
async def openapi(request: Request) -> Response:
    """Send the description."""
    services: Services = request.app.state.services
    found = description(str(request.scope.get("root_path", "")), is_closed=services.home.is_closed)
    text = json.dumps(found, indent=2) + "\n"
    is_yaml = request.url.path.endswith(".yaml")
    return Response(text, media_type="text/yaml" if is_yaml else "application/json")
