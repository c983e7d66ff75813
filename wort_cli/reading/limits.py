"""The limits within which a signature of others is read."""

from dataclasses import dataclass, replace
from typing import Self

from wort_cli.settings import Settings

SLOWEST = 1_000_000
"""Bytes per second that a slow machine reads of a compressed signature."""


@dataclass(frozen=True)
class ReadLimits:
    """The limits of one signature.  The defaults are those of the settings `submit_*`."""

    size: int = 256_000_000
    """Bytes of the file."""
    unpacked: int = 1_000_000_000
    """Bytes after decompression."""
    memory: int = 512_000_000
    """Bytes of memory of the process that reads it."""
    seconds: float = 8.0
    """Seconds that the process may take."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the limits of these settings."""
        return cls(settings.submit_size, settings.submit_unpacked, settings.submit_memory, settings.submit_seconds)

    def for_size(self, size: int) -> Self:
        """Return the limits for a signature that was fetched, with more time for a large one."""
        return replace(self, seconds=self.seconds + size / SLOWEST)
