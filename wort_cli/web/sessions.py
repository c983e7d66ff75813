"""Sessions of people who signed in with a browser.

A session is kept in memory, under the hash of a random secret that the cookie holds: a server that starts again knows
none.  What it allows is read from the access file for each request, so that it ends with its token.  A server that
only this machine can reach prints a link with which its user signs in once, with all rights.
"""

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum, auto

from starlette.requests import Request
from starlette.responses import Response

from wort_cli.web.access_file import Access, Right, Token, User, sha256

SECONDS = 7 * 86_400
"""The lifetime of a session, unless its token ends before."""
MOST, MOST_OF_ONE = 10_000, 20
"""Sessions of a server, and of one token or user; the oldest ends for one more."""
NOTICES = 20
"""Messages of a session that are kept."""
OWNER = "owner"
"""The name of the user who opened the link that the server printed."""


class By(StrEnum):
    """The way in which a user signed in."""

    TOKEN = auto()
    PASSWORD = auto()
    LINK = auto()


@dataclass
class Session:
    """A session; `key` is the sha256 of its token, or the name of its user."""

    by: By
    key: str
    expires_at: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    """The token that the forms of the session's pages contain, and no other page can know."""
    notices: "OrderedDict[str, str]" = field(default_factory=OrderedDict)

    def granted(self, access: Access, now: float) -> Token | None:
        """Return what the session allows now; None if it has ended."""
        if now >= self.expires_at:
            return None
        if self.by is By.LINK:
            return Token(OWNER, "", tuple(Right), 0.0, self.expires_at)
        if self.by is By.TOKEN:
            same = (token for token in access.tokens if hmac.compare_digest(token.sha256, self.key))
            return next((token for token in same if token.expires_at is None or token.expires_at > now), None)
        user = next((user for user in access.users if self.key == key_of(user)), None)
        return Token(user.name, "", user.may, user.created_at, self.expires_at, login=True) if user else None

    def notice(self, text: str) -> str:
        """Keep a message for a page; return the key under which the page finds it."""
        key = secrets.token_urlsafe(6)
        self.notices[key] = text
        while len(self.notices) > NOTICES:
            self.notices.popitem(last=False)
        return key


def key_of(user: User) -> str:
    """Return what identifies a user and the password: a session ends when the password changes."""
    return f"{user.name} {user.salt}"


class Sessions:
    """The sessions of a server.  All threads may use it."""

    def __init__(self, *, has_link: bool) -> None:
        """has_link: whether its user may sign in with a link"""
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self.link = secrets.token_urlsafe(24) if has_link else ""
        """The secret of the link; empty once it was used."""

    def begin(self, by: By, key: str, until: float | None = None) -> str:
        """Begin a session that ends at a time, or before; return the secret of its cookie."""
        secret, latest = secrets.token_urlsafe(24), time.time() + SECONDS
        session = Session(by, key, latest if until is None else min(latest, until))
        with self._lock:
            own = [digest for digest, one in self._sessions.items() if (one.by, one.key) == (by, key)]
            for digest in own[: max(0, len(own) - MOST_OF_ONE + 1)]:
                del self._sessions[digest]
            self._sessions[sha256(secret)] = session
            while len(self._sessions) > MOST:
                self._sessions.popitem(last=False)
        return secret

    def begin_with_link(self, secret: str) -> str:
        """Begin the session of the link; return the secret of its cookie, empty if it is not the link, or was used."""
        with self._lock:
            is_right = bool(self.link) and hmac.compare_digest(sha256(self.link), sha256(secret))
            if not is_right:
                return ""
            self.link = ""
        return self.begin(By.LINK, OWNER)

    def get(self, secret: str) -> Session | None:
        """Return the session of a cookie, which may have ended."""
        return self._sessions.get(sha256(secret))

    def end(self, secret: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(sha256(secret), None)


def cookie_name(request: Request) -> str:
    """Return the name of the cookie: browsers send the cookies of a machine to the servers at all of its ports."""
    _, port = request.scope.get("server") or ("", 0)
    return f"wort-session-{port}"


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Set the cookie of a session; remove it if `secret` is empty."""
    root = request.scope.get("root_path", "") or "/"
    is_encrypted = request.scope.get("scheme") == "https"
    seconds = SECONDS if secret else 0
    response.set_cookie(cookie_name(request), secret, seconds, None, root, None, is_encrypted, True, "strict")


def session_of(request: Request) -> tuple[Session, Token] | None:
    """Return the session of a request, with what it allows; None if nobody has signed in."""
    secret = request.cookies.get(cookie_name(request), "")[:100]
    services = request.app.state.services
    session = services.sessions.get(secret) if secret else None
    token = session.granted(services.access.read(), time.time()) if session is not None else None
    if session is None or token is None:
        return None
    return session, token
