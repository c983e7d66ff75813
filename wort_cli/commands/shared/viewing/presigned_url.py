"""Prints a presigned URL, by which others can download a signature from the bucket: `wort view --url`."""

import time

from wort_cli.api.signature_finder import open_readable
from wort_cli.commands.shared.arguments.durations import parse_duration
from wort_cli.commands.shared.arguments.typed_names import typed_accession
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import ID, PATH, SECONDS, Document, Field
from wort_cli.commands.shared.showing.printing import print_document
from wort_cli.errors import UsageError
from wort_cli.model.profile import Profile
from wort_cli.settings import Settings

LONGEST = 7 * 86400
"""The longest validity of a presigned URL in seconds (AWS, Signature Version 4)."""
DOCUMENT = Document(
    "view --url",
    "A presigned URL of a signature.",
    head=(
        Field("name", ID, "The run"),
        Field("url", PATH, "The URL, with which anyone can download the signature"),
        Field("seconds", SECONDS, "How long it is valid"),
    ),
)


def print_presigned_url(word: str, expires: str, settings: Settings, profile: Profile, *, as_json: bool) -> None:
    """Print the presigned URL of a run's signature; UsageError if the bucket has no such signature."""
    from wort_cli.stores.bucket_layout import signature_key

    seconds = parse_duration(expires, "--expires", LONGEST)
    name = typed_accession(word)
    bucket = open_readable(settings, profile)
    if bucket.find(name) is None:
        if bucket.objects.target.public:
            raise UsageError(f"there is no public signature of {name} ({bucket.root})", f"`wort compute {name}`")
        raise UsageError(f"there is no signature of {name} in the bucket", f"upload it with `wort sync push {name}`")
    seconds = shortened(seconds, bucket.objects.credentials_expire_at(), time.time())
    url = bucket.objects.presigned_url(signature_key(name), seconds, f"{name}.sig")
    if as_json:
        print_document(DOCUMENT, {"name": str(name), "url": url, "seconds": seconds})
    else:
        render.result(url)


def shortened(seconds: int, credentials_end: float | None, now: float) -> int:
    """Return how long a URL may be valid: it ends with temporary credentials, which is said on stderr.

    `credentials_end` is that of ObjectStore.credentials_expire_at.  Raises UsageError if they have ended.
    """
    if credentials_end is None:
        return seconds
    if credentials_end == 0:
        render.notice("the credentials are temporary, so the URL is valid no longer than they are")
        return seconds
    left = int(credentials_end - now)
    if left <= 0:
        raise UsageError("the credentials for the bucket have expired", "renew them (for example `aws sso login`)")
    if left < seconds:
        render.notice(f"the URL is valid for {render.duration(left)}, because the credentials end then")
    return min(seconds, left)
