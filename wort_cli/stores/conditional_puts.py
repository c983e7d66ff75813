"""Finds out whether a store honours conditional puts, for `wort doctor`."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from wort_cli.stores.object_store import Headers, ObjectStore, PreconditionFailed

PROBE, PROBE_TEXT = "doctor/conditional-put", b"written by `wort doctor` to test conditional puts\n"
WRITERS = 8
"""Conditional puts that are sent at once."""


def honours_conditional_puts(objects: ObjectStore) -> bool:
    """Return whether a store honours conditional puts: of several at once, exactly one may succeed.

    One small object, PROBE, stays in the bucket.
    """
    with suppress(PreconditionFailed):
        objects.put(PROBE, PROBE_TEXT, Headers("text/plain"))
    there = objects.head(PROBE)
    if there is None:
        return False

    def replace(number: int) -> bool:
        text = b"%s%d %s\n" % (PROBE_TEXT, number, secrets.token_hex(8).encode())
        try:
            objects.put(PROBE, text, Headers("text/plain"), replacing=there.etag)
        except PreconditionFailed:
            return False
        return True

    try:
        objects.put(PROBE, PROBE_TEXT, Headers("text/plain"))
    except PreconditionFailed:
        with ThreadPoolExecutor(WRITERS) as writers:
            return sum(writers.map(replace, range(WRITERS))) == 1
    return False
