"""Reads JSON of a known shape as it comes, in bounded memory: the caller says what must be next.

Nothing is built but what is asked for, there is no recursion, and lists of numbers become arrays a piece at a time.
"""

import json
import re
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from wort_cli.errors import shown
from wort_cli.submission.refusal import Refusal

Numbers = NDArray[np.uint64]

LONGEST_NUMBER = 20
"""Digits of the largest unsigned 64-bit number."""
LARGEST = 2**64 - 1
BLANKS = b" \t\r\n"
NO_BLANK = re.compile(rb"[^ \t\r\n]")
AROUND_COMMA = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
END_OF_WORD = re.compile(rb'[][{},:"\s]')
TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
LONGEST_LETTER = 12
"""Bytes: two escapes such as \\ud83d\\ude00."""
LONGEST_WORD = 64


class JsonPullParser:
    """JSON from pieces of bytes; `path` is where in the document the reader stands."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._buffer = b""
        self._at = 0
        self._passed = 0
        self.path: list[str] = []

    def refuse(self, why: str, hint: str = "") -> Refusal:
        """A Refusal of what was read last."""
        return Refusal(why, ", ".join([*self.path, f"byte {self._passed + self._at:,}"]), hint)

    def peek(self) -> bytes:
        """The next byte that is no blank; Refusal at the end of the document."""
        byte = self._skip_blanks()
        if not byte:
            raise self.refuse("it ends in the midst of the document")
        return byte

    def expect(self, byte: bytes) -> None:
        """Pass over `byte`; Refusal if anything else comes."""
        if self.peek() != byte:
            raise self.refuse(f"there is {self._glimpse()} where {byte.decode()!r} must be")
        self._at += 1

    def end(self) -> None:
        """Refusal unless only blanks follow."""
        if self._skip_blanks():
            raise self.refuse(f"there is {self._glimpse()} after the end of the document")

    def items(self, opening: bytes = b"[", closing: bytes = b"]") -> Iterator[int]:
        """Pass through a list: yields before each item, which is to be read then."""
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
        """Pass through an object: yields each key, whose value is to be read then; each is known and comes once."""
        left = set(known)
        for _ in self.items(b"{", b"}"):
            key = self.text("a key", 100)
            if key not in left:
                raise self.refuse(f"the key {shown(key)} comes twice, or is none that sourmash writes")
            left.remove(key)
            self.expect(b":")
            yield key

    def text(self, what: str, longest: int) -> str:
        """A string of at most `longest` characters, without control characters."""
        if self.peek() != b'"':
            raise self.refuse(f"{what} is no text but {self._glimpse()}")
        while not (found := TEXT.match(self._buffer, self._at)):
            if len(self._buffer) - self._at > LONGEST_LETTER * longest:
                raise self.refuse(f"{what} is longer than {longest} characters")
            if not self._more(keep=self._at):
                raise self.refuse("it ends in the midst of a text")
        token, self._at = found.group(), found.end()
        try:
            value = json.loads(token)
        except (ValueError, UnicodeDecodeError):
            raise self.refuse(f"{what} is no proper text: {shown(token[:60].decode('ascii', 'replace'))}") from None
        if len(value) > longest:
            raise self.refuse(f"{what} is longer than {longest} characters")
        if not value.isprintable():
            raise self.refuse(f"{what} has control characters: {shown(value)}")
        return str(value)

    def word(self) -> bytes:
        """A number, true, false or null, as it is written."""
        self.peek()
        while not (found := END_OF_WORD.search(self._buffer, self._at)):
            if len(self._buffer) - self._at > LONGEST_WORD or not self._more(keep=self._at):
                break
        end = found.start() if found else len(self._buffer)
        if not 0 < end - self._at <= LONGEST_WORD:
            raise self.refuse(f"there is {self._glimpse()} where a number must be")
        word, self._at = self._buffer[self._at : end], end
        return word

    def integer(self, what: str) -> int:
        """An unsigned 64-bit integer."""
        word = self.word()
        if not re.fullmatch(rb"0|[1-9][0-9]{0,19}", word) or int(word) > LARGEST:
            raise self.refuse(f"{what} is {shown(word.decode('ascii', 'replace'))}, no unsigned 64-bit integer")
        return int(word)

    def numbers(self, what: str, *, ascending: bool) -> Numbers:
        """A list of unsigned 64-bit integers; Refusal at the first that is none, or is not above the one before it."""
        parts: list[Numbers] = []
        count = 0
        for text in self._list_text():
            try:
                part = decimals(text, ascending=ascending, before=int(parts[-1][-1]) if parts else -1)
            except BadNumber as bad:
                raise self.refuse(f"{what}[{count + bad.index:,}] {bad.why}") from None
            parts.append(part)
            count += part.size
        return np.concatenate(parts) if parts else np.empty(0, np.uint64)

    def _list_text(self) -> Iterator[bytes]:
        """The text between the brackets of a list, in pieces of whole numbers, without the commas between pieces."""
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
            elif len(self._buffer) - self._at > LONGEST_WORD:
                raise self.refuse(f"there is {self._glimpse()} in a list of numbers")
            if not self._more(keep=self._at):
                raise self.refuse("it ends in the midst of a list")

    def _skip_blanks(self) -> bytes:
        while True:
            if found := NO_BLANK.search(self._buffer, self._at):
                self._at = found.start()
                return found.group()
            self._at = len(self._buffer)
            if not self._more(keep=self._at):
                return b""

    def _more(self, keep: int) -> bool:
        """Whether there was another piece; what is before `keep` is forgotten, so that `keep` is 0 then."""
        piece = next(self._pieces, b"")
        self._passed += keep
        self._buffer = self._buffer[keep:] + piece
        self._at -= keep
        return bool(piece)

    def _glimpse(self) -> str:
        return shown(self._buffer[self._at : self._at + 20].decode("ascii", "replace"))


class BadNumber(Exception):
    """What is no number of a list, and the how manieth it is."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index
        self.why = why


