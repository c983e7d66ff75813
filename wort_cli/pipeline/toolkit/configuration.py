"""The SRA toolkit's configuration while wort runs its tools: the user's own, followed by what wort requires.

The toolkit reads the user's settings last, from ~/.ncbi/user-settings.mkfg or from the file that NCBI_SETTINGS names.
So the tools get a copy of that file with lines of wort at its end, which have the last word:

- nothing is cached: without them, streamed archives and references are copied into the user's repository;
- references that wort has fetched are found (archives/references.py);
- for files on disk, no request is made.

The file has a value for `/sra/quality_type`, because otherwise the toolkit writes one into it.

Source: ncbi-vdb libs/kfg/config.c (load_config_files), libs/vfs/{resolver,services-cache,manager}.c.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

NO_CACHE = (
    '/repository/user/cache-disabled = "true"',
    '/repository/user/main/public/cache-disabled = "true"',
    '/repository/user/main/public/cache-enabled = "false"',
)
NO_REQUESTS = ('/repository/remote/disabled = "true"',)
QUALITY_TYPE = "/sra/quality_type"
FETCHED = "references"
"""The root of the references that `wort fetch` wrote, below its directory."""
REFSEQ, WGS = "refseq", "wgs"
"""The directories of references below their root: complete sequences, and contigs of whole genome shotgun projects."""


def user_settings(environ: Mapping[str, str]) -> Path:
    """Return the path of the user's settings; the file need not exist."""
    if environ.get("NCBI_SETTINGS"):
        return Path(environ["NCBI_SETTINGS"])
    home = Path(environ.get("NCBI_HOME") or Path(environ.get("HOME") or "/") / ".ncbi")
    return home / "user-settings.mkfg"


def settings_text(user: str, references: Sequence[Path], *, offline: bool) -> str:
    """Return the settings for tools, from the text of the user's and the roots of fetched references."""
    lines = [user.rstrip("\n"), *NO_CACHE]
    if QUALITY_TYPE not in user:
        lines.append(f'{QUALITY_TYPE} = "raw_scores"')
    roots = [root for root in references if not {'"', "\\", "$", "\n"} & set(str(root))]
    if roots:
        lines.append('/repository/site/disabled = "false"')
    for number, root in enumerate(roots):
        repository = f"/repository/site/main/wort{number or ''}"
        lines += [
            f'{repository}/root = "{root}"',
            f'{repository}/apps/refseq/volumes/refseq = "{REFSEQ}"',
            f'{repository}/apps/wgs/volumes/wgsFlat = "{WGS}"',
        ]
    if offline:
        lines += NO_REQUESTS
    return "\n".join([*lines, ""])


class ToolkitSettings:
    """The settings files of a group of tools, in a directory of theirs; written when they are first needed."""

    def __init__(self, directory: Path, references: Sequence[Path] = ()) -> None:
        self._directory = directory
        self._references = references

    def environment(self, *, offline: bool) -> dict[str, str]:
        """Return the variables that make a tool use the settings.  Raises OSError if they cannot be written."""
        file = self._directory / ("offline.kfg" if offline else "online.kfg")
        if not file.exists():
            try:
                user = user_settings(os.environ).read_text(encoding="utf-8", errors="surrogateescape")
            except OSError:
                user = ""
            text = settings_text(user, self._references, offline=offline)
            unfinished = file.with_suffix(f".{os.getpid()}")
            unfinished.write_text(text, encoding="utf-8", errors="surrogateescape")
            unfinished.replace(file)
        variables = {"NCBI_SETTINGS": str(file)}
        if configuration := os.environ.get("NCBI_VDB_CONFIG"):  # replaces all other configuration, also the settings
            variables["NCBI_VDB_CONFIG"] = f"{configuration}:{file}"
        return variables
