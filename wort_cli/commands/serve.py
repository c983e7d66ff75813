"""`wort serve`: serves this home over HTTP.

The server and its packages are imported only here, when the command runs.
"""

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.commands.shared.arguments.options import JsonOption
from wort_cli.commands.shared.arguments.selection import make_directories_if_possible
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BOOLEAN, PATH, PID, TEXT, Document, Field
from wort_cli.commands.shared.showing.printing import print_document
from wort_cli.errors import UsageError
from wort_cli.settings import load_settings

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
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="Port to listen at; 0 for any free one.")
    ] = 8082,
    root_path: Annotated[
        str, typer.Option("--root-path", metavar="PATH", help="Path below which a reverse proxy shows the server.")
    ] = "",
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
        int, typer.Option("--rate", metavar="N", min=0, help="Requests a second of one address; 0 for any number.")
    ] = 500,
    certificate: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate chain, in PEM, to encrypt with.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Key of that certificate.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Serve signatures over HTTP, as the public wort service does.

    The server listens at this machine only. Another --host needs --tls-cert and --tls-key, or --behind-proxy, and a
    token of `wort token`, or --read-only.
    Each request is logged to stderr as a line of JSON.
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
    options = ServeOptions(host, port, root_path, read_only, behind_proxy, rate, certificate, key)
    settings = load_settings()
    make_directories_if_possible(settings)
    if notice := check_start(settings, options, time.time()):
        render.notice(notice)
    run(settings, options, lambda url, link: announce(url, link, options.read_only, as_json=as_json))


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
