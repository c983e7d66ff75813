"""The schemas of the bodies that the server sends, for its description (OpenAPI 3.0)."""

from typing import Any

from wort_cli.model.job import JobState
from wort_cli.model.provenance import Trust
from wort_cli.web.compute import ASSEMBLY_PATTERN, PATTERN
from wort_cli.web.databases import DATABASES, GENOMES, SRA
from wort_cli.web.documents import STATES
from wort_cli.web.status import TASK_STATES

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": "string", "nullable": True}
INTEGER: Schema = {"type": "integer"}
INTEGER_OR_NULL: Schema = {"type": "integer", "nullable": True}
NUMBER_OR_NULL: Schema = {"type": "number", "nullable": True}
COUNTS: Schema = {"type": "object", "additionalProperties": INTEGER}
RUN_ID: Schema = {"type": "string", "pattern": PATTERN, "example": SRA.example}
ASSEMBLY_ID: Schema = {"type": "string", "pattern": ASSEMBLY_PATTERN, "example": GENOMES.example}
ID: Schema = {"type": "string", "example": SRA.example}


def words(values: Any, *, nullable: bool = False) -> Schema:
    """Return the schema of one of some words."""
    found = [str(value) for value in values]
    return {"type": "string", "enum": [*found, None] if nullable else found, **({"nullable": True} if nullable else {})}


def record(**properties: Schema) -> Schema:
    """Return the schema of an object that has all of these keys."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def listed(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def named(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


WHY = {"reason": TEXT_OR_NULL, "sentence": TEXT_OR_NULL, "hint": TEXT_OR_NULL}
SHORT = {
    "id": TEXT,
    "state": words(STATES),
    **WHY,
    "trust": words(Trust, nullable=True),
    "url": TEXT_OR_NULL,
}
SIGNATURE = {
    "trust": words(Trust),
    "digest": TEXT,
    "sha256": TEXT_OR_NULL,
    "size": INTEGER,
    "recorded_at": TEXT,
    "url": TEXT,
}
SERVED_SIGNATURE = record(id=TEXT, database=words(DATABASES), **SIGNATURE)
SKETCH = {
    **dict.fromkeys(("ksize", "scaled", "n_hashes"), INTEGER),
    **dict.fromkeys(("moltype", "md5"), TEXT),
    "with_abundance": {"type": "boolean"},
    "abundance_sum": INTEGER_OR_NULL,
}
JOB = {
    **{"job": INTEGER, "task_id": TEXT, "id": TEXT, "kind": TEXT, "profile": TEXT, "state": words(JobState)},
    **WHY,
    **{"position": INTEGER_OR_NULL, "stage": TEXT_OR_NULL, "spots": INTEGER_OR_NULL, "spots_total": INTEGER_OR_NULL},
    **{"progress": NUMBER_OR_NULL, "seconds_left": NUMBER_OR_NULL, "attempt": INTEGER, "priority": INTEGER},
    **{"groups": listed(TEXT), "queued_at": TEXT, "started_at": TEXT_OR_NULL, "ended_at": TEXT_OR_NULL},
    **{"wait_until": TEXT_OR_NULL, "verdict": TEXT_OR_NULL},
}
PROBLEM = {
    "type": "object",
    "properties": {"detail": TEXT, "status": INTEGER, "title": TEXT, "type": TEXT, "reason": TEXT, "hint": TEXT},
    "required": ["detail", "status", "title", "type", "reason"],
}
ANSWER: Schema = {
    "type": "object",
    "properties": {"status": TEXT, "task_id": TEXT, "reason": TEXT, "sentence": TEXT, "hint": TEXT},
    "required": ["status"],
}
HEALTH: Schema = {
    "type": "object",
    "description": "Only `status`, if reading is closed and the client may not read",
    "properties": {
        "status": words(("ok", "unavailable")),
        **{"version": TEXT, "read_only": {"type": "boolean"}, "daemon": TEXT, "problems": INTEGER},
        **{"queued": INTEGER_OR_NULL, "running": INTEGER_OR_NULL},
    },
    "required": ["status"],
}
SCHEMAS: dict[str, Schema] = {
    "Problem": PROBLEM,
    "Answer": ANSWER,
    "Run": record(**SHORT),
    "Signature": record(**SIGNATURE),
    "Job": record(**JOB),
    "Health": HEALTH,
    "ManyAnswer": {**ANSWER, "properties": {"id": TEXT, **ANSWER["properties"]}, "required": ["id", "status"]},
    "Task": record(state=words(dict.fromkeys(TASK_STATES.values())), current=INTEGER, total=INTEGER, status=TEXT),
    "Queue": record(paused={"type": "boolean"}, paused_groups=listed(TEXT)),
    "RunStatus": record(
        **SHORT,
        signature={"nullable": True, "allOf": [named("Signature")]},
        sketches=listed(record(**SKETCH)),
        job={"nullable": True, "allOf": [named("Job")]},
    ),
}
