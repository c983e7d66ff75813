"""A pull parser for JSON of a known shape, in bounded memory: the caller requests each value in turn.

Only the requested values are built, nothing recurses, and lists of numbers become NumPy arrays piece by piece.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wort_cli.errors import shown
from wort_cli.reading.checks import Check
from wort_cli.reading.refusal import Refusal

Numbers = NDArray[np.uint64]


class Digits(Protocol):
    """A checksum over digits, such as hashlib's."""

    def update(self, data: bytes, /) -> None:
        """Add some digits."""


MAX_DIGITS = 20
"""Digits of the largest unsigned 64-bit number."""
MAX_UINT64 = 2**64 - 1
BLANKS = b" \t\r\n"
NON_BLANK = re.compile(rb"[^ \t\r\n]")
AROUND_COMMA = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
END_OF_WORD = re.compile(rb'[][{},:"\s]')
TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
PLAIN = re.compile(rb'"[ !#-\[\]-~]*+"')
"""A text of printable ASCII without escapes, which is its own value."""
MAX_CHARACTER_BYTES = 12
"""Two escapes such as \\ud83d\\ude00."""
MAX_WORD_BYTES = 64


class JsonPullParser:
    """Parses JSON from pieces of bytes; the caller keeps `path`, the place in the document, and `check` up to date."""

    def __init__(self, pieces: Iterable[bytes], hint: str = "") -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._buffer = b""
        self._at = 0
        self._passed = 0
        self.path: list[str] = []
        self.check = Check.GRAMMAR
        """The current check."""
        self._hint = hint

    def refuse(self, why: str, hint: str = "", check: Check | None = None) -> Refusal:
        """Return a Refusal with the current place, and the parser's own hint unless there is a better one."""
        where = ", ".join([*self.path, f"byte {self._passed + self._at:,}"])
        return Refusal(why, where, hint or self._hint, check or self.check)

    def peek(self) -> bytes:
        """Return the next byte that is not blank; raise Refusal at the end of the document."""
        byte = self._buffer[self._at : self._at + 1]
        if byte not in BLANKS:  # the usual case; b"" is in BLANKS
            return byte
        byte = self._skip_blanks()
        if not byte:
            raise self.refuse("it is truncated: the document has no end")
        return byte

    def expect(self, byte: bytes) -> None:
        """Skip `byte`; raise Refusal if anything else follows."""
        if self.peek() != byte:
            raise self.refuse(f"it has {self._preview()} where {byte.decode()!r} is expected")
        self._at += 1

    def end(self) -> None:
        """Raise Refusal unless only blanks follow."""
        if self._skip_blanks():
            raise self.refuse(f"it has {self._preview()} after the end of the document")

    def items(self, opening: bytes = b"[", closing: bytes = b"]") -> Iterator[int]:
        """Iterate over a list: yield the index of each item, which the caller must read then."""
        self.expect(opening)
        if self.peek() == closing:
            self._at += 1
            return
        number = 0
        while True:
            yield number
            number += 1
            if self.peek() == closing:
                self._at += 1
                return
            self.expect(b",")

    def keys(self, known: Iterable[str]) -> Iterator[str]:
        """Iterate over an object: yield each key, whose value the caller must read then.

        Raises Refusal for a key that is not `known`, and for one that occurs twice.
        """
        left = set(known)
        for _ in self.items(b"{", b"}"):
            key = self.text("a key", 100)
            if key not in left:
                raise self.refuse(f"the key {shown(key)} occurs twice, or sourmash does not write it")
            left.remove(key)
            self.expect(b":")
            yield key

    def text(self, what: str, limit: int) -> str:
        """Read a string of at most `limit` characters, without control characters."""
        if self.peek() != b'"':
            raise self.refuse(f"{what} is not a text but {self._preview()}")
        while not (found := TEXT.match(self._buffer, self._at)):
            if len(self._buffer) - self._at > MAX_CHARACTER_BYTES * limit:
                raise self.refuse(f"{what} is longer than {limit} characters")
            if not self._more(keep=self._at):
                raise self.refuse("it is truncated inside a text")
        token, self._at = found.group(), found.end()
        if PLAIN.fullmatch(token) and len(token) - 2 <= limit:
            return token[1:-1].decode()
        try:
            value = json.loads(token.decode())
        except (ValueError, UnicodeDecodeError):
            raise self.refuse(f"{what} is not valid text: {shown(token[:60].decode('ascii', 'replace'))}") from None
        if len(value) > limit:
            raise self.refuse(f"{what} is longer than {limit} characters")
        if not value.isprintable():
            raise self.refuse(f"{what} contains control characters: {shown(value)}")
        return str(value)

    def word(self) -> bytes:
        """Read a number, true, false or null; return its bytes."""
        self.peek()
        while not (found := END_OF_WORD.search(self._buffer, self._at)):
            if len(self._buffer) - self._at > MAX_WORD_BYTES or not self._more(keep=self._at):
                break
        end = found.start() if found else len(self._buffer)
        if not 0 < end - self._at <= MAX_WORD_BYTES:
            raise self.refuse(f"it has {self._preview()} where a number is expected")
        word, self._at = self._buffer[self._at : end], end
        return word

    def integer(self, what: str) -> int:
        """Read an unsigned 64-bit integer."""
        word = self.word()
        if not re.fullmatch(rb"0|[1-9][0-9]{0,19}", word) or int(word) > MAX_UINT64:
            raise self.refuse(f"{what} is {shown(word.decode('ascii', 'replace'))}, not an unsigned 64-bit integer")
        return int(word)

    def numbers(self, what: str, *, ascending: bool, digits: Digits | None = None) -> Numbers:
        """Read a list of unsigned 64-bit integers; raise Refusal for the first invalid one.

        If `ascending`, each must be above the one before it.  `digits` is updated with the digits of all of them.
        """
        parts: list[Numbers] = []
        count = 0
        for text in self._list_text():
            try:
                part = parse_numbers(text, ascending=ascending, before=int(parts[-1][-1]) if parts else -1)
            except BadNumber as bad:
                raise self.refuse(f"{what}[{count + bad.index:,}] {bad.why}") from None
            parts.append(part)
            count += part.size
            if digits is not None:
                digits.update(text.translate(None, BLANKS + b","))
        return np.concatenate(parts) if parts else np.empty(0, np.uint64)

    def _list_text(self) -> Iterator[bytes]:
        """Yield the text between the brackets of a list, cut at commas, so that each piece has whole numbers."""
        self.expect(b"[")
        if self.peek() == b"]":
            self._at += 1
            return
        while True:
            end = self._buffer.find(b"]", self._at)
            if end >= 0:
                text, self._at = self._buffer[self._at : end], end + 1
                yield text
                return
            comma = self._buffer.rfind(b",", self._at)
            if comma >= 0:
                text, self._at = self._buffer[self._at : comma], comma + 1
                yield text
            elif len(self._buffer) - self._at > MAX_WORD_BYTES:
                raise self.refuse(f"it has {self._preview()} in a list of numbers")
            if not self._more(keep=self._at):
                raise self.refuse("it is truncated inside a list")

    def _skip_blanks(self) -> bytes:
        while True:
            if found := NON_BLANK.search(self._buffer, self._at):
                self._at = found.start()
                return found.group()
            self._at = len(self._buffer)
            if not self._more(keep=self._at):
                return b""

    def _more(self, keep: int) -> bool:
        """Drop the buffer before offset `keep` and append another piece; return whether there was one."""
        piece = next(self._pieces, b"")
        self._passed += keep
        self._buffer = self._buffer[keep:] + piece
        self._at -= keep
        return bool(piece)

    def _preview(self) -> str:
        return shown(self._buffer[self._at : self._at + 20].decode("ascii", "replace"))


