"""The actions of the forms of pages: queue, cancel, retry, pause, resume.

Each checks who sends it (`forms.py`), does what the command of the same name does, and redirects to the page that shows
the result, with a message.
"""

import time
from collections.abc import Callable, Sequence
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.api.job_changes import cancel_jobs, filtered_job_ids, retry_jobs
from wort_cli.errors import UsageError
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, public_accession
from wort_cli.settings import Settings
from wort_cli.web.access_file import Right
from wort_cli.web.compute import CALCULATED, RUNS_OF_A_REQUEST, SUBMITTED, enqueue_runs
from wort_cli.web.errors import Problem
from wort_cli.web.forms import Sent, local_path, sent_form
from wort_cli.web.job_changes import job_number
from wort_cli.web.pages.change_page import CHANGES, Change, change_page
from wort_cli.web.pages.lists_of_jobs import MAX_GROUP, parse_filter
from wort_cli.web.pages.places import name_in, page_path
from wort_cli.web.pages.redirect import done
from wort_cli.web.pages.rendering import answer
from wort_cli.web.pages.search_page import missing_names
from wort_cli.web.pages.shared import pages_of
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services

BATCH = 5000
"""Jobs that are changed before the time is looked at."""
SECONDS = 8.0
"""The time for which a form changes jobs; the page offers to continue with the rest."""
MAX_LIST = 1 << 18
"""Characters of a list."""
LINKED = 1500
"""Characters of a list up to which its answer has a URL of its own."""


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        Route("/view/{database}/{id}/queue", queue_run, methods=["POST"]),
        Route("/search/queue", queue_missing, methods=["POST"]),
        Route("/job/{job}/{change}", change_job, methods=["POST"]),
        Route("/jobs/{change}", confirm, methods=["GET"]),
        Route("/jobs/{change}", change_many, methods=["POST"]),
        Route("/queue/pause", pause, methods=["POST"]),
        Route("/queue/resume", resume, methods=["POST"]),
    ]


def jobs_in_words(number: int) -> str:
    """Return a number of jobs."""
    return f"{number:,} job{'' if number == 1 else 's'}"


# ---- to queue


@unguarded
async def queue_run(request: Request) -> Response:
    """Queue the computation of one signature."""
    sent = await sent_form(request, Right.COMPUTE)
    services: Services = request.app.state.services
    try:
        name = name_in(request.path_params["database"], request.path_params["id"])
    except UsageError as error:
        raise Problem(404, error.sentence, reason="unknown", hint=error.hint) from None
    accession = public_accession(str(name))
    if accession is None:
        raise Problem(400, "only runs and assemblies can be queued", reason="invalid")
    force = bool(sent.get("recompute"))
    [made] = await run_in_threadpool(enqueue_runs, services, [accession], sent.token, force=force)
    message = {SUBMITTED: f"{name} is queued.", CALCULATED: "The signature is here already."}.get(made.status)
    return done(request, sent.session, page_path(str(name)), message or f"{made.status}.")


@unguarded
async def queue_missing(request: Request) -> Response:
    """Queue those of a list that have no signature, and whose job is not under way."""
    sent = await sent_form(request, Right.COMPUTE)
    services: Services = request.app.state.services
    group, text = group_in(sent), sent.get("q", MAX_LIST)

    def enqueue() -> list[Accession]:
        pages = pages_of(request)
        names = missing_names(pages.ledger, pages.profile("").name, text, retry=bool(sent.get("retry")))
        cost = len(names) / RUNS_OF_A_REQUEST
        services.limits.changes.check(sent.token.name, "you queue too many runs", cost)
        enqueue_runs(services, names, sent.token, force=bool(sent.get("retry")), group=group)
        return names

    names = await run_in_threadpool(enqueue)
    path = f"/search?{urlencode({'q': text})}" if len(text) <= LINKED else "/queue"
    if group and names:
        path = f"/group/{quote(group, safe='')}/"
    return done(
        request, sent.session, path, f"{jobs_in_words(len(names))} {'is' if len(names) == 1 else 'are'} queued."
    )


def group_in(sent: Sent) -> str:
    """Return the group in a form; empty if there is none.  Raises Problem if it cannot be the name of one."""
    group = sent.get("group", MAX_GROUP)
    if not group.isprintable():
        raise Problem(400, "the name of a group has no control characters", reason="invalid")
    return group


