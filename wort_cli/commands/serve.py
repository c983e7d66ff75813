"""`wort serve`: serves this home over HTTP.

The server and its packages are imported only here, when the command runs.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wort_cli.commands.shared.arguments.options import JsonOption
from wort_cli.commands.shared.arguments.selection import make_directories_if_possible
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BOOLEAN, PATH, PID, TEXT, Document, Field
from wort_cli.commands.shared.showing.printing import print_document
from wort_cli.errors import UsageError
from wort_cli.settings import load_settings

if TYPE_CHECKING:
    from wort_cli.web.options import ServeOptions

NICE, KILLED_BEFORE = 5, "500"
"""The niceness of a server that the daemon started, and what is added to its `oom_score_adj` (proc(5))."""
DOCUMENT = Document(
    "serve",
    "The server, when clients can connect.",
    head=(
        Field("url", PATH, "The URL of the server"),
        Field("pid", PID, "Its process"),
        Field("read_only", BOOLEAN, "Whether it refuses every request that changes something"),
        Field(
            "sign_in", TEXT, "Where the user of this machine signs in, once; null if others can reach it", optional=True
        ),
    ),
)


def serve(
    host: Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="Address to listen at.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="N", min=0, max=65535, help="Port to listen at; 0 for any free one.")
    ] = None,
    root_path: Annotated[
        str | None,
        typer.Option("--root-path", metavar="PATH", help="Path below which a reverse proxy shows the server."),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Refuse every request that changes something.")
    ] = False,
    behind_proxy: Annotated[
        bool,
        typer.Option(
            "--behind-proxy", help="All connections come from a reverse proxy, which encrypts and names the client."
        ),
    ] = False,
    rate: Annotated[
        int | None,
        typer.Option("--rate", metavar="N", min=0, help="Requests a second of one address; 0 for any number."),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate chain, in PEM, to encrypt with.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Key of that certificate.")] = None,
    log: Annotated[
        Path | None, typer.Option("--log", metavar="FILE", help="File for the log, instead of stderr; it is rotated.")
    ] = None,
    with_parent: Annotated[
        bool,
        typer.Option(
            "--with-parent", help="Stop with the process that started the server, and leave processor and memory to it."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve signatures over HTTP, as the public wort service does.

    The server listens at this machine only, at port 8082. Another --host needs --tls-cert and --tls-key, or
    --behind-proxy, and a token of `wort token`, or --read-only. Each option has a setting (`serve_port` for --port),
    which is used where the option is not given.
    Each request is logged to stderr as a line of JSON.
    """
    if with_parent:
        become_child()
    given: dict[str, Any] = {
        "serve_host": host,
        "serve_port": port,
        "serve_root_path": root_path,
        "serve_read_only": read_only or None,
        "serve_behind_proxy": behind_proxy or None,
        "serve_rate": rate,
        "serve_certificate": None if certificate is None else str(certificate),
        "serve_key": None if key is None else str(key),
    }
    settings = load_settings()
    settings = replace(settings, **{name: value for name, value in given.items() if value is not None})
    options_type, run, check_start = server_modules()
    options = options_type.of(settings)
    make_directories_if_possible(settings)
    if notice := check_start(settings, options, time.time()):
        render.notice(notice)
    run(settings, options, lambda url, link: announce(url, link, options.read_only, as_json=as_json), log)


def server_modules() -> tuple["type[ServeOptions]", Callable[..., None], Callable[..., str]]:
    """Return the options of a server, what runs it, and what checks who may use it.

    Raises UsageError if a package is not installed.
    """
    try:
        from wort_cli.web.options import ServeOptions
        from wort_cli.web.server import serve as run
        from wort_cli.web.start_check import check_start
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("wort_cli"):
            raise
        raise UsageError(
            f"`wort serve` needs the package {missing.name}", "install it with `pip install 'wort-cli[serve]'`"
        ) from None
    return ServeOptions, run, check_start


def announce(url: str, link: str, read_only: bool, *, as_json: bool) -> None:
    """Print where the server can be reached; it is printed when clients can connect."""
    if as_json:
        document = {"url": url, "pid": os.getpid(), "read_only": read_only, "sign_in": link or None}
        print_document(DOCUMENT, document)
        sys.stdout.flush()
    else:
        render.notice(f"serving {url}; Ctrl-C stops the server")
        if link:
            render.notice(f"sign in once, to queue and submit: {link}")


def become_child() -> None:
    """Stop with the daemon that started this process, and leave processor and memory to its jobs."""
    from wort_cli.system.parent import die_with

    die_with(os.getppid(), signal.SIGTERM)
    os.nice(NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(KILLED_BEFORE, encoding="ascii")
