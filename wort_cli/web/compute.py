"""`POST /v1/compute/sra/{id}` enqueues the computation of a signature, never twice at a time for one run.

`POST /v1/compute` does so for many runs.  `/compute/{id}` is the path of the first version of the earlier service.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.api.enqueueing import enqueue
from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.errors import InvalidAccession
from wort_cli.ledger.jobs import Enqueued, EnqueueStatus
from wort_cli.model.accession import RUN, Accession
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobRequest, JobState, Source
from wort_cli.model.profile import SRA_V1
from wort_cli.web.access_file import Right, Token
from wort_cli.web.auth import authorized
from wort_cli.web.bodies import flag, read_object, text_list, text_of
from wort_cli.web.errors import CompactJSON, Problem
from wort_cli.web.limits import too_often
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services
from wort_cli.web.task_id import task_id

PATTERN = r"^\w{3}\d{6,9}$"
NO_RUN = "Not the accession of a run"
RUNS_OF_A_REQUEST = 100
"""Runs that count as one request."""
SUBMITTED, CALCULATED = "Submitted", "Signature already calculated"
MAX_QUEUED = 1_000_000
"""Queued jobs above which no more are taken from clients."""


@dataclass(frozen=True)
class Answer:
    """The answer to a request for one run."""

    run: str
    status: str
    task: str = ""
    reason: str = ""
    hint: str = ""

    @property
    def code(self) -> int:
        """The status code: 404 if the run is known to be unavailable."""
        return 404 if self.reason else 202

    def to_json(self) -> dict[str, str]:
        """Return the body: `status` always, the others if there are any."""
        values = {"status": self.status, "task_id": self.task, "reason": self.reason, "hint": self.hint}
        return {key: value for key, value in values.items() if value}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        Route("/v1/compute", compute_many, methods=["POST"]),
        Route("/v1/compute/sra/{run}", compute, methods=["POST"]),
        Route("/compute/{run}", compute, methods=["POST"]),
    ]


@unguarded
async def compute(request: Request) -> Response:
    """Enqueue one run."""
    token = await authorized(request, Right.COMPUTE)
    run = parse_run(request.path_params["run"])
    force = parse_boolean(request, "recompute")
    services: Services = request.app.state.services
    [answer] = await run_in_threadpool(enqueue_runs, services, [run], token, force=force)
    root = request.scope.get("root_path", "")
    return CompactJSON(
        answer.to_json(), answer.code, {"Location": f"{root}/status/{answer.task}"} if answer.task else {}
    )


@unguarded
async def compute_many(request: Request) -> Response:
    """Enqueue many runs; a run that is enqueued already, or has a signature, is answered as such."""
    token = await authorized(request, Right.COMPUTE)
    document = await read_object(request)
    runs, force, group = text_list(document, "ids"), flag(document, "recompute"), text_of(document, "group")
    accessions = [Accession(run) for run in runs if RUN.fullmatch(run)]
    services: Services = request.app.state.services
    services.limits.changes.check(token.name, "this token sends too many requests", len(accessions) / RUNS_OF_A_REQUEST)
    found = await run_in_threadpool(enqueue_runs, services, accessions, token, force=force, group=group)
    answers = {answer.run: answer.to_json() for answer in found}
    refused = {"status": NO_RUN, "reason": "invalid-accession"}
    rows = [{"id": run, **answers.get(run, refused)} for run in runs]
    counts = Counter(row["status"].partition(":")[0] for row in rows)
    return CompactJSON({"counts": dict(sorted(counts.items())), "answers": rows}, 202)


def parse_run(text: str) -> Accession:
    """Return the accession of a run.  Raises Problem 400."""
    if not re.fullmatch(PATTERN, text, re.ASCII):
        schema = "{'type': 'string', 'pattern': '" + PATTERN.replace("\\", "\\\\") + "'}"
        raise Problem(
            400,
            f"{text[:100]!r} does not match {PATTERN!r}\n\nFailed validating 'pattern' in schema:\n    {schema}\n\n"
            f"On instance:\n    {text[:100]!r}",
            reason="invalid-accession",
            hint="an accession is SRR, ERR or DRR and 6 to 9 digits, such as SRR139146",
        )
    try:
        return Accession.parse(text)
    except InvalidAccession as error:
        raise Problem(400, error.sentence, reason="invalid-accession", hint=error.hint) from None


def parse_boolean(request: Request, name: str) -> bool:
    """Return a boolean of the query, false by default.  Raises Problem 400."""
    text = request.query_params.get(name, "false").lower()
    if text not in ("true", "false"):
        detail = f"Wrong type, expected 'boolean' for query parameter '{name}'"
        raise Problem(400, detail, reason="invalid", hint=f"give {name}=true or {name}=false")
    return text == "true"


def enqueue_runs(
    services: Services, runs: Sequence[Accession], token: Token, *, force: bool = False, group: str = ""
) -> list[Answer]:
    """Enqueue runs that have no signature, or all with `force`.  Raises Problem 429 if the queue is full."""
    ledger = services.home.ledger
    queued = sum(n for (state, _), n in ledger.counts.by_state().items() if state is JobState.QUEUED)
    if queued + len(runs) > MAX_QUEUED:
        raise too_often("the queue is full", 600.0)
    requests = [
        JobRequest(Source(run), SRA_V1.name, group=group, selected_by=f"the token {token.name}") for run in runs
    ]
    answers = enqueue(ledger, SignatureFinder(services.home.settings, ledger, SRA_V1), requests, force=force)
    home_id = ledger.controls.home_id()
    return [answer_of(answer, home_id) for answer in answers]


def answer_of(enqueued: Enqueued, home_id: str) -> Answer:
    """Return what a client is told of an enqueued run."""
    run, task = str(enqueued.source.name), task_id(home_id, enqueued.job_id) if enqueued.job_id else ""
    if enqueued.status is EnqueueStatus.EXISTS:
        return Answer(run, CALCULATED)
    if enqueued.status is EnqueueStatus.UNAVAILABLE:
        reason = Reason(enqueued.reason)
        return Answer(run, f"Unavailable: {reason.sentence}", task, str(reason), reason.hint)
    return Answer(run, SUBMITTED, task)
