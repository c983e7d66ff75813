"""The directories in which the user's SRA configuration keeps archives.

srapath(1) finds `ACC.sra` and `ACC.sralite` in them; here they are searched for the other layouts too (on_disk.py).
vdb-config(1) prints the configuration.  It would also write one into the user's home if there is none, but what tools
get is a copy (toolkit/configuration.py).  It is asked again when a file of the configuration has changed.

Sources: ncbi-vdb libs/kfg/config.c (load_config_files), libs/vfs/resolver.c (the names of the volumes).
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from wort_cli.pipeline.toolkit.configuration import user_settings
from wort_cli.pipeline.toolkit.tool_versions import file_identity
from wort_cli.pipeline.toolkit.tools import ToolGroup

VALID_FOR = 300.0
"""Seconds for which the directories are remembered at most: the toolkit may have files that are not known here."""
VARIABLES = ("VDB_CONFIG", "NCBI_VDB_CONFIG", "NCBI_SETTINGS", "NCBI_HOME", "HOME")
SYSTEM = "/etc/ncbi"
"""The directory of the configuration of all users."""
KNOWN_VOLUMES = frozenset({"sraFlat", "sraAd"})
"""Volumes whose files are where on_disk.py looks: below the directory itself, or below one for each run."""


@dataclass(frozen=True)
class Repositories:
    """Where the user's SRA configuration keeps archives."""

    directories: tuple[Path, ...] = ()
    needs_srapath: bool = False
    """Whether only srapath can tell which files there are: the configuration is unknown, or has other volumes."""


remembered: dict[object, tuple[float, Repositories]] = {}
"""The time of reading and the result, by the state of the configuration."""


def find_repositories(tools: ToolGroup, deadline: float) -> Repositories:
    """Return the repositories of the user.  Raises TimeoutError."""
    key = configuration_state()
    read_at, repositories = remembered.get(key, (-VALID_FOR, Repositories()))
    if time.monotonic() - read_at > VALID_FOR:
        repositories = read_repositories(tools, deadline)
        remembered.clear()
        remembered[key] = time.monotonic(), repositories
    return repositories


def configuration_state() -> object:
    """Return a value that changes with the variables and the files that determine the configuration."""
    environ = {name: os.environ.get(name) or "" for name in VARIABLES}
    listed = [name for key in ("VDB_CONFIG", "NCBI_VDB_CONFIG") for name in environ[key].split(":") if name]
    settings = user_settings(os.environ)
    files: list[object] = [file_identity(shutil.which("vdb-config")), *environ.items()]
    for path in map(Path, (*listed, SYSTEM, str(settings.parent), str(settings))):
        with contextlib.suppress(OSError):
            files.append(file_identity(str(path)))
            for file in sorted(path.glob("*.kfg")) if path.is_dir() else ():
                files.append(file_identity(str(file)))
    return tuple(files)


def read_repositories(tools: ToolGroup, deadline: float) -> Repositories:
    """Ask vdb-config for the repositories."""
    if shutil.which("vdb-config") is None:
        return Repositories(needs_srapath=True)
    run = tools.run(["vdb-config", "repository"], deadline - time.monotonic(), offline=True)
    return parse_repositories(run.stdout) if run.returncode == 0 else Repositories(needs_srapath=True)


def parse_repositories(configuration: str) -> Repositories:
    """Return the repositories in the XML that vdb-config prints: the volumes of each, and its root."""
    directories: list[Path] = []
    others: set[str] = set()
    try:
        found = list(repositories_in(configuration))
    except ElementTree.ParseError:
        return Repositories(needs_srapath=True)
    for root, repository in found:
        for volume in repository.iterfind("apps/sra/volumes/*"):
            names = [name for name in (volume.text or "").strip().split(":") if name]
            directories += [Path(root, name) for name in names]
            others |= {volume.tag} - KNOWN_VOLUMES if names else set()
        directories.append(Path(root))
    return Repositories(tuple(dict.fromkeys(directories)), bool(others))


def repositories_in(configuration: str) -> Iterator[tuple[str, ElementTree.Element]]:
    """Yield the root and the node of each repository that is enabled and has an absolute root."""
    for repository in ElementTree.fromstring(configuration).iter():  # noqa: S314 (the user's own)
        root = (repository.findtext("root") or "").strip()
        if root.startswith("/") and repository.findtext("disabled") != "true":
            yield root, repository
