"""The address of the queue: `local`, or the URL of a PostgreSQL or Redis server whose workers are on other hosts.

A URL may have a password, which nothing shows: `without_password` is used wherever an address is printed or logged.
"""

import ipaddress
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

LOCAL = "local"
POSTGRESQL, REDIS = "postgresql", "redis"
SCHEMES = {"postgresql": POSTGRESQL, "postgres": POSTGRESQL, "redis": REDIS, "rediss": REDIS}
EXAMPLE = "such as postgresql://wort@db.example.org/wort or rediss://redis.example.org:6379/0"
PASSWORD = re.compile(r"(?<=://)([^/?#@\s]*?):[^/?#\s]*@")
LONGEST = 2000


def queue_url(value: Any) -> str:
    """Return the address of a queue.  Raises ValueError if it is invalid; the message does not contain it."""
    if value == LOCAL:
        return LOCAL
    if not isinstance(value, str) or len(value) > LONGEST or not re.fullmatch(r"[!-~]+", value):
        raise ValueError(f"it must be `local`, or the URL of a server, {EXAMPLE}")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("it is not a valid URL") from None
    if parts.scheme not in SCHEMES or not host or parts.fragment:
        raise ValueError(f"it must be `local`, or the URL of a server, {EXAMPLE}")
    if any(key.lower().endswith("password") for key, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError("a password is not a parameter of the URL: use the setting `queue_password_file`")
    return value


def kind_of(url: str) -> str:
    """Return `local`, `postgresql` or `redis`."""
    return SCHEMES.get(urlsplit(url).scheme, LOCAL)


def has_password(url: str) -> bool:
    """Return whether a URL has a password."""
    return PASSWORD.search(url) is not None


def without_password(text: Any) -> Any:
    """Return a text with `***` in place of the password of each URL in it; anything else as it is."""
    return PASSWORD.sub(r"\1:***@", text) if isinstance(text, str) else text


def host_of(url: str) -> str:
    """Return the host of a queue's server."""
    return urlsplit(url).hostname or ""


def is_loopback(url: str) -> bool:
    """Return whether the server is on this machine, so that nobody else in the network sees what is sent."""
    try:
        return host_of(url) == "localhost" or ipaddress.ip_address(host_of(url)).is_loopback
    except ValueError:
        return False


def passwords_in(url: str) -> tuple[str, ...]:
    """Return the password in a URL, as it is written there and as it is sent."""
    written = urlsplit(url).password or ""
    return written, unquote(written)
