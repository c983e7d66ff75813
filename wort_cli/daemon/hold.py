"""Whether further jobs may begin: asked anew once a second, told in the log when the answer changes."""

import logging
import time

from wort_cli.reserve import why_none_begins_here
from wort_cli.settings import Settings

LOOK_EVERY = 1.0
"""Seconds."""

log = logging.getLogger(__name__)


class Hold:
    """Holds jobs back while a disk is low or the load is high."""

    def __init__(self) -> None:
        self.why = ""
        """Why no job begins; '' if one may."""
        self._looked_at = float("-inf")

    def now(self, settings: Settings) -> str:
        """Why no job begins now; '' if one may."""
        if time.monotonic() - self._looked_at < LOOK_EVERY:
            return self.why
        self._looked_at = time.monotonic()
        try:
            why = why_none_begins_here(settings)
        except OSError as error:
            why = f"no job begins: a disk can't be looked at: {error}"
        if bool(why) != bool(self.why):
            log.warning("%s", why or "jobs begin again")
        self.why = why
        return why
