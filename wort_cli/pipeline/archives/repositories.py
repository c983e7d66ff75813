"""The directories in which the user's SRA configuration keeps archives.

srapath(1) finds `ACC.sra` and `ACC.sralite` in them; here they are searched for the other layouts too (on_disk.py).
vdb-config(1) prints the configuration.  It would also write one into the user's home if there is none, but what tools
get is a copy (toolkit/configuration.py).
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from wort_cli.pipeline.toolkit.tools import ToolGroup

VALID_FOR = 300.0
"""Seconds for which the directories are remembered: the configuration seldom changes."""
VARIABLES = ("VDB_CONFIG", "NCBI_SETTINGS", "NCBI_HOME", "HOME")

remembered: dict[tuple[str | None, ...], tuple[float, tuple[Path, ...]]] = {}
"""By the variables that determine the configuration: when the directories were read, and the directories."""


def repository_directories(tools: ToolGroup, deadline: float) -> tuple[Path, ...]:
    """Return the directories that may have archives; none if there is no configuration.  Raises TimeoutError."""
    key = tuple(os.environ.get(name) for name in VARIABLES)
    read_at, directories = remembered.get(key, (-VALID_FOR, ()))
    if time.monotonic() - read_at > VALID_FOR:
        directories = read_directories(tools, deadline)
        remembered[key] = time.monotonic(), directories
    return directories


def read_directories(tools: ToolGroup, deadline: float) -> tuple[Path, ...]:
    """Ask vdb-config for the repositories; none if it fails."""
    if shutil.which("vdb-config") is None:
        return ()
    run = tools.run(["vdb-config", "repository"], deadline - time.monotonic(), offline=True)
    return tuple(dict.fromkeys(directories_in(run.stdout))) if run.returncode == 0 else ()


def directories_in(configuration: str) -> Iterator[Path]:
    """Yield the directories of archives in the XML that vdb-config prints: the volumes of each repository, its root."""
    with contextlib.suppress(ElementTree.ParseError):
        for repository in ElementTree.fromstring(configuration).iter():  # noqa: S314 (the user's own)
            root = (repository.findtext("root") or "").strip()
            if not root.startswith("/") or repository.findtext("disabled") == "true":
                continue
            for volume in repository.iterfind("apps/sra/volumes/*"):
                for name in filter(None, (volume.text or "").strip().split(":")):
                    yield Path(root, name)
            yield Path(root)
