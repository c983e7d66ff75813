"""The access file: tokens, and users with passwords, which permit changes through the server; beside the ledger.

Only hashes are stored.  A token is random, so that its sha256 says nothing of it; a password is hashed with scrypt.
The file is replaced as a whole, by one process at a time.  This module needs no package of the server.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from wort_cli.errors import StorageProblem, UsageError, shown
from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.file_locks import lock_file

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
LOGIN_SECONDS = 86_400
"""Seconds for which a token is valid that a user got with a password."""
MAX_LOGINS = 20
"""The number of valid login tokens of a user; one more revokes the oldest."""
LEAST_PASSWORD = 8
"""Characters."""
SCRYPT = {"n": 2**14, "r": 8, "p": 1, "maxmem": 2**26}


class Right(StrEnum):
    """A right of a token.  `read` matters only if reading is closed (setting `serve_reading`)."""

    READ = "read"
    COMPUTE = "compute"
    SUBMIT = "submit"
    CANCEL = "cancel"
    RETRY = "retry"
    PAUSE = "pause"


DEFAULT_RIGHTS = (Right.READ, Right.COMPUTE, Right.SUBMIT)
"""The rights of a new token or user, unless others are given."""


@dataclass(frozen=True)
class Token:
    """A token; `expires_at` is None for one that is valid until it is revoked."""

    name: str
    sha256: str
    may: tuple[Right, ...]
    created_at: float
    expires_at: float | None = None
    login: bool = False
    """Whether a user got it with a password; `name` is then the user's."""


@dataclass(frozen=True)
class User:
    """A user with a password."""

    name: str
    salt: str
    scrypt: str
    may: tuple[Right, ...]
    created_at: float


@dataclass(frozen=True)
class Access:
    """The tokens and users."""

    tokens: tuple[Token, ...] = ()
    users: tuple[User, ...] = ()

    def token(self, secret: str, now: float) -> Token | None:
        """Return the valid token of a secret."""
        digest = sha256(secret)
        found = [token for token in self.tokens if hmac.compare_digest(token.sha256, digest)]
        return next((token for token in found if token.expires_at is None or token.expires_at > now), None)

    def user(self, name: str, password: str) -> User | None:
        """Return the user of a name and a password.  It takes as long if there is no such user."""
        found = next((user for user in self.users if user.name == name), None)
        salt, wanted = (found.salt, found.scrypt) if found else ("00" * 16, "")
        is_right = hmac.compare_digest(password_hash(password, salt), wanted)
        return found if is_right else None

    def somebody_may(self, rights: Collection[Right], now: float) -> bool:
        """Return whether a valid token or a user has one of these rights."""
        valid = [token.may for token in self.tokens if token.expires_at is None or token.expires_at > now]
        return any(right in rights for may in (*valid, *(user.may for user in self.users)) for right in may)


