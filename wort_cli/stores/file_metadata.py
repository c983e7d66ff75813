"""The metadata of files in a shared directory: their md5, and what S3 keeps in headers; in a file beside each.

It counts only for the file that it was written for, so that a file which was copied, restored or edited has none.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MD5 = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class About:
    """The checksum and the metadata of a file."""

    md5: str
    metadata: Mapping[str, str]


def about_document(md5: str, metadata: Mapping[str, str], found: os.stat_result) -> bytes:
    """Return what .wort/about/ has of a file."""
    return json.dumps({"schema": 1, "file": identity_of(found), "md5": md5, "metadata": metadata}).encode() + b"\n"


def parsed_about(document: Any, found: os.stat_result) -> About | None:
    """Return what a document says of a file; None if it is invalid, or of another file."""
    if not isinstance(document, dict) or document.get("schema") != 1 or document.get("file") != identity_of(found):
        return None
    md5, metadata = document.get("md5"), document.get("metadata")
    if not isinstance(md5, str) or not MD5.fullmatch(md5) or not isinstance(metadata, dict):
        return None
    return About(md5, metadata) if all(isinstance(value, str) for value in metadata.values()) else None


def identity_of(found: os.stat_result) -> list[int]:
    """Return what tells a file from another one, and from itself after a change."""
    return [found.st_ino, found.st_size, found.st_mtime_ns]
