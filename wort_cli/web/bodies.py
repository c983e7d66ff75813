"""Reads the bodies of requests that are JSON or plain text, within limits of size and time."""

import asyncio
import json
from typing import Any

from starlette.requests import ClientDisconnect, Request

from wort_cli.errors import shown
from wort_cli.web.errors import Problem

MAX_BYTES = 1_000_000
SECONDS = 30.0
MAX_IDS = 10_000
"""Runs that one request may name."""


async def read_body(request: Request) -> bytes:
    """Return the body.  Raises Problem 408 or 413."""
    received = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for block in request.stream():
                received += block
                if len(received) > MAX_BYTES:
                    raise Problem(413, f"a body has at most {MAX_BYTES} bytes", reason="too-large")
    except TimeoutError:
        raise Problem(408, f"the body did not arrive within {SECONDS:g} seconds", reason="too-slow") from None
    except ClientDisconnect:
        raise Problem(400, "the client left", reason="invalid") from None
    return bytes(received)


async def read_object(request: Request, *, or_nothing: bool = False) -> dict[str, Any]:
    """Return a body as a JSON object; plain text, with an id on each line, is one with the key `ids`.

    or_nothing: whether an empty body stands for an empty object

    Raises Problem 400, 408 or 413.
    """
    body = await read_body(request)
    if or_nothing and not body:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/plain":
        try:
            return {"ids": body.decode("utf-8").split()}
        except UnicodeDecodeError:
            raise Problem(400, "the body is not text in UTF-8", reason="invalid") from None
    try:
        document = json.loads(body)
        json.dumps(document, ensure_ascii=False).encode()  # a half of a character, such as \ud800, is no text
    except (ValueError, RecursionError):
        raise Problem(400, "the body is not JSON", reason="invalid", hint='{"ids": ["SRR139146"]}') from None
    if not isinstance(document, dict):
        raise Problem(400, "the body is not an object", reason="invalid", hint='{"ids": ["SRR139146"]}')
    return document


def text_list(document: dict[str, Any], key: str) -> list[str]:
    """Return a list of ids in an object, each once.  Raises Problem 400 or 413."""
    found = document.get(key)
    if not isinstance(found, list) or not all(isinstance(item, str) and len(item) <= 100 for item in found):
        raise Problem(400, f"`{key}` is not a list of texts", reason="invalid", hint='{"ids": ["SRR139146"]}')
    if len(found) > MAX_IDS:
        raise Problem(413, f"a request names at most {MAX_IDS} runs", reason="too-large", hint="send several requests")
    return list(dict.fromkeys(found))


def text_of(document: dict[str, Any], key: str) -> str:
    """Return a text in an object; empty if it is missing.  Raises Problem 400."""
    found = document.get(key, "")
    if not isinstance(found, str) or len(found) > 100 or not found.isprintable():
        raise Problem(400, f"`{key}` is not a text of at most 100 characters", reason="invalid")
    return found


def flag(document: dict[str, Any], key: str) -> bool:
    """Return a boolean in an object; false if it is missing.  Raises Problem 400."""
    found = document.get(key, False)
    if not isinstance(found, bool):
        raise Problem(400, f"`{key}` is not true or false", reason="invalid")
    return found


def number_in_query(request: Request, name: str, default: int, most: int) -> int:
    """Return a positive number of the query, at most `most`.  Raises Problem 400."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= most):
        raise Problem(400, f"{name}={shown(text)} is not a number from 1 to {most}", reason="invalid")
    return int(text)


def word_in_query(request: Request, name: str, words: tuple[str, ...]) -> str:
    """Return one of some words of the query; empty if it is missing.  Raises Problem 400."""
    text = request.query_params.get(name, "")
    if text and text not in words:
        raise Problem(400, f"{name}={shown(text)} is unknown", reason="invalid", hint=f"one of: {', '.join(words)}")
    return text
