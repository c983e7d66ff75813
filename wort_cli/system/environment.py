"""The environment of child processes: only the variables that they need.

Credentials, such as AWS_SECRET_ACCESS_KEY, are in the environment of wort for its own requests to S3.  A tool that
reads files of strangers does not get them.
"""

import os
from collections.abc import Iterator, Mapping

ANY_PROGRAM = frozenset({"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER", "WORT_HOME"})
"""WORT_HOME shows in a list of processes which home they belong to."""
ANY_PREFIX = ("LC_", "LD_")
NETWORK = frozenset(
    {
        *("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "all_proxy", "https_proxy", "http_proxy", "no_proxy"),
        *("SSL_CERT_DIR", "SSL_CERT_FILE"),
    }
)
SRA_TOOLKIT = ("NCBI_", "SRAPATH", "SRATOOLS_", "VDB_")
"""Prefixes of what the toolkit reads (ncbi-vdb, calls of getenv)."""
WORT = ("PYTHON", "WORT_", "XDG_")
"""Prefixes of what a process of wort needs to find its home and its settings."""

SECRETS = frozenset({"WORT_QUEUE_PASSWORD"})
"""Variables that no child process needs."""


def child_environment(prefixes: tuple[str, ...] = (), environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that a child process gets: those that any program needs, and those with the prefixes."""
    return dict(chosen(os.environ if environ is None else environ, (*ANY_PREFIX, *prefixes)))


def chosen(environ: Mapping[str, str], prefixes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the variables of an environment that a child process gets."""
    for name, value in environ.items():
        if name in ANY_PROGRAM or name in NETWORK or (name.startswith(prefixes) and name not in SECRETS):
            yield name, value
