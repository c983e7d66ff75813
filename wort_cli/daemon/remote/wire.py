"""The documents that the coordinator and the workers exchange: the board, beats, orders and answers.

All are JSON objects, read strictly, because every process with access to the queue can write one.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, NoReturn, Self

import wort_cli
from wort_cli.errors import WortError
from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.portable_spec import MAX_CONTENT, PortableSpec
from wort_cli.system.process_identity import ProcessIdentity

PROTOCOL = 1
"""The version of these documents."""
MAX_DOCUMENT = MAX_CONTENT * 3 // 2
"""Bytes of a document that has a signature in it; those of others are below MAX_SMALL."""
MAX_SMALL = 4_000_000
MAX_LOG = 20_000
"""Characters of a job's log that are sent with its result."""
MAX_JOBS = 1_000_000


def packed(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a document."""
    return json.dumps(document, separators=(",", ":")).encode()


def unpacked(data: bytes, most: int = MAX_SMALL) -> dict[str, Any]:
    """Return a JSON object.  Raises ValueError if the bytes are not one, or too many."""
    if len(data) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    try:
        found = json.loads(data, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    return found


def refuse(name: str) -> NoReturn:
    """Raise ValueError for NaN and Infinity."""
    raise ValueError(f"{name} is not JSON")


def of_kind(value: Any, kind: type, what: str) -> Any:
    """Return a value of exactly this type.  Raises ValueError."""
    if type(value) is not kind:
        raise ValueError(f"{what} is not of the type {kind.__name__}")
    return value


def short_text(value: Any, what: str, most: int = 500) -> str:
    """Return a text of bounded length.  Raises ValueError."""
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f"{what} is not a text of at most {most} characters")
    return value


def attempts_in(value: Any) -> dict[int, int]:
    """Return the attempts of jobs.  Raises ValueError."""
    if not isinstance(value, dict) or len(value) > MAX_JOBS:
        raise ValueError("the attempts are not an object")
    return {int(short_text(job, "a job", 20)): of_kind(attempt, int, "an attempt") for job, attempt in value.items()}


@dataclass(frozen=True)
class Board:
    """The document that the coordinator writes for all workers."""

    home: str
    """The id of the coordinator's home."""
    turn: int
    """Grows with each writing, so that a restored older board is noticed."""
    attempts: Mapping[int, int] = field(default_factory=dict)
    """The current attempt of each job that was sent to workers."""
    draining: tuple[str, ...] = ()
    """Workers that take no more jobs."""
    ended: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Jobs whose workspaces a worker keeps, and that have ended."""
    version: str = wort_cli.__version__
    protocol: int = PROTOCOL
    host: str = ""

    def pack(self) -> bytes:
        """Return the bytes of the board."""
        attempts = {str(job): attempt for job, attempt in self.attempts.items()}
        return packed({**asdict(self), "attempts": attempts, "ended": {key: list(v) for key, v in self.ended.items()}})

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the board.  Raises ValueError if it is invalid."""
        found = unpacked(data)
        if of_kind(found.get("protocol"), int, "the protocol") != PROTOCOL:
            # Only what every version has is read.
            return cls(
                short_text(found.get("home"), "the home"),
                0,
                version=short_text(found.get("version"), "the version"),
                protocol=found["protocol"],
            )
        if set(found) != {item.name for item in fields(cls)}:
            raise ValueError("it does not have the keys of a board")
        draining, ended = found["draining"], of_kind(found["ended"], dict, "what has ended")
        return cls(
            home=short_text(found["home"], "the home"),
            turn=of_kind(found["turn"], int, "the turn"),
            attempts=attempts_in(found["attempts"]),
            draining=tuple(short_text(name, "a worker") for name in of_kind(draining, list, "draining")),
            ended={
                short_text(name, "a worker"): tuple(of_kind(job, int, "a job") for job in of_kind(jobs, list, "jobs"))
                for name, jobs in ended.items()
            },
            version=short_text(found["version"], "the version"),
            host=short_text(found["host"], "the host"),
        )


@dataclass(frozen=True)
class Beat:
    """A heartbeat of a worker: the process `wort worker` on one host, with all its jobs."""

    worker: str
    """Its id: the place, and a number that is new with each start."""
    place: str
    """The place of a worker, where at most one runs: host, boot, namespace and home."""
    host: str
    process: ProcessIdentity
    number: int
    """Grows with each beat.  Silence is measured by when it changes, and no clock of another host is read."""
    home: str
    """The coordinator that it works for."""
    jobs: int
    """The number of jobs that it sketches at a time."""
    room: int
    """The number of jobs that it takes in all."""
    draining: bool = False
    running: Mapping[int, tuple[int, Progress | None]] = field(default_factory=dict)
    """The jobs that it has: their attempts and their progress."""
    kept: tuple[int, ...] = ()
    """Jobs whose workspaces it keeps for a later attempt."""
    version: str = wort_cli.__version__
    protocol: int = PROTOCOL

    def pack(self) -> bytes:
        """Return the bytes of the beat."""
        running = {
            str(job): [attempt, asdict(progress) if progress else None]
            for job, (attempt, progress) in self.running.items()
        }
        return packed({**asdict(replace(self, running={})), "running": running, "kept": list(self.kept)})

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the beat.  Raises ValueError if it is invalid, or of another protocol."""
        found = unpacked(data)
        if set(found) != {item.name for item in fields(cls)}:
            raise ValueError("it does not have the keys of a beat")
        try:
            process = ProcessIdentity.from_json(found["process"])
            running = {
                int(job): (of_kind(attempt, int, "an attempt"), progress_in(progress))
                for job, (attempt, progress) in of_kind(found["running"], dict, "what runs").items()
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a value is invalid: {error!r}"[:300]) from None
        values: dict[str, Any] = {
            **{key: short_text(found[key], key) for key in ("worker", "place", "host", "home", "version")},
            **{key: of_kind(found[key], int, key) for key in ("number", "jobs", "room", "protocol")},
        }
        return cls(
            process=process,
            **values,
            draining=of_kind(found["draining"], bool, "draining"),
            running=running,
            kept=tuple(of_kind(job, int, "a job") for job in of_kind(found["kept"], list, "kept")),
        )


def progress_in(value: Any) -> Progress | None:
    """Return a progress.  Raises ValueError, TypeError or KeyError if it is invalid."""
    if value is None:
        return None
    counts = {key: of_kind(value[key], int, key) for key in ("spots", "total", "bases")}
    if any(not 0 <= number < 1 << 62 for number in counts.values()):
        raise ValueError("a count of a progress is out of range")
    return Progress(short_text(value["stage"], "a stage", 50), at=float(value["at"]), **counts)


@dataclass(frozen=True)
class Order:
    """A job that a worker is to run."""

    home: str
    spec: PortableSpec

    def pack(self) -> bytes:
        """Return the bytes of the order."""
        return packed({"home": self.home, "protocol": PROTOCOL, "spec": self.spec.to_json()})

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the order.  Raises ValueError if it is invalid."""
        found = unpacked(data, MAX_DOCUMENT)
        if set(found) != {"home", "protocol", "spec"} or found["protocol"] != PROTOCOL:
            raise ValueError("it is not an order of this version")
        return cls(short_text(found["home"], "the home"), PortableSpec.from_json(found["spec"]))


@dataclass(frozen=True)
class Answer:
    """A worker's document at the end of an attempt: its result, or that it was returned."""

    host: str
    result: JobResult
    returned: str = ""
    """Why the worker did not continue; empty if there is a result."""
    content: str = ""
    """The signature in base64, unless the bucket has it."""
    log: str = ""
    """The end of the job's log."""

    def pack(self) -> bytes:
        """Return the bytes of the answer."""
        return packed(
            {
                "host": self.host,
                "result": self.result.to_json(),
                "returned": self.returned,
                "content": self.content,
                "log": self.log,
            }
        )

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the answer.  Raises ValueError if it is invalid."""
        found = unpacked(data, MAX_DOCUMENT)
        if set(found) != {item.name for item in fields(cls)}:
            raise ValueError("it does not have the keys of an answer")
        try:
            result = JobResult.from_json(found["result"])
            numbers = (result.job_id, result.attempt, result.work)
        except (KeyError, TypeError, AttributeError, WortError) as error:
            raise ValueError(f"its result is invalid: {error!r}"[:300]) from None
        if any(type(number) is not int for number in numbers):
            raise ValueError("its result is invalid")
        return cls(
            host=short_text(found["host"], "the host"),
            result=result,
            returned=short_text(found["returned"], "why it was returned"),
            content=short_text(found["content"], "the signature", MAX_CONTENT * 4 // 3 + 4),
            log=short_text(found["log"], "the log", MAX_LOG),
        )
