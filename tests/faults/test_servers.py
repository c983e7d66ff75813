"""Servers that never answer, break off, or answer garbage: each job ends or waits with the right reason.

The toolkit itself would wait for minutes; the time limits here are a few seconds.  All faults of one place are tested
at the same time, each with its own run.
"""

import time
from collections.abc import Iterator

import pytest

from tests.faults.servers import Asked, Decision, Fate, Ncbi
from tests.support.bucket import Bucket
from tests.support.homes import Home
from tests.support.proxy import Fate as S3Fate
from tests.support.proxy import Proxy
from tests.support.shelf import Shelf
from tests.support.submissions import valid_signature

RUN, OTHER = "SRR000001", "SRR000002"
BAD = {f"SRR00001{number}": fate for number, fate in enumerate(fate for fate in Fate if fate is not Fate.ANSWER)}
"""The fate of all requests for a run."""
RESOLVE_TIMEOUT, STALL_TIMEOUT = 8.0, 3.0
"""Seconds; not shorter, because all runs are resolved at the same time."""
LONGEST = 45.0
"""Seconds until all jobs wait for a retry."""
NO_PAUSE = {"WORT_REQUEST_PAUSE": "0.001"}
"""A setting with which a 429 for one run does not pause the others."""


@pytest.fixture
def ncbi(home: Home, shelf: Shelf) -> Iterator[Ncbi]:
    """A server that has some runs, and to which the home's toolkit sends its requests."""
    home.env |= {"WORT_RESOLVE_TIMEOUT": f"{RESOLVE_TIMEOUT}", "WORT_STALL_TIMEOUT": f"{STALL_TIMEOUT}"}
    runs = {RUN: shelf.large(20_000), OTHER: shelf.archive("clipped"), **dict.fromkeys(BAD, shelf.large(20_000))}
    with Ncbi(runs).serving() as server:
        home.configure_toolkit(*server.toolkit_lines())
        yield server


def resolver(asked: Asked, program: str, run: str) -> Fate:
    """Requests to the resolver fail."""
    return BAD[run] if asked is Asked.RESOLVER else Fate.ANSWER


def archive(asked: Asked, program: str, run: str) -> Fate:
    """Requests for the archive fail."""
    return BAD[run] if asked is Asked.ARCHIVE else Fate.ANSWER


def decoder(asked: Asked, program: str, run: str) -> Fate:
    """Only the requests of the decoder fail."""
    return Fate.ANSWER if asked is Asked.RESOLVER or "sra-stat" in program else BAD[run]


def no_faults(asked: Asked, program: str, run: str) -> Fate:
    """No request fails."""
    return Fate.ANSWER


def test_runs_are_computed_from_the_network(home: Home, shelf: Shelf, ncbi: Ncbi) -> None:
    home("compute", RUN, OTHER, "--now").expect(0)
    assert home.signature(RUN) == shelf.reference(ncbi.runs[RUN], RUN)
    assert home.signature(OTHER) == shelf.reference(ncbi.runs[OTHER], OTHER)
    assert {asked for asked, _ in ncbi.requests} == set(Asked)


@pytest.mark.parametrize("place", [resolver, archive, decoder])
def test_job_waits_for_the_network_whatever_the_server_does(place: Decision, home: Home, ncbi: Ncbi) -> None:
    ncbi.decide = place
    home("daemon", "start", env={"WORT_JOBS": str(len(BAD)), "WORT_THREADS": "1", **NO_PAUSE}).expect(0)
    home("compute", *BAD).expect(0)
    for run, fate in BAD.items():
        job = home.until_job(run, "waiting", "done", "failed", "unavailable", seconds=LONGEST)
        # After some answers the toolkit itself retries, so that the job may reach its time limit only then.
        reason = "rate-limited" if fate is Fate.TOO_MANY else "network"
        assert (job.state, job.reason, job.attempt) == ("waiting", reason, 1), fate
    assert not home.signature_files()
    home("daemon", "stop").expect(0)
    home.until_idle()


@pytest.mark.parametrize("place", [resolver, archive, decoder])
def test_no_requests_are_sent_while_the_rate_is_limited(place: Decision, home: Home, shelf: Shelf, ncbi: Ncbi) -> None:
    """After a 429 of the resolver, the toolkit itself would send a thousand requests per second.

    No job sends a request during the pause that follows; a job whose archive is on disk is done.
    """
    limited = next(run for run, fate in BAD.items() if fate is Fate.TOO_MANY)
    ncbi.decide = lambda asked, program, run: place(asked, program, limited) if run == limited else Fate.ANSWER
    home("daemon", "start").expect(0)
    home("compute", limited).expect(0)
    assert home.until_job(limited, "waiting").reason == "rate-limited"
    asked = len(ncbi.requests)
    home("compute", RUN).expect(0)
    assert home.until_job(RUN, "waiting").reason == "rate-limited"
    assert home("status", RUN, "--json").expect(0).json()[0]["message"].startswith("NCBI asked for fewer requests")
    home.keep("SRR000003", shelf.archive())
    home("compute", "SRR000003", "--wait").expect(0)
    assert ncbi.requests[asked:] == []


