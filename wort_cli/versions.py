"""Versions of wort, of the libraries that determine its signatures, and of tools."""

import re
import sys
from functools import cache
from pathlib import Path

import wort_cli

TOOL_VERSION = re.compile(r"\d+\.\d+\.\d+")


def library_versions() -> dict[str, str]:
    """Return the versions of wort, sourmash and numpy, by name, without importing the libraries."""
    return {"wort": wort_cli.__version__, **{name: library_version(name) for name in ("sourmash", "numpy")}}


@cache
def library_version(name: str) -> str:
    """Return the version of an installed library.

    It is cached, because a process keeps using a library that is upgraded while it runs.  It is in the name of a
    directory beside the library; importlib.metadata, which takes 10 ms to import, is used only if none is found.
    """
    for directory in sys.path:
        for found in Path(directory).glob(f"{name}-*.dist-info"):
            if (found / "METADATA").is_file():
                return found.name.removesuffix(".dist-info").removeprefix(f"{name}-")
    from importlib.metadata import version

    return version(name)


def tool_version(output: str) -> str:
    """Return the version in the output of a tool with --version; '' if there is none."""
    found = TOOL_VERSION.search(output)
    return found.group() if found else ""
