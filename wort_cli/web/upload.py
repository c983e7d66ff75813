"""Reads an upload (multipart/form-data) into a file, and its other fields, within limits of size and time.

The file is on the disk of the home; only blocks of it are in memory.  The content is not looked at here.
"""

import asyncio
from collections.abc import Mapping
from email.message import Message
from typing import IO, Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from wort_cli.web.errors import Problem

SECONDS = 600.0
"""Within which an upload must arrive."""
MAX_PARTS = 10
MAX_FIELD = 4096
"""Bytes of a field that is no file."""
FRAME = 64 * 1024
"""Bytes that an upload may have beside the file."""


class OnePart:
    """Writes the content of the part with a name to a file; other parts are fields, of which the first is kept."""

    def __init__(self, name: str, file: IO[bytes], most: int) -> None:
        self._name, self._file, self._most = name, file, most
        self._parts = self.size = 0
        self.found = self._is_wanted = False
        self._header = self._value = b""
        self._waiting: list[bytes] = []
        self.file_name = ""
        self.fields: dict[str, bytearray] = {}
        self._field: bytearray | None = None

    def callbacks(self) -> Any:
        """Return what the parser calls."""
        return {
            "on_part_begin": self.begin,
            "on_header_field": self.header_field,
            "on_header_value": self.header_value,
            "on_header_end": self.header_end,
            "on_part_data": self.data,
        }

    def begin(self) -> None:
        """Begin a part."""
        self._parts += 1
        self._is_wanted, self._field = False, None
        if self._parts > MAX_PARTS:
            raise Problem(400, f"the form has more than {MAX_PARTS} fields", reason="invalid")

    def header_field(self, data: bytes, start: int, end: int) -> None:
        """Take a part of the name of a header."""
        self._header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        """Take a part of the value of a header."""
        self._value += data[start:end]

    def header_end(self) -> None:
        """Take a header."""
        if self._header.lower() == b"content-disposition":
            message = Message()
            message["content-disposition"] = self._value.decode("latin-1")
            name = message.get_param("name", header="content-disposition")
            if name == self._name:
                if self.found:
                    raise Problem(400, f"the form has several fields '{self._name}'", reason="invalid")
                self.found = self._is_wanted = True
                self.file_name = file_name_in(message)
            elif isinstance(name, str) and name not in self.fields:
                self._field = self.fields[name] = bytearray()
        self._header = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        """Take content of a part."""
        if self._field is not None:
            self._field += data[start:end]
            if len(self._field) > MAX_FIELD:
                raise Problem(413, f"a field has at most {MAX_FIELD} bytes", reason="too-large")
        if not self._is_wanted:
            return
        self.size += end - start
        if self.size > self._most:
            raise too_large(self._most)
        self._waiting.append(data[start:end])

    def flush(self) -> None:
        """Write what has arrived to the file."""
        waiting, self._waiting = self._waiting, []
        self._file.writelines(waiting)


def file_name_in(message: Message) -> str:
    """Return the name of the file in a part; browsers send it in UTF-8."""
    found = message.get_param("filename", "", header="content-disposition")
    return found.encode("latin-1", "replace").decode("utf-8", "replace") if isinstance(found, str) else ""


def too_large(most: int) -> Problem:
    """Return the refusal of a file that is too large."""
    return Problem(413, f"a file has at most {most} bytes", reason="too-large", hint="setting `submit_size`")


def boundary_of(headers: Mapping[str, str]) -> bytes:
    """Return the boundary of a form.  Raises Problem 400 or 415."""
    message = Message()
    message["content-type"] = headers.get("content-type", "")[:1000]
    if message.get_content_type() != "multipart/form-data":
        raise Problem(415, "the body must be multipart/form-data", reason="invalid", hint="curl -F file=@ID.sig")
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str) or not 1 <= len(boundary) <= 70 or not boundary.isascii():
        raise Problem(400, "the form has no boundary", reason="invalid")
    return boundary.encode()


async def receive_file(request: Request, name: str, file: IO[bytes], most: int) -> None:
    """Write the file in the field `name` of a form to a file.  Raises Problem 400, 408, 413 or 415."""
    if not (await receive(request, name, file, most)).found:
        detail = f"Missing formdata parameter '{name}'"
        raise Problem(400, detail, reason="invalid", hint="curl -F file=@ID.sig")


async def receive_form(request: Request, name: str, file: IO[bytes], most: int) -> tuple[dict[str, str], str, int]:
    """Write the file in the field `name` to a file; return the other fields, its name, and its size, 0 for none.

    Raises Problem 400, 408, 413 or 415.
    """
    part = await receive(request, name, file, most)
    try:
        return {key: value.decode() for key, value in part.fields.items()}, part.file_name, part.size
    except UnicodeDecodeError:
        raise Problem(400, "the form is not text in UTF-8", reason="invalid") from None


async def receive(request: Request, name: str, file: IO[bytes], most: int) -> OnePart:
    """Read a form, and write the file in the field `name` to a file.  Raises Problem 400, 408, 413 or 415."""
    boundary = boundary_of(request.headers)
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > most + FRAME:
        raise too_large(most)
    part = OnePart(name, file, most)
    parser = MultipartParser(boundary, part.callbacks())
    received = 0
    try:
        async with asyncio.timeout(SECONDS):
            async for block in request.stream():
                received += len(block)
                if received > most + FRAME:
                    raise too_large(most)
                parser.write(block)
                await run_in_threadpool(part.flush)
        parser.finalize()
    except TimeoutError:
        raise Problem(408, f"the body did not arrive within {SECONDS:g} seconds", reason="too-slow") from None
    except MultipartParseError:
        raise Problem(400, "the body is not a form", reason="invalid") from None
    except ClientDisconnect:
        raise Problem(400, "the client left", reason="invalid") from None
    return part
