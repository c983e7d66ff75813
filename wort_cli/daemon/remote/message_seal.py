"""Authenticates what is sent through the queue, if the hosts share a key: who can write to the queue cannot forge it.

A message is sealed with HMAC-SHA256 over its place (a kind, or the key of a value) and its bytes, so that it cannot be
moved to another place either.  An earlier message of the same place can be sent again: attempts are fenced by number.
"""

import hashlib
import hmac

MARK = b"wort-hmac-1\n"
"""The first bytes of a sealed message, which no JSON document has."""
LENGTH = hashlib.sha256().digest_size
NOT_AUTHENTIC = b""
"""In place of a message that is not sealed with this key; no reader takes it for a document."""


class MessageSeal:
    """A key, or none: then messages are sent as they are, and sealed ones are refused."""

    def __init__(self, key: str = "") -> None:
        self._key = hashlib.sha256(key.encode()).digest() if key else b""

    def sealed(self, place: str, data: bytes) -> bytes:
        """Return a message as it is sent."""
        return MARK + self._code(place, data) + data if self._key else data

    def opened(self, place: str, message: bytes) -> bytes:
        """Return what was sealed; NOT_AUTHENTIC if it was not sealed for this place with this key."""
        if not self._key:
            return NOT_AUTHENTIC if message.startswith(MARK) else message
        start = len(MARK) + LENGTH
        code, data = message[len(MARK) : start], message[start:]
        authentic = message.startswith(MARK) and hmac.compare_digest(code, self._code(place, data))
        return data if authentic else NOT_AUTHENTIC

    def _code(self, place: str, data: bytes) -> bytes:
        return hmac.digest(self._key, place.encode("utf-8", "replace") + b"\0" + data, "sha256")
