"""An address by which anybody can read a signature in the bucket for a while: `wort view --url`."""

import re

from wort_cli.commands.shared import render
from wort_cli.commands.shared.signature_finder import open_bucket
from wort_cli.errors import UsageError, shown
from wort_cli.model.accession import Accession
from wort_cli.settings import Settings

DURATION = re.compile(r"([1-9][0-9]{0,6})([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST = 7 * 86400
"""Seconds that a signed address may be good for (AWS, Signature Version 4)."""


def show_url(what: str, expires: str, settings: Settings, *, as_json: bool) -> None:
    """Print the address; UsageError if there is no such signature in the bucket."""
    from wort_cli.stores.bucket_layout import signature_key

    seconds = seconds_of(expires)
    name = Accession.parse(what)
    shared = open_bucket(settings)
    if shared.find(name) is None:
        raise UsageError(f"there is no signature of {name} in the bucket", f"`wort sync push {name}` puts it there")
    url = shared.objects.url(signature_key(name), seconds, f"{name}.sig")
    if as_json:
        render.document({"name": name, "url": url, "seconds": seconds})
    else:
        render.result(url)


def seconds_of(text: str) -> int:
    """A duration such as 30m in seconds; UsageError if it is none, or longer than an address may be good."""
    found = DURATION.fullmatch(text)
    seconds = int(found[1]) * SECONDS[found[2]] if found else 0
    if not 0 < seconds <= LONGEST:
        raise UsageError(f"--expires {shown(text)} is not a duration", "give 30s, 15m, 1h or up to 7d")
    return seconds
