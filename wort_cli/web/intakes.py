"""Checks signatures that were submitted at the page of the server, while the person looks at the page of the intake.

Each check is recorded in the ledger, so that the page shows how far it is, and later why it was refused.
"""

import asyncio
import secrets
import time
from contextlib import ExitStack
from dataclasses import replace

from starlette.concurrency import run_in_threadpool

from wort_cli.api.submitting import submit_and_verify
from wort_cli.errors import StorageProblem, WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.intake import Intake, IntakeState
from wort_cli.reading.checks import Check
from wort_cli.reading.refusal import SubmissionRefused
from wort_cli.submission.intake import Claims, SourceUnreachable
from wort_cli.web.errors import LOG
from wort_cli.web.served_home import ServedHome

MOST_WAITING = 20
"""Signatures that are checked, or wait for that."""


class Intakes:
    """The intakes of a server.  Its methods run in the server's loop."""

    def __init__(self, home: ServedHome, sandboxes: asyncio.Semaphore) -> None:
        self._home = home
        self._sandboxes = sandboxes
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def is_full(self) -> bool:
        """Whether so many are checked that no other is taken."""
        return len(self._tasks) >= MOST_WAITING

    def has(self, intake_id: str) -> bool:
        """Return whether an intake is being checked by this server."""
        return intake_id in self._tasks

    async def begin(self, claims: Claims, origin: str, source: str, held: ExitStack) -> Intake:
        """Record an intake, and begin to check it: a file, or what is at a URL.  `held` is closed when that is done."""
        intake = Intake(secrets.token_urlsafe(12), claims.submitter, origin, time.time())
        with held as stack:
            await run_in_threadpool(lambda: self._home.ledger.intakes.add(intake))
            run = self._run(intake, claims, source, stack.pop_all())
            self._tasks[intake.id] = asyncio.get_running_loop().create_task(run)
        return intake

    async def _run(self, intake: Intake, claims: Claims, source: str, held: ExitStack) -> None:
        try:
            async with self._sandboxes:
                await run_in_threadpool(self._check, intake, claims, source)
        except Exception as error:
            LOG.error("intake %s: %s", intake.id, error, exc_info=not isinstance(error, WortError))
        finally:
            del self._tasks[intake.id]
            await run_in_threadpool(held.close)

    def _check(self, intake: Intake, claims: Claims, source: str) -> None:
        """Check a signature, and record the result."""
        ledger, settings = self._home.ledger, self._home.settings
        step = Check.RECEIVED

        def report(check: Check) -> None:
            nonlocal step
            step = check
            ledger.intakes.step(intake.id, check)

        try:
            accepted, _ = submit_and_verify(
                source, claims, ledger, settings, shown_as=f"{intake.origin}, by {intake.submitter}", report=report
            )
        except SubmissionRefused as error:
            found = error.refusal
            ended = replace(
                intake, state=IntakeState.REFUSED, step=found.check, why=found.why, place=found.where, hint=found.hint
            )
        except SourceUnreachable as error:
            ended = replace(intake, state=IntakeState.FAILED, step=step, why=error.sentence, hint=error.hint)
        except WortError as error:
            self._record(ledger, replace(intake, state=IntakeState.FAILED, step=step, why=sentence_for(error)))
            raise
        else:
            ended = replace(intake, state=IntakeState.ACCEPTED, digest=accepted.digest, name=str(accepted.name))
        self._record(ledger, ended)

    def _record(self, ledger: Ledger, intake: Intake) -> None:
        ledger.intakes.end(replace(intake, ended_at=time.time()))


def sentence_for(error: WortError) -> str:
    """Return the sentence that a client gets about a problem of the server; it names none of its files."""
    if isinstance(error, StorageProblem):
        return "the server cannot use its storage now"
    return "the server has a problem, which its log describes"
