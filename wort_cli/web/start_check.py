"""Decides whether a server may start: one that others can reach needs a token or a user.

Without either, no client can change anything; that is allowed only with --read-only.
"""

from wort_cli.errors import UsageError
from wort_cli.settings import Settings
from wort_cli.web.access_file import Access, AccessFile, Right
from wort_cli.web.options import ServeOptions, is_loopback

CHANGES = frozenset(Right) - {Right.READ}
ADD = "`wort token add NAME` makes a token"


def check_start(settings: Settings, options: ServeOptions, now: float) -> str:
    """Return what the user should know of a server that may start; empty if that is nothing.  Raises UsageError."""
    access = AccessFile(settings.access_file).read()
    problem, hint = what_is_missing(access, options, now, is_closed=settings.serve_reading != "open")
    if problem and not is_loopback(options.host):
        raise UsageError(problem, hint)
    return f"{problem}; {hint}" if problem and options.behind_proxy else ""


def what_is_missing(access: Access, options: ServeOptions, now: float, *, is_closed: bool) -> tuple[str, str]:
    """Return why no client could use a server for its purpose, and a hint; empty if a client can."""
    if is_closed and not access.somebody_may({Right.READ}, now):
        return "no client could read through this server: no token has the right `read`", f"{ADD} with it"
    if not options.read_only and not access.somebody_may(CHANGES, now):
        return (
            "no client could change anything through this server: it has no token",
            f"{ADD}; --read-only serves without one",
        )
    return "", ""
