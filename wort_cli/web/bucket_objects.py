"""Addresses of signatures that only the bucket has, after the bucket was asked whether it has them.

boto3 is imported when the first such signature is asked for.
"""

import threading
import time
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING

from wort_cli.api.signature_finder import open_bucket
from wort_cli.model.accession import Accession, Name
from wort_cli.model.profile import Profile
from wort_cli.settings import Settings

if TYPE_CHECKING:
    from wort_cli.stores.shared import SharedStore

VALID = 3600
"""Seconds for which a presigned URL is valid."""
REMEMBERED = 60.0
"""Seconds for which an address is given again without asking the bucket."""
MAX_REMEMBERED = 100_000
CONNECTIONS = 16


class BucketObjects:
    """The signatures of a profile in the bucket of the settings."""

    def __init__(self, settings: Settings, profile: Profile) -> None:
        self._settings, self._profile = settings, profile
        self._known: OrderedDict[Name, tuple[float, str]] = OrderedDict()
        self._lock = threading.Lock()

    def is_in_this_bucket(self, remote: str) -> bool:
        """Return whether the catalog records an object of the bucket that is set now."""
        target = self._settings.s3
        return target is not None and remote.startswith(target.of_profile(self._profile.name).root)

    def remembered(self, name: Name) -> str:
        """Return the address that was found lately; else an empty one."""
        with self._lock:
            until, url = self._known.get(name, (0.0, ""))
        return url if time.monotonic() < until else ""

    def url(self, name: Name) -> str:
        """Ask the bucket; return the address of a signature, empty if it is not there.  Raises StoreError."""
        from wort_cli.stores.bucket_layout import signature_key

        if not isinstance(name, Accession):
            return ""
        objects = self._bucket.objects
        key = signature_key(name)
        if objects.head(key) is None:
            return ""
        url = objects.presigned_url(key, VALID, f"{name}.sig")
        with self._lock:
            self._known[name] = time.monotonic() + REMEMBERED, url
            while len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)
        return url

    @cached_property
    def _bucket(self) -> "SharedStore":
        return open_bucket(self._settings, self._profile, CONNECTIONS)
