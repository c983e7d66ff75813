"""The parts of the description of the interface: operations, their parameters, bodies and responses."""

from wort_cli.web.bodies import MAX_IDS
from wort_cli.web.openapi_schemas import TEXT, Schema, listed, named


def parameter(name: str, schema: Schema, about: str, *, place: str = "query") -> Schema:
    """Return the description of a parameter."""
    return {"name": name, "in": place, "required": place == "path", "description": about, "schema": schema}


PARTS = {
    "id": "The id of a run, an assembly or a taxon of IMG",
    "run": "The accession of a run",
    "assembly": "The accession of an assembly, with its version",
    "database": "The database: `sra` for runs, `genomes` for assemblies, `img` for taxa of IMG",
    "dataset": "The id in the database: the accession of a run or an assembly, or the number of a taxon",
    "job": "The number of a job, or the id of its task",
    "task": "The `task_id` that a request was answered with, or the number of the job",
}
"""The descriptions of the parts of paths."""


def path_parameter(name: str, schema: Schema) -> Schema:
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
    414: "The path with its query is too long",
    416: "The file has no such bytes",
    429: "Too many requests; `Retry-After` says when to try again",
    431: "The headers are too large",
    500: "The server has a problem",
    501: "The server lacks a package",
    503: "The server cannot answer now",
}


def problem_answer(code: int) -> Schema:
    """Return the description of a refusal."""
    return answer(PROBLEMS[code], named("Problem"), "application/problem+json")


def operation(
    about: str,
    responses: dict[int, Schema],
    *problems: int,
    parameters: tuple[Schema, ...] = (),
    body: Schema | None = None,
    body_required: bool = True,
    security: tuple[str, ...] = (),
) -> Schema:
    """Return the description of an operation; every one may also answer with 414, 429, 431, 500 and 503."""
    found = {code: problem_answer(code) for code in (*problems, 414, 429, 431, 500, 503)} | responses
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
"""The earlier service's answer for a database or a run that it does not have."""


def json_body(**properties: Schema) -> Schema:
    """Return the description of a body: a JSON object, or plain text with an id on each line."""
    return {
        "application/json": {"schema": {"type": "object", "properties": properties}},
        "text/plain": {"schema": TEXT},
    }


def deprecated(described: Schema) -> Schema:
    """Return the description of an operation that only old clients use."""
    return {**described, "deprecated": True}
