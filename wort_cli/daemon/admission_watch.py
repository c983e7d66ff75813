"""Whether further jobs may begin: asked anew once a second, told in the log when the answer changes."""

import logging
import time

from wort_cli.health.admission import disks_of, unwritable_directory, why_blocked_now
from wort_cli.settings import Settings

LOOK_EVERY = 1.0
PROVE_EVERY, PROVE_BROKEN_EVERY = 30.0, 5.0
"""Seconds between proofs that the disks can be written: usually, and while one can't be."""

log = logging.getLogger(__name__)


class AdmissionWatch:
    """Holds jobs back while a disk is low or breaking, or the load is high."""

    def __init__(self) -> None:
        self.why = ""
        """Why no job begins; '' if one may."""
        self.damage = ""
        """Which disk is breaking, if one is."""
        self._looked_at = self._proved_at = float("-inf")

    def now(self, settings: Settings) -> str:
        """Why no job begins now; '' if one may."""
        if time.monotonic() - self._looked_at < LOOK_EVERY:
            return self.why
        self._looked_at = time.monotonic()
        try:
            self._prove(settings)
            why = f"no job begins: {self.damage}" if self.damage else why_blocked_now(settings)
        except OSError as error:
            why = f"no job begins: a disk can't be looked at: {error}"
        if bool(why) != bool(self.why):
            log.warning("%s", why or "jobs begin again")
        self.why = why
        return why

    def doubt(self) -> None:
        """A job has met a disk that may be breaking: look at the next turn."""
        self._looked_at = self._proved_at = float("-inf")

    def _prove(self, settings: Settings) -> None:
        now = time.monotonic()
        if now - self._proved_at >= (PROVE_BROKEN_EVERY if self.damage else PROVE_EVERY):
            self.damage = unwritable_directory(disks_of(settings))
            self._proved_at = now
