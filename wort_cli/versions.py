"""Versions of wort, of the libraries that shape its signatures, and of tools."""

import re
from functools import cache

import wort_cli

TOOL_VERSION = re.compile(r"\d+\.\d+\.\d+")


def library_versions() -> dict[str, str]:
    """By name; cheap, nothing is imported."""
    return {"wort": wort_cli.__version__, **{name: library_version(name) for name in ("sourmash", "numpy")}}


@cache
def library_version(name: str) -> str:
    """The version of an installed library, as it was when this process first asked: it goes on with that one."""
    from importlib.metadata import version

    return version(name)


def tool_version(said: str) -> str:
    """The version in what a tool of the SRA toolkit answers to --version; '' if there is none."""
    found = TOOL_VERSION.search(said)
    return found.group() if found else ""
