"""Errors as clients get them: problem documents (RFC 9457) with `reason` and `hint` beside the four usual keys.

A problem of the server says nothing of its files: the sentence goes to the log, and the client gets a general one.
"""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response

from wort_cli.errors import NoSuchJob, StorageProblem, UsageError, WortError

LOG = logging.getLogger("wort.serve")
PROBLEM = "application/problem+json"
RETRY_AFTER = 10
"""Seconds after which a client may ask again when the home cannot be used now."""


class Problem(Exception):
    """A refusal: raised by a handler, sent as a problem document."""

    def __init__(
        self, status: int, detail: str, *, reason: str, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.reason, self.hint = status, detail, reason, hint
        self.headers = dict(headers or {})

    @property
    def response(self) -> Response:
        """The response that says it."""
        document = {
            "detail": self.detail,
            "status": self.status,
            "title": HTTPStatus(self.status).phrase,
            "type": "about:blank",
            "reason": self.reason,
        }
        if self.hint:
            document["hint"] = self.hint
        return Response(json.dumps(document, indent=2) + "\n", self.status, self.headers, PROBLEM)


class CompactJSON(Response):
    """JSON without spaces, and a newline at its end, as clients of the earlier service got it."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Return the body."""
        return json.dumps(content, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode() + b"\n"


def problem_of(error: WortError) -> Problem:
    """Return the refusal that an error of the library is to a client."""
    if isinstance(error, NoSuchJob):
        return Problem(404, error.sentence, reason="unknown", hint=error.hint)
    if isinstance(error, UsageError):
        return Problem(400, error.sentence, reason="invalid", hint=error.hint)
    LOG.error("%s", error.sentence)
    if isinstance(error, StorageProblem):
        return Problem(
            503,
            "the server cannot use its storage now",
            reason="storage-unavailable",
            hint="try again later",
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    return Problem(500, "the server has a problem, which its log describes", reason="server-error")


def as_problem(error: Exception) -> Problem:
    """Return the refusal that any error is to a client; what no client may know is logged."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, WortError):
        return problem_of(error)
    if isinstance(error, HTTPException):
        reason = {404: "no-such-path", 405: "no-such-method"}.get(error.status_code, "invalid")
        detail = {
            404: "The requested URL was not found on the server.",
            405: "The method is not allowed for the requested URL.",
        }.get(error.status_code, error.detail)
        headers = dict(error.headers or {})
        if "Allow" in headers:  # Starlette has the methods in a set
            headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
        return Problem(error.status_code, detail, reason=reason, headers=headers)
    LOG.error("unexpected error: %s", type(error).__name__, exc_info=error)
    return Problem(500, "the server has a problem, which its log describes", reason="server-error")
