"""The result of an attempt: a published signature, a verdict, or a failure.

It is a JSON document, because it crosses the queue and perhaps a network.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from wort_cli.model.failure import Failure, Reason
from wort_cli.model.provenance import Provenance, Trust
from wort_cli.model.verdict import Verdict


@dataclass(frozen=True)
class Published:
    """A signature that stands in a store, and how it came to be."""

    path: str
    """In the local store; empty if it is in the bucket only."""
    size: int
    """Bytes."""
    provenance: Provenance
    remote: str = ""
    """Its address in the bucket, if it was seen to stand there."""
    trust: Trust = Trust.COMPUTED


@dataclass(frozen=True)
class JobResult:
    """How an attempt ended: with a failure, or else with a signature, a verdict, or both."""

    job_id: int
    attempt: int
    published: Published | None = None
    failure: Failure | None = None
    verdict: Verdict | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "JobResult":
        """The inverse of `to_json`."""
        published, failure, verdict = data["published"], data["failure"], data["verdict"]
        return cls(
            job_id=data["job_id"],
            attempt=data["attempt"],
            published=published
            and Published(
                path=published["path"],
                size=published["size"],
                provenance=Provenance.from_json(published["provenance"]),
                remote=published["remote"],
                trust=Trust(published["trust"]),
            ),
            failure=failure and Failure(Reason(failure["reason"]), failure["detail"], failure["lasting"]),
            verdict=verdict and Verdict.from_json(verdict),
        )
