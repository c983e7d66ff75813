"""What handlers share: the signatures of the profile `sra-v1`, which the interface is about.

In a handler: `request.app.state.services`.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from wort_cli.model.profile import SRA_V1
from wort_cli.web.access_file import AccessFile
from wort_cli.web.bucket_objects import BucketObjects
from wort_cli.web.events import EventFeed
from wort_cli.web.limits import Limits
from wort_cli.web.manifest_files import ManifestFiles
from wort_cli.web.served_home import ServedHome
from wort_cli.web.sessions import Sessions
from wort_cli.web.signature_files import SignatureFiles

SANDBOXES, PASSWORD_CHECKS = 2, 2
"""Submissions, and passwords, that are checked at the same time."""
JOB_CHANGES = 2
"""Requests at the same time that each cancel or retry many jobs."""


@dataclass
class Kept:
    """Answers that are given again for a while, and when each was made."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    answers: dict[str, tuple[float, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Services:
    """The home, and what is remembered of its files."""

    home: ServedHome
    files: SignatureFiles
    bucket: BucketObjects
    manifests: ManifestFiles
    access: AccessFile
    sessions: Sessions
    limits: Limits
    sandboxes: asyncio.Semaphore
    password_checks: asyncio.Semaphore
    job_changes: asyncio.Semaphore
    feed: EventFeed
    kept: Kept

    @classmethod
    def of(cls, home: ServedHome) -> "Services":
        """Return the services of a home."""
        name = SRA_V1.name
        files, manifests = SignatureFiles(home.settings, name), ManifestFiles(home, name)
        return cls(
            home,
            files,
            BucketObjects(home.settings, SRA_V1),
            manifests,
            AccessFile(home.settings.access_file),
            Sessions(has_link=home.options.has_link),
            Limits(home.options.rate),
            asyncio.Semaphore(SANDBOXES),
            asyncio.Semaphore(PASSWORD_CHECKS),
            asyncio.Semaphore(JOB_CHANGES),
            EventFeed(home),
            Kept(),
        )
