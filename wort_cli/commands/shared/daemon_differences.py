"""Says that the daemon has other settings than the user's shell."""

import os

from wort_cli.commands.shared import render
from wort_cli.health.daemon_view import differences
from wort_cli.settings import Settings


def notice_differences(settings: Settings) -> None:
    """Write to stderr the names of settings and variables that the daemon has with other values; it must be running."""
    names = [difference.name for difference in differences(settings, os.environ)]
    if names:
        render.notice(f"the daemon has other values than this shell of: {', '.join(names)}; `wort doctor` shows them")