def test_job_is_done_once_its_server_works_again(home: Home, shelf: Shelf, ncbi: Ncbi) -> None:
    """The server stalls while reads are decoded; this does not delay another job."""
    home.env |= {"WORT_RETRY_DELAY": "1", "WORT_JOBS": "2", "WORT_STALL_TIMEOUT": "2"}
    stalled = next(run for run, fate in BAD.items() if fate is Fate.STALL)
    ncbi.decide = decoder
    home("daemon", "start").expect(0)
    home("compute", stalled).expect(0)
    home.keep("SRR000003", shelf.archive())
    home("compute", "SRR000003", "--wait").expect(0)
    home.until_job(stalled, "waiting", seconds=LONGEST)
    ncbi.decide = no_faults
    home.until_job(stalled, "done", seconds=60)
    assert home.signature(stalled) == shelf.reference(ncbi.runs[stalled], stalled)
    assert home.select("SELECT trust FROM signatures WHERE name = ?", stalled) == [("unproved",)]
    assert ("waiting", "network") in home.events(stalled)


RESOLVER_ANSWERS = {
    "SRR000021": (404, "Cannot resolve accession", "unavailable", "not-found"),
    "SRR000022": (403, "Access denied - please request permission to access phs000710/UR", "unavailable", "controlled"),
    "SRR000023": (403, "Access denied - object has not been published.", "unavailable", "withdrawn"),
    "SRR000024": (429, "Too Many Requests", "waiting", "rate-limited"),
    "SRR000025": (500, "Internal Server Error", "waiting", "network"),
    "SRR000026": (503, "Service Unavailable", "waiting", "network"),
    "SRR000027": (504, "Timeout", "waiting", "network"),
}
"""The status and message of the resolver for a run, and the state and reason of its job."""


def test_error_of_the_resolver_does_not_make_a_run_unavailable(home: Home, ncbi: Ncbi) -> None:
    """An unavailable run would not be retried."""
    ncbi.statuses |= {run: (status, message) for run, (status, message, _, _) in RESOLVER_ANSWERS.items()}
    home("daemon", "start", env=NO_PAUSE).expect(0)
    home("compute", *RESOLVER_ANSWERS).expect(0)
    for run, (_, _, state, reason) in RESOLVER_ANSWERS.items():
        job = home.until_job(run, "waiting", "done", "failed", "unavailable", seconds=LONGEST)
        assert (job.state, job.reason) == (state, reason), job


# ---- ENA and NCBI, which are asked about a submission


@pytest.mark.parametrize("fate", [Fate.SILENCE, Fate.DIE, Fate.RUBBISH, Fate.NOISE], ids=lambda fate: fate.name)
def test_submission_is_accepted_unchecked_if_the_lookup_fails(fate: Fate, home: Home, ncbi: Ncbi) -> None:
    """The signature is accepted, and its run is reported as *not checked*."""
    ncbi.decide = lambda asked, program, run: fate
    home.env |= {"WORT_ENA_URL": f"{ncbi.url}/archives/{RUN}", "WORT_NCBI_URL": f"{ncbi.url}/archives/{RUN}"}
    home.env["WORT_LOOKUP_TIMEOUT"] = "1"
    began = time.monotonic()
    done = home("submit", "-", "--no-verify", "--json", stdin=valid_signature()).expect(0, "was not checked")
    assert done.json()[0]["source"] == "not checked"
    assert time.monotonic() - began < 20


# ---- The bucket


def test_job_waits_while_the_bucket_answers_garbage(home: Home, shelf: Shelf, bucket: Bucket, proxy: Proxy) -> None:
    """A page of HTML, as from a captive portal, is neither an object nor the confirmation of a put."""
    home.keep(RUN, shelf.archive())
    proxy.decide = lambda method, path: S3Fate.HTML
    home("daemon", "start").expect(0)
    home("compute", RUN).expect(0)
    home.until_job(RUN, "waiting")
    proxy.decide = lambda method, path: S3Fate.HTML if method == "PUT" else S3Fate.PASS
    home.until_job(RUN, "queued", "running")
    home.until_job(RUN, "waiting")
    proxy.decide = lambda method, path: S3Fate.PASS
    home("wait", RUN).expect(0)
    assert bucket.signature(RUN) == shelf.reference(shelf.archive(), RUN)
    assert {reason for state, reason in home.events(RUN) if state == "waiting"} == {"storage-down"}
