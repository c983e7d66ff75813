"""Says where the daemon runs, if that is not here, and that it has other settings than the user's shell."""

import os

from wort_cli.commands.shared.showing import render
from wort_cli.health.daemon_view import differences
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import running_daemon


def notice_differences(settings: Settings) -> None:
    """Write to stderr where the daemon runs, and which settings and variables it has with other values.

    Call it only if the daemon is running.
    """
    daemon = running_daemon(settings.lock_file)
    if daemon is not None and daemon.where:
        render.notice(f"the daemon (process {daemon.pid}) runs {daemon.where}")
    names = [difference.name for difference in differences(settings, os.environ)]
    if names:
        render.notice(f"the daemon has other values than this shell of: {', '.join(names)}; `wort doctor` shows them")