class BadNumber(Exception):
    """An invalid number in a list, and its index."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index
        self.why = why


def parse_numbers(text: bytes, *, ascending: bool, before: int) -> Numbers:
    """Return the comma-separated numbers in `text`; raise BadNumber for the first invalid one.

    If `ascending`, each must be above the one before it, and the first above `before`.
    """
    if any(blank in text for blank in BLANKS):
        text = AROUND_COMMA.sub(b",", text.strip(BLANKS))  # a blank within a number stays, and makes it invalid
    digits = np.frombuffer(text, np.uint8)
    commas = np.flatnonzero(digits == ord(","))
    starts = np.concatenate(([0], commas + 1))
    lengths = np.concatenate((commas, [digits.size])) - starts
    wrong = (lengths == 0) | (lengths > MAX_DIGITS)
    odd = np.flatnonzero(((digits < ord("0")) | (digits > ord("9"))) & (digits != ord(",")))
    wrong[np.searchsorted(starts, odd, side="right") - 1] = True
    several = np.flatnonzero(lengths > 1)
    wrong[several] |= digits[starts[several]] == ord("0")
    for index in np.flatnonzero(lengths == MAX_DIGITS).tolist():
        number = text[starts[index] : starts[index] + MAX_DIGITS]
        wrong[index] |= number.isdigit() and int(number) > MAX_UINT64
    if wrong.any():
        first = int(wrong.argmax())
        number = text[starts[first] : starts[first] + min(int(lengths[first]), MAX_WORD_BYTES)]
        raise BadNumber(first, f"is {shown(number.decode('ascii', 'replace'))}, not an unsigned 64-bit integer")
    values = np.fromstring(text, np.uint64, sep=",")  # exact: integers are read as such
    if ascending:
        check_ascending(values, before)
    return values


def check_ascending(values: Numbers, before: int) -> None:
    """Raise BadNumber if a number is not above the one before it; `before` precedes the first."""
    if int(values[0]) <= before:
        raise BadNumber(0, f"is {values[0]}, not above the number before it, {before}")
    not_above = np.flatnonzero(values[1:] <= values[:-1]) + 1
    if not_above.size:
        first = int(not_above[0])
        raise BadNumber(first, f"is {values[first]}, not above the number before it, {values[first - 1]}")
