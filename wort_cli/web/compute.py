"""`POST /v1/compute/{sra|genomes}/{id}` enqueues the computation of a signature, never twice at a time for one id.

`POST /v1/compute` does so for many runs and assemblies.  `/compute/{id}` is the path of the
first version of the earlier service.
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
from wort_cli.model.accession import Accession, AssemblyAccession, Name, public_accession
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobRequest, JobState, Source
from wort_cli.model.profile import SRA_V1
from wort_cli.web.access_file import Right, Token
from wort_cli.web.auth import authorized
from wort_cli.web.bodies import flag, read_object, text_list, text_of
from wort_cli.web.databases import database_of
from wort_cli.web.errors import CompactJSON, Problem
from wort_cli.web.limits import too_often
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services
from wort_cli.web.task_id import task_id

PATTERN, ASSEMBLY_PATTERN = r"^\w{3}\d{6,9}$", r"^\w{3}_\d{9}\.\d{1,3}$"
RUN_HINT = "an accession is SRR, ERR or DRR and 6 to 9 digits, such as SRR139146"
ASSEMBLY_HINT = "that of an assembly is GCA_ or GCF_, 9 digits and its version, such as GCA_000005845.2"
NO_RUN, NO_METADATA = "Not the accession of a run or an assembly", "Metadata not available"
RUNS_OF_A_REQUEST = 100
"""Runs and assemblies that count as one request."""
SUBMITTED, CALCULATED = "Submitted", "Signature already calculated"
MAX_QUEUED = 1_000_000
"""Queued jobs above which no more are taken from clients."""
MAX_QUEUED_OF_TOKEN = 100_000
"""The number of queued jobs that one token, or one user, may have requested."""


@dataclass(frozen=True)
class Answer:
    """The answer to a request for one run or assembly."""

    name: str
    status: str
    task: str = ""
    reason: str = ""
    sentence: str = ""
    hint: str = ""

    @property
    def code(self) -> int:
        """The status code: 404 if it is known to be unavailable."""
        return 404 if self.reason else 202

    def to_json(self) -> dict[str, str]:
        """Return the body: `status` always, the others if there are any."""
        values = {"status": self.status, "task_id": self.task, "reason": self.reason}
        values |= {"sentence": self.sentence, "hint": self.hint}
        return {key: value for key, value in values.items() if value}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        Route("/v1/compute", compute_many, methods=["POST"]),
        Route("/v1/compute/sra/{run}", compute_run, methods=["POST"]),
        Route("/v1/compute/genomes/{assembly}", compute_assembly, methods=["POST"]),
        Route("/compute/{run}", compute_run, methods=["POST"]),
    ]


@unguarded
async def compute_run(request: Request) -> Response:
    """Enqueue one run."""
    token = await authorized(request, Right.COMPUTE)
    return await enqueue_one(request, parse_run(request.path_params["run"]), token)


@unguarded
async def compute_assembly(request: Request) -> Response:
    """Enqueue one assembly."""
    token = await authorized(request, Right.COMPUTE)
    try:
        name = parse_assembly(request.path_params["assembly"])
    except UnknownAssembly as unknown:
        return CompactJSON(unknown.answer.to_json(), unknown.answer.code)
    return await enqueue_one(request, name, token)


async def enqueue_one(request: Request, name: Accession, token: Token) -> Response:
    """Enqueue one run or assembly; answer with its task."""
    force = parse_boolean(request, "recompute")
    services: Services = request.app.state.services
    [answer] = await run_in_threadpool(enqueue_runs, services, [name], token, force=force)
    root = request.scope.get("root_path", "")
    return CompactJSON(
        answer.to_json(), answer.code, {"Location": f"{root}/status/{answer.task}"} if answer.task else {}
    )


@unguarded
async def compute_many(request: Request) -> Response:
    """Enqueue many runs and assemblies; one that is enqueued already, or has a signature, is answered as such."""
    token = await authorized(request, Right.COMPUTE)
    document = await read_object(request)
    ids, force, group = text_list(document, "ids"), flag(document, "recompute"), text_of(document, "group")
    accessions = [accession for text in ids if (accession := public_accession(text)) is not None]
    services: Services = request.app.state.services
    services.limits.changes.check(token.name, "this token sends too many requests", len(accessions) / RUNS_OF_A_REQUEST)
    found = await run_in_threadpool(enqueue_runs, services, accessions, token, force=force, group=group)
    answers = {answer.name: answer.to_json() for answer in found}
    refused = {"status": NO_RUN, "reason": "invalid-accession"}
    rows = [{"id": text, **answers.get(text, refused)} for text in ids]
    counts = Counter(row["status"].partition(":")[0] for row in rows)
    return CompactJSON({"counts": dict(sorted(counts.items())), "answers": rows}, 202)


def parse_run(text: str) -> Accession:
    """Return the accession of a run.  Raises Problem 400."""
    check_pattern(text, PATTERN, RUN_HINT)
    try:
        return Accession.parse(text)
    except InvalidAccession as error:
        raise Problem(400, error.sentence, reason="invalid-accession", hint=error.hint) from None


class UnknownAssembly(Exception):
    """There can be no assembly with an accession, which has the right form."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.answer = Answer(text, NO_METADATA, reason="invalid-accession", hint=ASSEMBLY_HINT)


