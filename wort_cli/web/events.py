"""`GET /v1/events`: transitions and progress of jobs as server-sent events.

A client that was disconnected continues with the id of the last event that it got (`Last-Event-ID`).  The stream of a
client with a token or a session ends some seconds after that is revoked or expires.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from wort_cli.web.access_file import Token
from wort_cli.web.auth import requester
from wort_cli.web.databases import database_of
from wort_cli.web.errors import Problem
from wort_cli.web.event_feed import Client, EventFeed

SILENCE = 15.0
"""Seconds after which a comment is sent, so that a proxy does not close the connection."""
CHECK_EVERY = 5.0
"""Seconds between checks whether the token or the session of a client is still valid."""


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route("/v1/events", events, methods=["GET"])]


async def events(request: Request) -> Response:
    """Send events until the client leaves."""
    run = request.query_params.get("id", "")
    if run and database_of(run) is None:
        raise Problem(400, "id is not the accession of a run or an assembly", reason="invalid", hint="id=SRR139146")
    text = request.headers.get("last-event-id", "")
    last = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    feed: EventFeed = request.app.state.services.feed
    if request.method == "HEAD":
        return Response(None, 200, headers, "text/event-stream")
    token = await requester(request)
    is_valid = None if token is None else partial(is_still_valid, request, token)
    return StreamingResponse(stream(feed, feed.join(run), last, is_valid), 200, headers, "text/event-stream")


async def is_still_valid(request: Request, token: Token) -> bool:
    """Return whether the client of a request may still do what its token or session allowed when it came."""
    try:
        now = await requester(request)
    except Problem:
        return False
    return now is not None and set(now.may) >= set(token.may)


async def stream(
    feed: EventFeed, client: Client, last: int | None, is_valid: Callable[[], Awaitable[bool]] | None = None
) -> AsyncIterator[str]:
    """Yield the events after one, and then new ones as they happen, as long as `is_valid`."""
    try:
        yield "retry: 3000\n\n"
        if last is not None:
            missed, _, _ = await run_in_threadpool(feed.news, last, time.time())
            for run, message in missed:
                if client.run in ("", run):
                    yield message
        sent_at = checked_at = time.monotonic()
        while (found := await next_message(client, SILENCE if is_valid is None else CHECK_EVERY)) is not None:
            now = time.monotonic()
            if is_valid is not None and now - checked_at >= CHECK_EVERY:
                checked_at = now
                if not await is_valid():
                    return
            if found or now - sent_at > SILENCE - CHECK_EVERY / 2:
                sent_at = now
                yield found or ": still here\n\n"
    finally:
        feed.leave(client)


async def next_message(client: Client, seconds: float) -> str | None:
    """Return the next message for a client; '' if there is none in so many seconds, None at the end of the stream."""
    try:
        async with asyncio.timeout(seconds):
            return await client.messages.get()
    except TimeoutError:
        return ""
