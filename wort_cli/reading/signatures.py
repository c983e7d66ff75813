"""Reads a signature that was not sealed here, and returns its facts without its hashes.

A small file is read in this process, which takes a millisecond.  A large one, or one that unpacks to much more, is read
in a process of its own (sandbox.py).
"""

import os
from typing import IO

from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.reading.facts import SignatureFacts
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import LimitExceeded
from wort_cli.reading.sandbox import read_in_child
from wort_cli.reading.strict import NO_LIMIT, read_document

SMALL, SMALL_UNPACKED = 1 << 20, 1 << 23
"""Bytes, as stored and decompressed, up to which a signature is read in this process."""


def read_facts(file: IO[bytes], limits: ReadLimits, profile: Profile = SRA_V1) -> SignatureFacts:
    """Return the facts of the signature in an open file on disk, from its start; its profile may be `profile`.

    Raises Refusal with its first fault, or LimitExceeded if it may be valid but is too large.
    """
    size = os.fstat(file.fileno()).st_size
    if size > limits.size:
        raise LimitExceeded(f"it is larger than {limits.size:,} bytes", hint="raise the setting `submit_size`")
    if size <= SMALL:
        try:
            return parse_facts(file, min(SMALL_UNPACKED, limits.unpacked), profile)
        except LimitExceeded:
            pass  # it is small, but unpacks to much
    return read_in_child(file, limits.for_size(size), profile)


def read_facts_of(content: bytes, limits: ReadLimits, profile: Profile = SRA_V1) -> SignatureFacts:
    """Like `read_facts`, for a signature that is in memory, not in a file on disk."""
    with os.fdopen(os.memfd_create("signature"), "w+b") as file:
        file.write(content)
        file.flush()
        return read_facts(file, limits, profile)


def read_own_facts(file: IO[bytes], profile: Profile = SRA_V1) -> SignatureFacts:
    """Return the facts of a signature that was sealed here, whatever its size.  Raises Refusal if it is damaged."""
    return parse_facts(file, NO_LIMIT, profile)


def parse_facts(file: IO[bytes], max_unpacked: int, profile: Profile = SRA_V1) -> SignatureFacts:
    """Return the facts of the signature in an open file, read in this process."""
    file.seek(0)
    return SignatureFacts.of(read_document(file, max_unpacked=max_unpacked), profile=profile)
