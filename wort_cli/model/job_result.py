"""The result of an attempt: a stored signature, a verdict, or a failure.

A worker sends it to the coordinator through the queue, as a JSON document.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from wort_cli.model.failure import Failure, Reason
from wort_cli.model.provenance import Provenance, Trust
from wort_cli.model.verdict import Verdict


@dataclass(frozen=True)
class Published:
    """A signature that was written to a store, with its provenance."""

    path: str
    """The path relative to the local store's root; empty if the signature is only in the bucket."""
    size: int
    """The size of the signature file, in bytes."""
    provenance: Provenance
    remote: str = ""
    """The URL of the object in the bucket, if the upload was confirmed; else empty."""
    trust: Trust = Trust.COMPUTED
    sha256: str = ""
    """The sha256 of the file, or of the object if there is no file."""


@dataclass(frozen=True)
class JobResult:
    """The result of an attempt: a failure, or else a signature, a verdict, or both; none of them if cancelled."""

    job_id: int
    attempt: int
    published: Published | None = None
    failure: Failure | None = None
    verdict: Verdict | None = None
    work: int = 0
    """Finished parts that the next attempt can use, if this one failed (workspace.count_finished_parts)."""

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "JobResult":
        """Return the result from the data of `to_json`.  Raises ValueError, KeyError or TypeError if invalid."""
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
                sha256=str(published.get("sha256", "")),
            ),
            failure=failure and Failure(Reason(failure["reason"]), failure["detail"], failure["lasting"]),
            verdict=verdict and Verdict.from_json(verdict),
            work=int(data.get("work", 0)),
        )