# ---- to cancel and to retry


def change_in(request: Request) -> Change:
    """Return the change in the path.  Raises Problem 404."""
    change = CHANGES.get(request.path_params["change"])
    if change is None:
        raise Problem(404, "there is no such page", reason="no-such-path")
    return change


@unguarded
async def change_job(request: Request) -> Response:
    """Cancel or retry one job."""
    change = change_in(request)
    sent = await sent_form(request, change.right)
    pages, text = pages_of(request), request.path_params["job"]

    def act() -> tuple[int, int]:
        job_id = job_number(pages.ledger, text)
        return job_id, changed(change, pages.ledger, pages.home.settings, [job_id])[0]

    job_id, number = await run_in_threadpool(act)
    if not number:
        message = f"Job {job_id} was not changed: {change.why_not}."
    else:
        message = f"Job {job_id} {change.done_one}."
    return done(request, sent.session, local_path(sent.get("to", 2000)), message)


def confirm(request: Request) -> Response:
    """Answer with a page that says how many jobs would be changed, and asks whether to."""
    change, pages = change_in(request), pages_of(request)
    page = change_page(pages.ledger, change, parse_filter(request.query_params))
    return answer(request, "change.html", page)


@unguarded
async def change_many(request: Request) -> Response:
    """Cancel or retry the jobs that a filter selects."""
    change = change_in(request)
    sent = await sent_form(request, change.right)
    job_filter = parse_filter(sent.fields)

    def act() -> tuple[int, int]:
        pages = pages_of(request)
        selected = [job_id for each in change.filters(job_filter) for job_id in filtered_job_ids(pages.ledger, each)]
        return changed(change, pages.ledger, pages.home.settings, selected)

    number, left = await run_in_threadpool(act)
    verb = change.done_one if number == 1 else change.done_many
    message = f"{jobs_in_words(number)} {verb}."
    if left:
        message += f" {jobs_in_words(left)} are left: send the form again to continue."
    return done(request, sent.session, where_after(change, job_filter, left), message)


def where_after(change: Change, job_filter: JobFilter, left: int) -> str:
    """Return the page that shows jobs that were changed; that of the same form if some are left."""
    given = {"state": job_filter.state or "", "reason": job_filter.reason or "", "group": job_filter.group}
    query = urlencode({key: value for key, value in given.items() if value})
    if left:
        return f"/jobs/{change.name}?{query}"
    if job_filter.group:
        return f"/group/{quote(job_filter.group, safe='')}/"
    return "/queue"


def changed(change: Change, ledger: Ledger, settings: Settings, job_ids: Sequence[int]) -> tuple[int, int]:
    """Change jobs until the time is over; return how many were changed, and how many were not looked at."""
    act: Callable[[Sequence[int]], int] = (
        (lambda ids: cancel_jobs(ledger, settings, ids).number)
        if change.right is Right.CANCEL
        else (lambda ids: retry_jobs(ledger, ids).number)
    )
    end, number = time.monotonic() + SECONDS, 0
    for first in range(0, len(job_ids), BATCH):
        if first and time.monotonic() > end:
            return number, len(job_ids) - first
        number += act(job_ids[first : first + BATCH])
    return number, 0


# ---- to pause


@unguarded
async def pause(request: Request) -> Response:
    """Let no job start, or none of a group."""
    sent = await sent_form(request, Right.PAUSE)
    group = group_in(sent)

    def act() -> None:
        controls = pages_of(request).ledger.controls
        if group:
            controls.pause_group(group)
        else:
            controls.pause()

    await run_in_threadpool(act)
    what = f"The group {group} is paused: running jobs end, and no other starts." if group else (
        "The queue is paused: running jobs end, and no other starts."
    )  # fmt: skip
    return done(request, sent.session, local_path(sent.get("to", 2000)), what)


@unguarded
async def resume(request: Request) -> Response:
    """Let jobs start again."""
    sent = await sent_form(request, Right.PAUSE)
    group = group_in(sent)

    def act() -> None:
        controls = pages_of(request).ledger.controls
        if group:
            controls.resume_group(group)
        else:
            controls.resume()

    await run_in_threadpool(act)
    what = f"Jobs of the group {group} start again." if group else "Jobs start again."
    return done(request, sent.session, local_path(sent.get("to", 2000)), what)
