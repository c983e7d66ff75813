"""The status of runs and assemblies: `GET /v1/status/{id}` of one, `POST /v1/status` of many."""

import contextlib
import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name, RecordAccession
from wort_cli.model.job import Job, JobState
from wort_cli.model.profile import SRA_V1, profile_for
from wort_cli.web.bodies import MAX_IDS, read_object, text_list, text_of
from wort_cli.web.compute import parse_id
from wort_cli.web.documents import catalog_document, job_document, reason_document, state_of
from wort_cli.web.errors import CompactJSON, Problem
from wort_cli.web.job_changes import job_number
from wort_cli.web.services import Services

CSV_COLUMNS = ("id", "state", "reason", "sentence", "hint", "trust", "url")


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        Route("/v1/status", status_of_many, methods=["POST"]),
        Route("/v1/status/{id}", status, methods=["GET"]),
        Route("/status/{task}", task_status, methods=["GET"]),
    ]


async def status(request: Request) -> Response:
    """Say what is known of a run or an assembly, also if that is nothing."""
    name = parse_id(request.path_params["id"])
    services: Services = request.app.state.services
    root = str(request.scope.get("root_path", ""))
    return CompactJSON(await run_in_threadpool(document_of, services, name, root))


def document_of(services: Services, name: Name, root: str) -> dict[str, Any]:
    """Return what is known of a run or an assembly: state, signature, sketches, newest job."""
    ledger, profile = services.home.ledger, profile_for(name, SRA_V1.name)
    with ledger.transaction(write=False):
        [short] = status_rows(services, ledger, [name], root)
        row = ledger.storage.row("served_signature", name=name, profile=profile) if short["url"] else None
        jobs = ledger.jobs.named(name)[:1]
        sketches = ledger.storage.rows("sketches_of", profile=profile, names=json.dumps([name])) if row else []
        home_id = ledger.controls.known_home_id() if jobs else ""
        return {
            **short,
            "signature": catalog_document(row, short["url"]) if row else None,
            "sketches": [sketch_document(sketch) for sketch in sketches],
            "job": job_document(jobs[0], ledger, home_id, with_position=True) if jobs else None,
        }


def sketch_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sketch."""
    keys = ("ksize", "moltype", "scaled", "n_hashes", "with_abundance", "abundance_sum", "md5")
    return {**{key: row[key] for key in keys}, "with_abundance": bool(row["with_abundance"])}


def status_rows(services: Services, ledger: Ledger, names: Iterable[str], root: str) -> list[dict[str, Any]]:
    """Return the state of each id; what is no id of a database is unknown."""
    pairs = [(name, profile_for(name, SRA_V1.name)) for name in names]
    found = []
    for row in ledger.storage.rows("status_of_names", names=json.dumps(pairs)):
        served = services.of_name(row["name"])
        is_served = served is not None and served.is_served(row)
        state, reason = state_of(row, is_served=is_served)
        found.append(
            {
                "id": row["name"],
                "state": state,
                **reason_document(reason),
                "trust": row["trust"] if is_served else None,
                "url": served.database.file_url(root, row["name"]) if served and is_served else None,
            }
        )
    return found


async def status_of_many(request: Request) -> Response:
    """Say which of many runs and assemblies have a signature, and why others have none."""
    document = await read_object(request)
    services: Services = request.app.state.services
    root = str(request.scope.get("root_path", ""))
    as_csv = wants_csv(request)

    def answer() -> list[dict[str, Any]]:
        ledger = services.home.ledger
        with ledger.transaction(write=False):
            return status_rows(services, ledger, wanted_names(document, ledger), root)

    async with services.scans if document.get("project") else contextlib.nullcontext():
        rows = await run_in_threadpool(answer)
    if as_csv:
        return Response(csv_text(rows), media_type="text/csv")
    counts = Counter(row["state"] for row in rows)
    return CompactJSON({"counts": dict(sorted(counts.items())), "runs": rows})


def wanted_names(document: dict[str, Any], ledger: Ledger) -> list[str]:
    """Return what a request names: one by one, by a group, or by a record that has runs.

    Raises Problem 400, 404 or 413.
    """
    given = [key for key in ("ids", "group", "project") if document.get(key)]
    if len(given) != 1:
        detail = "give one of `ids`, `group` and `project`"
        raise Problem(400, detail, reason="invalid", hint='{"ids": ["SRR139146"]}')
    if given == ["ids"]:
        return text_list(document, "ids")
    name, limit = text_of(document, given[0]), MAX_IDS + 1
    if given == ["group"]:
        rows = ledger.storage.rows("names_in_group", group_name=name, profile=SRA_V1.name, limit=limit)
        found = [row["name"] for row in rows]
    else:
        record = RecordAccession.in_text(name)
        found = ledger.runs.of_record(record, limit) if record else []
    if not found:
        raise Problem(404, f"no run of this {given[0]} is known here", reason="unknown", hint="name the runs in `ids`")
    if len(found) > MAX_IDS:
        raise Problem(413, f"it has more than {MAX_IDS} runs", reason="too-large", hint="name the runs in `ids`")
    return found


def wants_csv(request: Request) -> bool:
    """Return whether a client wants CSV."""
    form = request.query_params.get("format", "")
    if form not in ("", "json", "csv"):
        raise Problem(400, "the format is unknown", reason="invalid", hint="format=json or format=csv")
    return form == "csv" or (not form and request.headers.get("accept", "").startswith("text/csv"))


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV.  An id that a client made up must not be a formula of a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        cells = [row[column] or "" for column in CSV_COLUMNS]
        writer.writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in cells])
    return text.getvalue()


async def task_status(request: Request) -> Response:
    """Say how far a task is, in the words of the first version of the earlier service."""
    services: Services = request.app.state.services
    return CompactJSON(await run_in_threadpool(task_document, services, request.path_params["task"]))


def task_document(services: Services, task: str) -> dict[str, Any]:
    """Return the state of a task: `state`, `current`, `total`, `status`.  Raises Problem 404."""
    ledger = services.home.ledger
    job = ledger.jobs.get(job_number(ledger, task))
    return {"state": TASK_STATES[job.state], **progress_of(job), "status": words_for(job)}


TASK_STATES = {
    JobState.QUEUED: "PENDING",
    JobState.WAITING: "RETRY",
    JobState.RUNNING: "PROGRESS",
    JobState.DONE: "SUCCESS",
    JobState.FAILED: "FAILURE",
    JobState.UNAVAILABLE: "FAILURE",
    JobState.CANCELLED: "REVOKED",
}
"""The states that Celery has for the states of a job."""


def progress_of(job: Job) -> dict[str, int]:
    """Return how far a job is, in spots if they are known."""
    if job.state is JobState.RUNNING and job.progress and job.progress.total:
        return {"current": job.progress.spots, "total": job.progress.total}
    return {"current": int(job.state is JobState.DONE), "total": 1}


def words_for(job: Job) -> str:
    """Return the state of a job as a sentence."""
    if job.state is JobState.QUEUED:
        return "Pending..."
    return job.reason.sentence if job.reason else str(job.state)
