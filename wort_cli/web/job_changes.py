"""Cancels jobs, queues them again, and pauses the queue, as `wort cancel`, `wort retry` and `wort daemon pause` do.

All of these may be sent again: what is done already changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.api.job_changes import Changed, cancel_jobs, check_group, filtered_job_ids, retry_jobs
from wort_cli.errors import NoSuchJob
from wort_cli.ledger.jobs import MAX_ID, JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import public_accession
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.web.access_file import Right
from wort_cli.web.auth import authorized
from wort_cli.web.bodies import MAX_IDS, flag, read_object, text_list, text_of
from wort_cli.web.documents import job_document
from wort_cli.web.errors import CompactJSON, Problem
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services
from wort_cli.web.task_id import job_of_task

SELECTIONS = ("ids", "jobs", "group", "state", "reason", "all")
EXAMPLE = '{"group": "soil"}'
CANCELLED, QUEUED = "cancelled", "queued"


class JobInPath(Convertor[str]):
    """The number of a job or the id of a task in a path; not `cancel`, which is a path of its own."""

    regex = "[0-9A-Fa-f-]+"

    def convert(self, value: str) -> str:
        """Return the text."""
        return value

    def to_string(self, value: str) -> str:
        """Return the text."""
        return value


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    register_url_convertor("job", JobInPath())
    return [
        Route("/v1/jobs/cancel", cancel_many, methods=["POST"]),
        Route("/v1/jobs/retry", retry_many, methods=["POST"]),
        Route("/v1/jobs/{job:job}/cancel", cancel_one, methods=["POST"]),
        Route("/v1/jobs/{job:job}/retry", retry_one, methods=["POST"]),
        Route("/v1/jobs/{job:job}", one_job, methods=["GET"]),
        Route("/v1/queue", queue, methods=["GET"]),
        Route("/v1/queue/pause", pause, methods=["POST"]),
        Route("/v1/queue/resume", resume, methods=["POST"]),
    ]


@dataclass(frozen=True)
class Selected:
    """The jobs that a request names, and those names of which there is no job."""

    job_ids: list[int]
    unknown: list[str] = field(default_factory=list)


def job_number(ledger: Ledger, text: str) -> int:
    """Return the number of a job that is named by it, or by the id of its task.  Raises Problem 404."""
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    number = int(text) if is_number else job_of_task(ledger.controls.known_home_id(), text)
    try:
        return ledger.jobs.get(number if number is not None and number <= MAX_ID else 0).id
    except NoSuchJob:
        raise Problem(404, "there is no such job", reason="unknown", hint="`GET /v1/jobs` lists the jobs") from None


def one_document(ledger: Ledger, number: int) -> dict[str, Any]:
    """Return a job with its place in the queue."""
    return job_document(ledger.jobs.get(number), ledger, ledger.controls.known_home_id(), with_position=True)


async def one_job(request: Request) -> Response:
    """Send a job."""
    services: Services = request.app.state.services

    def answer() -> dict[str, Any]:
        ledger = services.home.ledger
        return one_document(ledger, job_number(ledger, request.path_params["job"]))

    return CompactJSON(await run_in_threadpool(answer))


def cancel(services: Services, job_ids: list[int]) -> Changed:
    """Cancel jobs."""
    return cancel_jobs(services.home.ledger, services.home.settings, job_ids)


def retry(services: Services, job_ids: list[int]) -> Changed:
    """Queue jobs again."""
    return retry_jobs(services.home.ledger, job_ids)


async def change_one(
    request: Request, right: Right, what: str, change: Callable[[Services, list[int]], Changed]
) -> Response:
    """Change the job of a path; send how it is now."""
    await authorized(request, right)
    services: Services = request.app.state.services

    def answer() -> dict[str, Any]:
        ledger = services.home.ledger
        number = job_number(ledger, request.path_params["job"])
        changed = change(services, [number])
        return {what: changed.number, "job": one_document(ledger, number)}

    return CompactJSON(await run_in_threadpool(answer))


async def change_many(
    request: Request, right: Right, what: str, change: Callable[[Services, list[int]], Changed]
) -> Response:
    """Change the jobs that a body selects; send how many were changed, and how they were before."""
    await authorized(request, right)
    document = await read_object(request)
    services: Services = request.app.state.services

    def answer() -> dict[str, Any]:
        selected = selected_jobs(services.home.ledger, document)
        changed = change(services, selected.job_ids)
        before = {str(state): number for state, number in sorted(changed.before.items())}
        return {what: changed.number, "before": before, "unknown": selected.unknown}

    async with services.job_changes:
        return CompactJSON(await run_in_threadpool(answer))


@unguarded
async def cancel_one(request: Request) -> Response:
    """Cancel a job."""
    return await change_one(request, Right.CANCEL, CANCELLED, cancel)


@unguarded
async def retry_one(request: Request) -> Response:
    """Queue a job again."""
    return await change_one(request, Right.RETRY, QUEUED, retry)


@unguarded
async def cancel_many(request: Request) -> Response:
    """Cancel jobs."""
    return await change_many(request, Right.CANCEL, CANCELLED, cancel)


@unguarded
async def retry_many(request: Request) -> Response:
    """Queue jobs again."""
    return await change_many(request, Right.RETRY, QUEUED, retry)


def selected_jobs(ledger: Ledger, document: dict[str, Any]) -> Selected:
    """Return the jobs that a body selects: by names, by a filter, or all.  Raises Problem 400 or 413."""
    given = [key for key in SELECTIONS if document.get(key)]
    by_filter = [key for key in given if key in ("group", "state", "reason")]
    if not given or (len(given) > 1 and given != by_filter):
        detail = "give one of `ids`, `jobs` and `all`, or a filter of `group`, `state` and `reason`"
        raise Problem(400, detail, reason="invalid", hint=EXAMPLE)
    if given == ["ids"]:
        return newest_jobs(ledger, text_list(document, "ids"))
    if given == ["jobs"]:
        return numbered_jobs(ledger, document["jobs"])
    if given == ["all"] and not flag(document, "all"):
        return Selected([])
    state, reason = text_of(document, "state"), text_of(document, "reason")
    if state and state not in tuple(JobState):
        raise Problem(400, "there is no such state", reason="invalid", hint=f"one of: {', '.join(JobState)}")
    if reason and reason not in tuple(Reason):
        raise Problem(400, "there is no such reason", reason="invalid", hint="`wort status` shows the reasons")
    group = text_of(document, "group")
    chosen = JobFilter(JobState(state) if state else None, Reason(reason) if reason else None, group)
    return Selected(filtered_job_ids(ledger, chosen))


def newest_jobs(ledger: Ledger, runs: list[str]) -> Selected:
    """Return the newest job of each run."""
    found, unknown = [], []
    for run in runs:
        jobs = ledger.jobs.named(name) if (name := public_accession(run)) is not None else []
        if jobs:
            found.append(jobs[0].id)
        else:
            unknown.append(run)
    return Selected(list(dict.fromkeys(found)), unknown)


def numbered_jobs(ledger: Ledger, numbers: Any) -> Selected:
    """Return the jobs with these numbers.  Raises Problem 400 or 413."""
    is_right = isinstance(numbers, list) and all(
        isinstance(number, int) and not isinstance(number, bool) and 0 < number <= MAX_ID for number in numbers
    )
    if not is_right:
        raise Problem(400, "`jobs` is not a list of numbers of jobs", reason="invalid", hint='{"jobs": [1, 2]}')
    if len(numbers) > MAX_IDS:
        raise Problem(413, f"a request names at most {MAX_IDS} jobs", reason="too-large", hint="send several requests")
    wanted = list(dict.fromkeys(numbers))
    known = {job.id for job in ledger.jobs.with_ids(wanted)}
    return Selected([n for n in wanted if n in known], [str(n) for n in wanted if n not in known])


def queue_document(ledger: Ledger) -> dict[str, Any]:
    """Return whether the queue is paused."""
    return {"paused": ledger.controls.paused, "paused_groups": ledger.controls.paused_groups()}


async def queue(request: Request) -> Response:
    """Say whether the queue, or groups, are paused."""
    services: Services = request.app.state.services
    return CompactJSON(await run_in_threadpool(lambda: queue_document(services.home.ledger)))


async def change_queue(request: Request, *, pauses: bool) -> Response:
    """Pause or resume the queue, or the group in the body; send how it is now."""
    await authorized(request, Right.PAUSE)
    group = text_of(await read_object(request, or_nothing=True), "group")
    services: Services = request.app.state.services

    def answer() -> dict[str, Any]:
        ledger = services.home.ledger
        controls = ledger.controls
        if not group:
            (controls.pause if pauses else controls.resume)()
        elif pauses:
            check_group(ledger, group)
            controls.pause_group(group)
        else:
            controls.resume_group(group)
        return queue_document(ledger)

    return CompactJSON(await run_in_threadpool(answer))


@unguarded
async def pause(request: Request) -> Response:
    """Let no more jobs start."""
    return await change_queue(request, pauses=True)


@unguarded
async def resume(request: Request) -> Response:
    """Let jobs start again."""
    return await change_queue(request, pauses=False)
