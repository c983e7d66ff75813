"""The two formats in which NCBI has the archive of a run, and which of them the setting `quality` allows."""

from enum import StrEnum


class Format(StrEnum):
    """The two formats of a run's archive."""

    NORMALIZED = "normalized"
    """An archive with base qualities; the read filter is the submitter's."""
    LITE = "lite"
    """Without; NCBI sets the read filter by the qualities that it removed."""


ALLOWED = {
    "prefer-normalized": (Format.NORMALIZED, Format.LITE),
    "normalized": (Format.NORMALIZED,),
    "lite": (Format.LITE,),
}
"""The allowed formats, the preferred one first, by the value of the setting `quality`."""