def parse_assembly(text: str) -> Accession:
    """Return the accession of an assembly.  Raises Problem 400 or UnknownAssembly."""
    check_pattern(text, ASSEMBLY_PATTERN, ASSEMBLY_HINT)
    try:
        return AssemblyAccession.parse(text)
    except InvalidAccession:
        raise UnknownAssembly(text) from None


def parse_id(text: str) -> Name:
    """Return an id of any database.  Raises Problem 400."""
    database = database_of(text)
    if database is not None and (name := database.parse(text)) is not None:
        return name
    return parse_run(text)


def check_pattern(text: str, pattern: str, hint: str) -> None:
    """Raise Problem 400, in the words of the earlier service, unless a text matches a pattern."""
    if re.fullmatch(pattern, text, re.ASCII):
        return
    schema = "{'type': 'string', 'pattern': '" + pattern.replace("\\", "\\\\") + "'}"
    raise Problem(
        400,
        f"{text[:100]!r} does not match {pattern!r}\n\nFailed validating 'pattern' in schema:\n    {schema}\n\n"
        f"On instance:\n    {text[:100]!r}",
        reason="invalid-accession",
        hint=hint,
    )


def parse_boolean(request: Request, name: str) -> bool:
    """Return a boolean of the query, false by default.  Raises Problem 400."""
    text = request.query_params.get(name, "false").lower()
    if text not in ("true", "false"):
        detail = f"Wrong type, expected 'boolean' for query parameter '{name}'"
        raise Problem(400, detail, reason="invalid", hint=f"give {name}=true or {name}=false")
    return text == "true"


def enqueue_runs(
    services: Services, names: Sequence[Accession], token: Token, *, force: bool = False, group: str = ""
) -> list[Answer]:
    """Enqueue what has no signature, or all with `force`.  Raises Problem 429 if the queue is full."""
    ledger = services.home.ledger
    selected_by = f"the token {token.name}"
    queued = sum(n for (state, _), n in ledger.counts.by_state().items() if state is JobState.QUEUED)
    if queued + len(names) > MAX_QUEUED:
        raise too_often("the queue is full", 600.0)
    if ledger.jobs.queued_by(selected_by, MAX_QUEUED_OF_TOKEN) + len(names) > MAX_QUEUED_OF_TOKEN:
        raise too_often(f"the token {token.name} has {MAX_QUEUED_OF_TOKEN:,} queued jobs, and may not have more", 600.0)
    requests = [JobRequest(Source(name), SRA_V1.name, group=group, selected_by=selected_by) for name in names]
    answers = enqueue(ledger, SignatureFinder(services.home.settings, ledger, SRA_V1), requests, force=force)
    home_id = ledger.controls.home_id()
    return [answer_of(answer, home_id) for answer in answers]


def answer_of(enqueued: Enqueued, home_id: str) -> Answer:
    """Return the answer to a client about an enqueued run or assembly."""
    name, task = enqueued.source.name, task_id(home_id, enqueued.job_id) if enqueued.job_id else ""
    if enqueued.status is EnqueueStatus.EXISTS:
        return Answer(str(name), CALCULATED)
    if enqueued.status is EnqueueStatus.UNAVAILABLE:
        reason = Reason(enqueued.reason)
        status = NO_METADATA if isinstance(name, AssemblyAccession) else f"Unavailable: {reason.sentence}"
        return Answer(str(name), status, task, str(reason), reason.sentence, reason.hint)
    return Answer(str(name), SUBMITTED, task)
