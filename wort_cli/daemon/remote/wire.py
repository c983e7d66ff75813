"""The documents that the coordinator and the workers exchange: the board, beats, orders and answers.

All are JSON objects, read strictly, because every process with access to the queue can write one.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

import wort_cli
from wort_cli.daemon.remote.values import (
    MAX_KEPT,
    MAX_ROOM,
    attempts_in,
    job_numbers,
    of_kind,
    packed,
    process_in,
    result_in,
    running_in,
    short_text,
    unpacked,
    whole,
)
from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.portable_spec import MAX_CONTENT, PortableSpec
from wort_cli.system.process_identity import ProcessIdentity

PROTOCOL = 1
"""The version of these documents."""
MAX_DOCUMENT = MAX_CONTENT * 3 // 2
"""Bytes of a document that has a signature in it; those of others are below MAX_SMALL."""
MAX_LOG = 20_000
"""Characters of a job's log that are sent with its result."""


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
        draining = of_kind(found["draining"], list, "draining")
        return cls(
            home=short_text(found["home"], "the home"),
            turn=whole(found["turn"], "the turn"),
            attempts=attempts_in(found["attempts"]),
            draining=tuple(short_text(name, "a worker") for name in draining),
            ended={
                short_text(name, "a worker"): job_numbers(jobs, "what has ended")
                for name, jobs in of_kind(found["ended"], dict, "what has ended").items()
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
        values: dict[str, Any] = {
            **{key: short_text(found[key], key) for key in ("worker", "place", "host", "home", "version")},
            **{key: whole(found[key], key) for key in ("number", "protocol")},
            **{key: whole(found[key], key, most=MAX_ROOM) for key in ("jobs", "room")},
        }
        return cls(
            process=process_in(found["process"]),
            **values,
            draining=of_kind(found["draining"], bool, "draining"),
            running=running_in(found["running"]),
            kept=job_numbers(found["kept"], "what is kept", MAX_KEPT),
        )


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
        return cls(
            host=short_text(found["host"], "the host"),
            result=result_in(found["result"]),
            returned=short_text(found["returned"], "why it was returned"),
            content=short_text(found["content"], "the signature", MAX_CONTENT * 4 // 3 + 4),
            log=short_text(found["log"], "the log", MAX_LOG),
        )