class AccessFile:
    """The file of a home."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[object, Access] = (None, Access())

    def read(self) -> Access:
        """Return the tokens and users; the file is read again if it has changed.  Raises StorageProblem."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 (for each request, and a third of the time of Path.stat)
        except FileNotFoundError:
            return Access()
        except OSError as error:
            raise self._problem(error.strerror) from error
        state = found.st_ino, found.st_size, found.st_mtime_ns
        if self._known[0] != state:
            self._known = state, self._parsed()
        return self._known[1]

    def _parsed(self) -> Access:
        try:
            document = json.loads(self.path.read_bytes())
            tokens = tuple(Token(**{**item, "may": rights_in(item["may"])}) for item in document["tokens"])
            return Access(tokens, tuple(User(**{**item, "may": rights_in(item["may"])}) for item in document["users"]))
        except OSError as error:
            raise self._problem(error.strerror) from error
        except (ValueError, TypeError, KeyError, RecursionError):
            raise self._problem("it is damaged") from None

    @contextmanager
    def _changed(self) -> Iterator[list[Access]]:
        """Yield a list with the present content, whose only element is written at the end."""
        try:
            with self.path.with_name(f"{self.path.name}.lock").open("w") as lock:
                lock_file(lock)
                holder = [self.read()]
                yield holder
                write_atomically(self.path, json.dumps(asdict(holder[0]), indent=1).encode())
        except OSError as error:
            raise self._problem(error.strerror) from error

    def _problem(self, why: str | None) -> StorageProblem:
        return StorageProblem(
            f"{shown(str(self.path), 200)} cannot be used: {why}", "it has the tokens of `wort token`"
        )

    def add(self, name: str, may: tuple[Right, ...], seconds: float | None = None) -> str:
        """Make a token and return its secret.  Raises UsageError if the name is taken or invalid."""
        check_name(name)
        with self._changed() as holder:
            access, now = holder[0], time.time()
            taken = {token.name for token in access.tokens if not token.login} | {user.name for user in access.users}
            if name in taken:
                raise UsageError(f"there is a token or a user {shown(name)}", f"`wort token revoke {name}` revokes it")
            secret, token = new_token(name, may, now, seconds)
            holder[0] = replace(access, tokens=(*access.tokens, token))
            return secret

    def set_password(self, name: str, password: str, may: tuple[Right, ...]) -> None:
        """Add a user, or change one.  Raises UsageError if the name or the password is invalid."""
        check_name(name)
        if len(password) < LEAST_PASSWORD or len(password) > 1000:
            raise UsageError(f"a password has at least {LEAST_PASSWORD} characters, and at most 1000")
        salt = secrets.token_hex(16)
        with self._changed() as holder:
            access = holder[0]
            if any(token.name == name and not token.login for token in access.tokens):
                raise UsageError(f"there is a token {shown(name)}", "give the user another name")
            user = User(name, salt, password_hash(password, salt), may, time.time())
            others = tuple(one for one in access.users if one.name != name)
            tokens = tuple(token for token in access.tokens if token.name != name)
            holder[0] = Access(tokens, (*others, user))

    def login(self, user: User) -> str:
        """Make a token of a user, which is valid for a day; return its secret."""
        with self._changed() as holder:
            access, now = holder[0], time.time()
            secret, token = new_token(user.name, user.may, now, LOGIN_SECONDS, login=True)
            valid = [one for one in access.tokens if not one.login or (one.expires_at or now) > now]
            own = [one for one in valid if one.name == user.name][-(MAX_LOGINS - 1) :]
            others = [one for one in valid if one.name != user.name]
            holder[0] = replace(access, tokens=(*others, *own, token))
            return secret

    def revoke(self, name: str) -> int:
        """Remove the token or the user of a name, with all its tokens; return how many there were."""
        with self._changed() as holder:
            access = holder[0]
            tokens = tuple(token for token in access.tokens if token.name != name)
            users = tuple(user for user in access.users if user.name != name)
            holder[0] = Access(tokens, users)
            return len(access.tokens) + len(access.users) - len(tokens) - len(users)

    def revoke_logins(self, user: str) -> None:
        """Remove the tokens that a user got with a password."""
        with self._changed() as holder:
            kept = tuple(token for token in holder[0].tokens if not (token.login and token.name == user))
            holder[0] = replace(holder[0], tokens=kept)

    def revoke_token(self, token: Token) -> None:
        """Remove one token."""
        with self._changed() as holder:
            holder[0] = replace(holder[0], tokens=tuple(one for one in holder[0].tokens if one.sha256 != token.sha256))


def new_token(
    name: str, may: tuple[Right, ...], now: float, seconds: float | None, *, login: bool = False
) -> tuple[str, Token]:
    """Return a new secret, of 32 characters that need no escape anywhere, and its token."""
    secret = secrets.token_urlsafe(24)
    return secret, Token(name, sha256(secret), may, now, None if seconds is None else now + seconds, login)


def sha256(text: str) -> str:
    """Return the sha256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def password_hash(password: str, salt: str) -> str:
    """Return the hash of a password, in hexadecimal."""
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=bytes.fromhex(salt), **SCRYPT).hex()


def rights_in(words: Any) -> tuple[Right, ...]:
    """Return the rights of these words, in the order of their definition; ValueError for another word."""
    wanted = {Right(word) for word in words}
    return tuple(right for right in Right if right in wanted)


def parse_rights(text: str) -> tuple[Right, ...]:
    """Return the rights in a text such as `compute,submit`.  Raises UsageError."""
    try:
        found = rights_in(word.strip() for word in text.split(",") if word.strip())
    except ValueError:
        found = ()
    if not found:
        raise UsageError(f"--may {shown(text)} is not a list of rights", f"the rights are: {', '.join(Right)}")
    return found


def check_name(name: str) -> None:
    """Raise UsageError if a text cannot be the name of a token or a user."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{shown(name)} cannot be the name of a token or a user",
            "a name has at most 64 letters, digits, '.', '_', '@' and '-'",
        )