def decimals(text: bytes, *, ascending: bool, before: int) -> Numbers:
    """The numbers in `text`, which has commas between them; BadNumber names the first that is wrong."""
    if any(blank in text for blank in BLANKS):
        text = AROUND_COMMA.sub(b",", text.strip(BLANKS))  # a blank within a number stays, and is no digit
    digits = np.frombuffer(text, np.uint8)
    commas = np.flatnonzero(digits == ord(","))
    starts = np.concatenate(([0], commas + 1))
    lengths = np.concatenate((commas, [digits.size])) - starts
    wrong = (lengths == 0) | (lengths > LONGEST_NUMBER)
    odd = np.flatnonzero(((digits < ord("0")) | (digits > ord("9"))) & (digits != ord(",")))
    wrong[np.searchsorted(starts, odd, side="right") - 1] = True
    several = np.flatnonzero(lengths > 1)
    wrong[several] |= digits[starts[several]] == ord("0")
    for index in np.flatnonzero(lengths == LONGEST_NUMBER).tolist():
        number = text[starts[index] : starts[index] + LONGEST_NUMBER]
        wrong[index] |= number.isdigit() and int(number) > LARGEST
    if wrong.any():
        first = int(wrong.argmax())
        seen = text[starts[first] : starts[first] + min(int(lengths[first]), LONGEST_WORD)]
        raise BadNumber(first, f"is {shown(seen.decode('ascii', 'replace'))}, no unsigned 64-bit integer")
    values = np.zeros(starts.size, np.uint64)
    for place in range(int(lengths.max())):
        there = lengths > place
        values[there] = values[there] * np.uint64(10) + (digits[starts[there] + place] - ord("0")).astype(np.uint64)
    if ascending:
        check_ascends(values, before)
    return values


def check_ascends(values: Numbers, before: int) -> None:
    """BadNumber if a number is not above the one before it; before the first was `before`."""
    if int(values[0]) <= before:
        raise BadNumber(0, f"is {values[0]}, not above the one before it, {before}")
    fallen = np.flatnonzero(values[1:] <= values[:-1]) + 1
    if fallen.size:
        first = int(fallen[0])
        raise BadNumber(first, f"is {values[first]}, not above the one before it, {values[first - 1]}")
