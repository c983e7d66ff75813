"""Shared objects of handlers: the home, and the signatures of each database.

In a handler: `request.app.state.services`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wort_cli.web.access_file import AccessFile
from wort_cli.web.bucket_objects import BucketObjects
from wort_cli.web.databases import DATABASES, Database, database_of
from wort_cli.web.event_feed import EventFeed
from wort_cli.web.intakes import Intakes
from wort_cli.web.limits import Limits
from wort_cli.web.manifest_files import ManifestFiles
from wort_cli.web.served_home import ServedHome
from wort_cli.web.sessions import Sessions
from wort_cli.web.signature_files import SignatureFiles

SANDBOXES, PASSWORD_CHECKS = 2, 2
"""Submissions, and passwords, that are checked at the same time."""
SCANS = 1
"""Requests at the same time for the runs of a sample or an experiment, which no index has."""
JOB_CHANGES = 2
"""Requests at the same time that each cancel or retry many jobs."""


@dataclass
class Kept:
    """Answers that are given again for a while, and when each was made."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    answers: dict[str, tuple[float, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class ServedDatabase:
    """The signatures of a database, and what is remembered of their files."""

    database: Database
    files: SignatureFiles
    bucket: BucketObjects
    manifests: ManifestFiles

    @classmethod
    def of(cls, home: ServedHome, database: Database) -> "ServedDatabase":
        """Return a database of a home."""
        bucket = BucketObjects(home.settings, database.profile)
        return cls(database, SignatureFiles(home.settings, database), bucket, ManifestFiles(home, database))

    def is_served(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row has a signature that may be served, from the store or the bucket."""
        is_here = bool(row["path"]) or self.bucket.is_in_this_bucket(row["remote"] or "")
        return is_here and self.files.is_served(row["trust"])


@dataclass(frozen=True)
class Services:
    """The home, and what handlers share about it."""

    home: ServedHome
    databases: Mapping[str, ServedDatabase]
    access: AccessFile
    sessions: Sessions
    limits: Limits
    sandboxes: asyncio.Semaphore
    intakes: Intakes
    password_checks: asyncio.Semaphore
    job_changes: asyncio.Semaphore
    scans: asyncio.Semaphore
    feed: EventFeed
    kept: Kept

    @classmethod
    def of(cls, home: ServedHome) -> "Services":
        """Return the services of a home."""
        sandboxes = asyncio.Semaphore(SANDBOXES)
        return cls(
            home,
            {database.name: ServedDatabase.of(home, database) for database in DATABASES.values()},
            AccessFile(home.settings.access_file),
            Sessions(has_link=home.options.has_link),
            Limits(home.options.rate),
            sandboxes,
            Intakes(home, sandboxes),
            asyncio.Semaphore(PASSWORD_CHECKS),
            asyncio.Semaphore(JOB_CHANGES),
            asyncio.Semaphore(SCANS),
            EventFeed(home),
            Kept(),
        )

    def of_name(self, name: str) -> ServedDatabase | None:
        """Return the database that a name is an id of; None for other names."""
        database = database_of(name)
        return self.databases[database.name] if database else None
