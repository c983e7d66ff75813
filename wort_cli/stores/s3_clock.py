"""Signs requests with the server's time where this machine's clock is wrong, as other SDKs of AWS do.

A server refuses a request whose time differs from its own by more than 15 minutes (RequestTimeTooSkewed).  Its answer
says its time: the request is sent again, and it and all later ones are signed with the clock plus the difference.
"""

import time
from datetime import UTC, datetime
from typing import Any

from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth, S3SigV4QueryAuth

from wort_cli.stores.s3_answers import LARGEST_SKEW, date_of

CORRECTED = "wort-"
"""The prefix of the names of the two ways to sign with a corrected time."""
OFFSET = "wort_clock_offset"
SIGNING_TIME = "%Y%m%dT%H%M%SZ"
SMALLEST_CORRECTION = 60.0
"""Seconds.  A server that refuses its own time is not asked again."""


class CorrectedTime:
    """Part of a signer: replaces the time of a request by the server's."""

    def _modify_request_before_signing(self, request: Any) -> None:
        at = datetime.fromtimestamp(time.time() + request.context[OFFSET], UTC)
        request.context["timestamp"] = at.strftime(SIGNING_TIME)
        super()._modify_request_before_signing(request)  # type: ignore[misc]


class CorrectedAuth(CorrectedTime, S3SigV4Auth):  # type: ignore[misc]
    """Signs in a header."""


class CorrectedQueryAuth(CorrectedTime, S3SigV4QueryAuth):  # type: ignore[misc]
    """Signs in a URL."""


class ServerClock:
    """The difference between a server's clock and this machine's, as a client has learned it."""

    def __init__(self) -> None:
        self.offset = 0.0

    def attach(self, client: Any) -> None:
        """Have a client of boto3 correct the time of its requests."""
        AUTH_TYPE_MAPS.update({f"{CORRECTED}s3v4": CorrectedAuth, f"{CORRECTED}s3v4-query": CorrectedQueryAuth})
        client.meta.events.register_first("needs-retry.s3", self._learn)
        client.meta.events.register_first("choose-signer.s3", self._choose)

    def _learn(self, response: Any, **_: Any) -> float | None:
        """Return the seconds until a request is sent again; None if that is not for this reason."""
        if response is None or response[1].get("Error", {}).get("Code") != "RequestTimeTooSkewed":
            return None
        server_time = date_of(response[1])
        offset = server_time - time.time() if server_time is not None else self.offset
        if abs(offset) > LARGEST_SKEW or abs(offset - self.offset) < SMALLEST_CORRECTION:
            return None
        self.offset = offset
        return 0.0

    def _choose(self, signature_version: Any, context: dict[str, Any], **_: Any) -> str | None:
        if not self.offset or signature_version not in ("s3v4", "s3v4-query"):
            return None
        context[OFFSET] = self.offset
        return f"{CORRECTED}{signature_version}"
