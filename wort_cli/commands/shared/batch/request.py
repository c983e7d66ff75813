"""The request of a batch: its tasks, the resources of each, and what they share."""

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wort_cli.errors import UsageError, shown
from wort_cli.model.s3_target import S3Target

NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_]+")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@,+-]{0,250}")
"""The names of partitions, queues and images, which no template has to quote."""
SIZE = re.compile(r"([1-9][0-9]{0,5})([MG])")
MEGABYTE = 1 << 20
DEFAULT_MEMORY = 4 << 30
"""Bytes; enough for plain runs of some 10 Gbp.  A run that needs more is reported as `waiting`, with what it needs."""
UNITS = {"M": MEGABYTE, "G": 1 << 30}


@dataclass(frozen=True)
class Batch:
    """The tasks of a batch, checked."""

    directory: Path
    """Its absolute path."""
    name: str
    tasks: int
    cores: int
    memory: int
    """Bytes that each task may use; 0 if the user does not say."""
    seconds: int
    """The time limit of each task; 0 for no limit."""
    tries: int
    """The largest number of attempts at a task."""
    program: str
    """The path of wort."""
    variables: Mapping[str, str]
    """Environment variables of the tasks: the settings that this shell sets, and the store."""
    has_config: bool
    """Whether the directory has a copy of config.toml."""
    store: S3Target
    """The bucket that the tasks share."""
    partition: str = ""
    """The partition of Slurm, or the queue of another engine."""
    image: str = ""
    """The name of a container's image."""
    base_image: str = ""
    """The image that it is made from."""
    role: str = ""
    """The ARN of the role of AWS that the tasks have."""
    options: tuple[str, ...] = ()
    """More options of `wort compute`."""

    @property
    def megabytes(self) -> int:
        """The memory of each task in MiB, rounded up; a default if none was given, for engines that require a value."""
        return math.ceil((self.memory or DEFAULT_MEMORY) / MEGABYTE)


@dataclass(frozen=True)
class Step:
    """A command with which the user continues."""

    what: str
    command: str


@dataclass(frozen=True)
class Written:
    """The output of an engine's module: files by their paths in the directory, and how to start them."""

    files: Mapping[str, str]
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    """Sentences for the user."""


def command(*words: object) -> str:
    """Return a command line for a shell."""
    return " ".join(shlex.quote(str(word)) for word in words)


def name_of(directory: Path) -> str:
    """Return the name of a batch: that of its directory, with the characters that every engine allows."""
    return NOT_IN_NAME.sub("-", directory.name)[:100].strip("-") or "wort"


def checked_word(text: str, option: str) -> str:
    """Return the name of a partition, a queue or an image, or an empty text; UsageError if it cannot be one."""
    if text and not WORD.fullmatch(text):
        raise UsageError(f"{option} {shown(text)} is not a name", "letters, digits and . : / @ , + _ - are allowed")
    return text


def parse_size(text: str, option: str) -> int:
    """Return the bytes of a size such as 4G; UsageError if it is malformed."""
    found = SIZE.fullmatch(text)
    if not found:
        raise UsageError(f"{option} {shown(text)} is not a size", "give a size such as 900M or 4G")
    return int(found[1]) * UNITS[found[2]]
