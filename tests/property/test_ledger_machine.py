"""The ledger compared with a model: legal transitions, events, no lost job, one live job per key.

A key is a name and a subject: the signature to verify, or empty for the job that computes the name's signature.  Events
may be pruned.
"""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.builders import published, request
from tests.support.groups import assert_groups_are_counted
from tests.support.ledger_model import FAILURES, LEGAL, LIVE, LONG, RETRIABLE, SHORT, TRIES, ModelJob
from wort_cli.ledger.jobs import EnqueueStatus, JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.submissions import VerifyRequest
from wort_cli.model.accession import parse_name
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState, Progress, Source
from wort_cli.model.job_result import JobResult
from wort_cli.model.provenance import Trust
from wort_cli.model.verdict import Depth, Verdict
from wort_cli.upkeep.event_pruning import prune

NAMES = ["SRR000001", "SRR000002", "mine"]
GROUPS = ["", "plankton", "soil"]
SUBJECTS = ["submitted/d", "submitted/e"]


class LedgerMachine(RuleBasedStateMachine):
    """Does what commands and the coordinator do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.ledger = Ledger(Path(self.directory.name) / "ledger.db")
        self.jobs: dict[int, ModelJob] = {}
        self.signatures: set[str] = set()
        self.groups: dict[str, set[tuple[str, str]]] = {group: set() for group in GROUPS[1:]}
        self.paused: set[str] = set()

    def teardown(self) -> None:
        self.ledger.close()
        self.directory.cleanup()

    def latest(self, name: str) -> int | None:
        return self.latest_of((name, ""))

    def latest_of(self, key: tuple[str, str]) -> int | None:
        return max((number for number, job in self.jobs.items() if job.key == key), default=None)

    def pick(self, data: st.DataObject) -> int:
        """Return the id of a job, or one that does not exist."""
        return data.draw(st.sampled_from([*sorted(self.jobs), 10_000]))

    @initialize(name=st.sampled_from(NAMES))
    def begin(self, name: str) -> None:
        self.submit(name, 0, "", False, False)

    @rule(
        name=st.sampled_from(NAMES),
        priority=st.integers(-3, 3),
        group=st.sampled_from(GROUPS),
        force=st.booleans(),
        dry_run=st.booleans(),
    )
    def submit(self, name: str, priority: int, group: str, force: bool, dry_run: bool) -> None:
        (answer,) = self.ledger.jobs.enqueue([request(name, None, priority, group)], force=force, dry_run=dry_run)
        number = self.latest(name)
        job = self.jobs[number] if number is not None else None
        if job and job.state in LIVE:
            assert (answer.status, answer.job_id) == (EnqueueStatus.LIVE, number)
            if not dry_run:
                job.priority = max(job.priority, priority)
        elif name in self.signatures and not force:
            assert answer.status is EnqueueStatus.EXISTS
        elif job and job.state == "unavailable" and not force:
            assert (answer.status, answer.job_id) == (EnqueueStatus.UNAVAILABLE, number)
        else:
            assert answer.status is EnqueueStatus.QUEUED
            if dry_run:
                assert answer.job_id is None
            elif job and job.state in RETRIABLE:
                assert answer.job_id == number
                self.requeue_ended(job)
                job.priority = max(job.priority, priority)
            else:
                assert answer.job_id is not None
                assert answer.job_id > max(self.jobs, default=0)
                self.jobs[answer.job_id] = ModelJob(name, priority)
        if group and not dry_run:
            self.groups[group].add((name, ""))

    @rule(
        name=st.sampled_from(NAMES[:2]),
        subject=st.sampled_from(SUBJECTS),
        depth=st.sampled_from(list(Depth)),
        priority=st.integers(-3, 3),
        group=st.sampled_from(GROUPS),
    )
    def verify(self, name: str, subject: str, depth: Depth, priority: int, group: str) -> None:
        """A verification may be live beside the job that computes; each signature has at most one live verification."""
        path = f"{subject}/{name}.sig"
        asked = VerifyRequest(Source(parse_name(name)), "sra-v1", path, "d" * 64, depth, priority, group)
        (number,) = self.ledger.submissions.enqueue_verifications([asked])
        latest = self.latest_of((name, path))
        if latest is not None and self.jobs[latest].state in LIVE:
            assert number == latest
            self.jobs[latest].priority = max(self.jobs[latest].priority, priority)
            if self.jobs[latest].state in ("queued", "waiting") and depth is Depth.FULL:
                self.jobs[latest].depth = "full"
        else:
            assert number > max(self.jobs, default=0)
            self.jobs[number] = ModelJob(name, priority, path, str(depth))
        if group:
            self.groups[group].add((name, path))

    @rule(data=st.data(), trust=st.sampled_from([Trust.VERIFIED, Trust.MISMATCH]))
    def finish_verification(self, data: st.DataObject, trust: Trust) -> None:
        """A verification with a verdict is done, whatever the verdict."""
        verifications = [number for number, job in self.jobs.items() if job.subject]
        assume(verifications)
        number = data.draw(st.sampled_from(sorted(verifications)))
        attempt = self.attempt_of(data, number)
        verdict = Verdict(trust, Depth.FULL, "")
        ended = self.ledger.attempts.finish(JobResult(number, attempt, verdict=verdict), LONG)
        assert (ended is JobState.DONE) is self.is_current(number, attempt)
        if ended:
            self.jobs[number].move("done")
            assert self.ledger.jobs.get(number).verdict is trust

    @rule(group=st.sampled_from(GROUPS[1:]), again=st.booleans())
    def cancel_or_retry_group(self, group: str, again: bool) -> None:
        which = self.ledger.jobs.ids(JobFilter(group=group))
        mine = {number: self.jobs[number] for number in which}
        stored = {(str(member.name), "") for member in self.ledger.groups.stored_members(group)}
        assert {job.key for job in mine.values()} | stored == self.groups[group]
        assert all(name in self.signatures for name, _ in stored)
        assert sum(self.ledger.counts.by_state(group).values()) == len(self.groups[group])
        if again:
            chosen = [n for n, job in mine.items() if job.state in RETRIABLE and self.latest_of(job.key) == n]
            chosen += [n for n, job in mine.items() if job.state == "waiting"]
            assert self.ledger.jobs.retry(which) == len(chosen)
            for number in chosen:
                self.requeue_ended(self.jobs[number])
        else:
            live = [job for job in mine.values() if job.state in LIVE]
            assert self.ledger.jobs.cancel(which) == len(live)
            for job in live:
                job.move("cancelled")

    @rule(keep=st.integers(4, 8))
    def prune_events(self, keep: int) -> None:
        """Pruning keeps the events that explain the state of a job and count its tries."""
        for job in self.jobs.values():
            job.prune(keep)
        sum(prune(self.ledger.storage, keep, 10**6))

    @rule()
    def prune_old_events(self) -> None:
        """Pruning of old events keeps the last one of ended jobs and all of live jobs."""
        sum(prune(self.ledger.storage, 10**6, 1))
        events = {number: len(self.ledger.jobs.events(number)) for number in self.jobs}
        total = sum(len(job.path) for job in self.jobs.values())
        for number, job in self.jobs.items():
            if total > 1 and job.state not in LIVE:
                job.path = job.path[-1:]
            assert events[number] == len(job.path)

    def requeue_ended(self, job: ModelJob) -> None:
        job.move("queued")

    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        number = self.pick(data)
        job = self.jobs.get(number)
        claimed = self.ledger.attempts.claim(number, "me", 60)
        if job is None or job.state not in ("queued", "waiting"):
            assert claimed is None
            return
        if job.state == "waiting":
            job.move("queued")
        job.attempt += 1
        job.move("running")
        assert claimed is not None
        assert (claimed.id, claimed.attempt, claimed.state) == (number, job.attempt, JobState.RUNNING)

    @rule()
    def claim_next(self) -> None:
        held = {key for group in self.paused for key in self.groups[group]}
        queued = {number: job for number, job in self.jobs.items() if job.state == "queued" and job.key not in held}
        order = sorted((-job.priority, number) for number, job in queued.items())
        assert self.ledger.jobs.next_jobs(100) == [number for _, number in order]
        for _, number in order[:1]:
            assert self.ledger.attempts.claim(number, "daemon", 60)
            self.jobs[number].attempt += 1
            self.jobs[number].move("running")

    def is_current(self, number: int, attempt: int) -> bool:
        job = self.jobs.get(number)
        return job is not None and job.state == "running" and job.attempt == attempt

    def attempt_of(self, data: st.DataObject, number: int) -> int:
        """Return the running attempt in most cases, else an earlier or later one."""
        now = self.jobs[number].attempt if number in self.jobs else 1
        return max(0, now - data.draw(st.sampled_from([0, 0, 0, 0, 1, -1])))

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        number = self.pick(data)
        assume(number not in self.jobs or not self.jobs[number].subject)
        attempt = self.attempt_of(data, number)
        name = self.jobs[number].name if number in self.jobs else "gone"
        ended = self.ledger.attempts.finish(JobResult(number, attempt, published=published(name)), LONG)
        assert (ended is JobState.DONE) is self.is_current(number, attempt)
        if ended:
            self.jobs[number].move("done")
            self.signatures.add(name)

    @rule(data=st.data(), reason=st.sampled_from(sorted(FAILURES)), lasting=st.booleans(), short=st.booleans())
    def fail(self, data: st.DataObject, reason: str, lasting: bool, short: bool) -> None:
        number = self.pick(data)
        attempt = self.attempt_of(data, number)
        failure = Failure(Reason(reason), "why", lasting)
        ended = self.ledger.attempts.finish(JobResult(number, attempt, failure=failure), SHORT if short else LONG)
        if not self.is_current(number, attempt):
            assert ended is None
            return
        job, (state, kind) = self.jobs[number], FAILURES[reason]
        if state == "waiting" and (lasting or job.failures(kind) + 1 >= TRIES[kind]):
            state = "failed"
        assert ended == state
        job.move(state, kind if state == "waiting" else "")
        if state == "waiting":
            job.due = short

    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        number = self.pick(data)
        if number not in self.jobs:
            return
        attempt = self.attempt_of(data, number)
        given = self.ledger.attempts.requeue(number, attempt, "lost")
        assert given is self.is_current(number, attempt)
        if given:
            self.jobs[number].move("queued")

    @rule(data=st.data())
    def report(self, data: st.DataObject) -> None:
        number = self.pick(data)
        attempt = self.attempt_of(data, number)
        self.ledger.attempts.report_progress(number, attempt, Progress("sketching", 1, 2, 3, 4.0))
        if self.is_current(number, attempt):
            self.jobs[number].progress = True

    @rule(data=st.data())
    def extend(self, data: st.DataObject) -> None:
        number = self.pick(data)
        attempt = self.attempt_of(data, number)
        assert self.ledger.attempts.extend_lease(number, attempt, 60) is self.is_current(number, attempt)

    @rule()
    def wake(self) -> None:
        due = [job for job in self.jobs.values() if job.state == "waiting" and job.due]
        assert self.ledger.attempts.wake() == len(due)
        for job in due:
            job.move("queued")

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        number = self.pick(data)
        job = self.jobs.get(number)
        live = job is not None and job.state in LIVE
        assert self.ledger.jobs.cancel([number]) == int(live)
        if job and live:
            job.move("cancelled")

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        number = self.pick(data)
        job = self.jobs.get(number)
        ended = job is not None and job.state in RETRIABLE and self.latest_of(job.key) == number
        retriable = ended or (job is not None and job.state == "waiting")
        assert self.ledger.jobs.retry([number]) == int(retriable)
        if job and retriable:
            self.requeue_ended(job)

    @rule()
    def reopen(self) -> None:
        self.ledger.close()

    @invariant()
    def the_jobs_are_those_of_the_model(self) -> None:
        found = {job.id: job for job in self.ledger.jobs.matching(JobFilter())}
        assert found.keys() == self.jobs.keys()
        for number, model in self.jobs.items():
            job = found[number]
            assert (job.name, job.state, job.attempt, job.priority, job.subject, job.depth) == (
                model.name, model.state, model.attempt, model.priority, model.subject, model.depth,
            )  # fmt: skip
            assert set(job.groups) <= {group for group, members in self.groups.items() if model.key in members}
            assert (job.progress is not None) is model.progress
            assert (job.owner != "") is (job.lease_until is not None) is (model.state == "running")
            assert (job.wait_until is not None) is (model.state == "waiting")
            assert (job.ended_at is not None) is (model.state not in LIVE)

    @invariant()
    def groups_agree_with_their_jobs(self) -> None:
        assert_groups_are_counted(self.ledger)

    @rule(group=st.sampled_from(GROUPS[1:]), resume=st.booleans())
    def pause_or_resume(self, group: str, resume: bool) -> None:
        if resume:
            assert self.ledger.controls.resume_group(group) is (group in self.paused)
            self.paused.discard(group)
        else:
            self.ledger.controls.pause_group(group)
            self.paused.add(group)

    @invariant()
    def each_key_has_at_most_one_live_job(self) -> None:
        live = Counter(
            (job.name, job.kind, job.subject) for job in self.ledger.jobs.matching(JobFilter()) if job.state.is_live
        )
        assert all(number == 1 for number in live.values())

    @invariant()
    def events_are_one_chain_of_legal_transitions(self) -> None:
        for number, model in self.jobs.items():
            events = self.ledger.jobs.events(number)
            moves = [(event.before, event.after) for event in events]
            assert moves == [(before, after) for before, after, _ in model.path]
            assert moves[-1][1] == model.state
            assert set(moves) <= LEGAL
            assert [event.attempt for event in events] == sorted(event.attempt for event in events)

    @invariant()
    def signatures_of_done_jobs_are_in_the_catalog(self) -> None:
        assert self.ledger.catalog.count() == len(self.signatures)
        assert sum(self.ledger.counts.by_state().values()) == len(self.jobs)


LedgerMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestLedgerAgainstModel = LedgerMachine.TestCase
