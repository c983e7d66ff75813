"""Says where the archive of a run would come from, and what would be fetched of it; nothing is changed.

The locator is asked, and the head of the archive is fetched into a temporary directory.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from wort_cli.model.accession import Accession
from wort_cli.model.archive_format import Format
from wort_cli.pipeline.archives.columns import FASTQ_DUMP, VDB
from wort_cli.pipeline.archives.http import HttpClient, Timeouts, url_without_query
from wort_cli.pipeline.archives.locate import archives_on_disk
from wort_cli.pipeline.archives.obtain import Obtainer
from wort_cli.pipeline.archives.on_disk import choose
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.pipeline.fetch_run import politeness_of, timeouts_of, wish_of
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.settings import Settings
from wort_cli.system.cancellation import NEVER
from wort_cli.system.temporary import scratch_directory


@dataclass(frozen=True)
class PlannedArchive:
    """An archive, and where it is."""

    format: Format
    size: int
    """Bytes of the archive."""
    fetched: int
    """Bytes of it that would be fetched; 0 if it is on disk."""
    place: str
    """A path, or a URL."""


class Planner:
    """Looks for archives of runs; one for a command."""

    def __init__(
        self,
        settings: Settings,
        log: Callable[[str], None] = lambda _: None,
        timeouts: Timeouts | None = None,
        politeness: Politeness | None = None,
    ) -> None:
        self._settings = settings
        self._log = log
        self._politeness = politeness or politeness_of(settings)
        self._client = HttpClient(timeouts or timeouts_of(settings), settings.connections, self._politeness)

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._client.__exit__(*error)

    def plan(self, run: Accession) -> PlannedArchive:
        """Return the archive of a run.  Raises JobFailed with the reason why there is none; TimeoutError."""
        return self.on_disk(run) or self.to_fetch(run)

    def on_disk(self, run: Accession) -> PlannedArchive | None:
        """Return the archive of a run that is on disk; None if none is."""
        settings = self._settings
        deadline = time.monotonic() + settings.resolve_timeout
        with scratch_directory(settings.cache_dir) as empty, ToolGroup(empty, NEVER, self._log) as tools:
            found = choose(archives_on_disk(run, settings.archives, tools, deadline, self._log), settings.quality)
        return PlannedArchive(found.format, found.path.stat().st_size, 0, str(found.path)) if found else None

    def to_fetch(self, run: Accession) -> PlannedArchive:
        """Return the archive of a run that can be fetched.  Raises JobFailed with the reason why there is none."""
        settings = self._settings
        decoder = VDB if settings.decoder == "auto" and settings.engine == "kernel" else FASTQ_DUMP
        wish = wish_of(settings, run, whole=settings.download == "whole", decoder=decoder)
        with scratch_directory(settings.cache_dir) as head:
            plan = Obtainer(self._client, self._politeness, NEVER, self._log).plan(wish, head)
        return PlannedArchive(plan.format, plan.size, plan.fetched, url_without_query(plan.url))
