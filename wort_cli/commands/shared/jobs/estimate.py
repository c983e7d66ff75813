"""Estimates the cost of a list of runs: bases, bytes to fetch, disk and time, from archives and earlier jobs.

The speed, and the bases of a byte of an archive, are those of the newest signatures that were computed in this home.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BASES, BYTES, COUNT, SECONDS, Field
from wort_cli.ledger.catalog import Measured
from wort_cli.ledger.runs import Amounts
from wort_cli.model.units import format_bases, format_bytes, format_duration, format_rate

ESTIMATE = (
    Field("runs", COUNT, "The number of runs that would be computed"),
    Field("fetch", BYTES, "What would be fetched of all archives", optional=True),
    Field("archive_size", BYTES, "The size of all archives", optional=True),
    Field("disk", BYTES, "The disk that fetched archives take at a time", optional=True),
    Field("bases", BASES, "The length of all reads", optional=True),
    Field(
        "seconds", SECONDS, "The time that computing takes, at the speed of earlier jobs in this home", optional=True
    ),
)
NOTHING_KNOWN = Amounts(0, 0, 0, 0)
SAMPLE = 20
"""Archives of a longer list that are looked at."""


@dataclass(frozen=True)
class Estimate:
    """The totals of some runs; `bases` and `seconds` are None without a measurement."""

    fetch: float
    """Bytes to fetch."""
    archive_size: float
    """Bytes of the whole archives."""
    disk: float
    """Bytes of disk that fetched archives take at a time."""
    bases: float | None
    seconds: float | None


def sample_of(numbers: Sequence[int]) -> list[int]:
    """Return at most SAMPLE of some numbers, evenly spread over the list."""
    return [numbers[n * len(numbers) // SAMPLE] for n in range(SAMPLE)] if len(numbers) > SAMPLE else list(numbers)


def estimate(
    plans: Sequence[Mapping[str, Any]],
    runs: int,
    measured: Measured | None,
    jobs: int,
    ahead: int,
    metadata: Amounts = NOTHING_KNOWN,
) -> Estimate | None:
    """Estimate what `runs` runs take, from what is known of the archives of some of them; None if nothing is known.

    jobs: how many jobs run at a time; each takes as long as the measured ones
    ahead: how many archives are fetched beside running jobs
    metadata: the bases and bytes of the runs as ENA and NCBI list them, as far as they are known
    """
    known = [plan for plan in plans if plan["archive_size"] is not None]
    if not (known or metadata.with_bytes):
        return None
    looked_at = sum(plan["archive_size"] for plan in known)
    share = sum(plan["fetch"] or 0 for plan in known) / looked_at if looked_at else 1.0
    if metadata.with_bytes > len(known):
        archives = metadata.bytes * runs / metadata.with_bytes
    else:
        archives = looked_at * runs / len(known)
    fetch = archives * share
    disk = sum(sorted((plan["fetch"] or 0 for plan in plans), reverse=True)[: jobs + ahead])
    listed = metadata.bases * runs / metadata.with_bases if metadata.with_bases else None
    if measured is None:
        return Estimate(fetch, archives, disk, listed, None)
    bases = listed if listed is not None else archives * measured.bases / measured.archive_bytes
    return Estimate(fetch, archives, disk, bases, bases * measured.seconds / measured.bases / min(jobs, runs))


def estimate_record(found: Estimate | None, runs: int) -> dict[str, Any]:
    """Return an estimate with the keys of ESTIMATE; null for what is not known."""
    amounts = ("fetch", "archive_size", "disk", "bases", "seconds")
    values = {key: getattr(found, key) for key in amounts} if found else dict.fromkeys(amounts)
    return {"runs": runs, **{key: None if value is None else round(value) for key, value in values.items()}}


def sentences(
    found: Estimate | None, plans: Sequence[Mapping[str, Any]], runs: int, measured: Measured | None, jobs: int
) -> Iterator[str]:
    """Yield what a person should know before starting, from the estimate of some runs."""
    if found is None:
        yield "the size of these runs is not known, so that nothing can be estimated"
        return
    known = sum(plan["archive_size"] is not None for plan in plans)
    of = f" (estimated from {known} of them)" if known else " (as ENA and NCBI list them)"
    of = of if known < runs else ""
    if round(found.fetch):
        amount = f"{format_bytes(found.fetch)} to fetch of archives of {format_bytes(found.archive_size)}"
        amount += f", and about {format_bytes(found.disk)} of disk at a time" if found.disk else ""
    else:
        amount = f"nothing to fetch, {format_bytes(found.archive_size)} to read"
    yield f"{render.count(runs, 'run')}{of}: {amount}"
    if found.bases is not None and measured is None:
        yield f"{format_bases(found.bases)}; no run was computed in this home yet, so that the time is not known"
        return
    if found.bases is None or found.seconds is None or measured is None:
        yield "no run was computed in this home yet, so that bases and time cannot be estimated"
        return
    speed = format_rate(measured.bases / measured.seconds, "bp")
    yield (
        f"about {format_bases(found.bases)} and {format_duration(found.seconds)} with "
        f"{render.count(jobs, 'job')} at a time (each at {speed}, as {render.count(measured.jobs, 'earlier job')} here)"
    )
