"""Reads what S3 servers answer: objects, pages of listings, dates.  What AWS always sends may be missing."""

from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import StoredObject, StoreError
from wort_cli.stores.s3_errors import storage_denied

LARGEST_SKEW = 86_400.0
"""Seconds by which this machine's clock may be wrong until requests are refused."""


def stored_object(key: str, response: Any, size: int) -> StoredObject:
    """Return the object in a response to HEAD or GET."""
    return StoredObject(key, size, etag_of(key, response), response.get("Metadata", {}))


def listed_object(key: str, item: Any) -> StoredObject:
    """Return an object in a page of a listing; a server may leave out its ETag."""
    if not isinstance(item.get("Size"), int):
        raise StoreError(Reason.STORAGE_DOWN, f"{key}: the listing has no size of it; it is not from an S3 server")
    return StoredObject(key, item["Size"], str(item.get("ETag", "")).replace('"', ""), {})


def unordered_listing(target: S3Target) -> StoreError:
    """Return the error for a listing that cannot be merged with others."""
    return storage_denied(
        f"{target.root}: the server lists keys out of order, or without end",
        "use a general-purpose bucket, not a directory bucket; or set s3_endpoint to the server itself",
    )


def check_etag(etag: str, url: str) -> None:
    """Raise StoreError if an object cannot be replaced safely, because its ETag is weak (RFC 9110, section 8.8)."""
    if etag.startswith("W/"):
        raise storage_denied(
            f"{url}: its ETag is weak, so it cannot be replaced safely",
            "a proxy rewrites the server's responses: set s3_endpoint to the server itself",
        )


def etag_of(key: str, response: Any) -> str:
    """Return the ETag in a response; raise StoreError without one: a captive portal, for example, sends none."""
    if "ETag" not in response:
        raise StoreError(Reason.STORAGE_DOWN, f"{key}: the response has no ETag; it is not from an S3 server")
    return str(response["ETag"]).replace('"', "")


def date_of(response: Any) -> float | None:
    """Return the time of a response, in seconds since 1970; None if it does not say (RFC 9110, 6.6.1)."""
    with suppress(ValueError, OverflowError):
        return parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"].get("date", "")).timestamp()
    return None
