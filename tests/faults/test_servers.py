"""Servers that never answer, break off, or answer garbage: each job ends or waits with the right reason.

The toolkit itself would wait for minutes; the time limits here are a few seconds.  All faults of one place are tested
at the same time, each with its own run.
"""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.archive_server import ArchiveServer, Fate, Request
from tests.support.bucket import Bucket
from tests.support.homes import Home
from tests.support.locator_answers import error_entry
from tests.support.polling import until
from tests.support.proxy import Fate as S3Fate
from tests.support.proxy import Proxy
from tests.support.shelf import Shelf
from tests.support.submissions import valid_signature

RUN, OTHER = "SRR000001", "SRR000002"
PROPER = Fate()
BAD = {
    "SRR000010": Fate(silent=True),
    "SRR000011": Fate(noise=b""),
    "SRR000012": Fate(cut=0.5),
    "SRR000013": Fate(cut=0.5, stall=True),
    "SRR000014": Fate(status=200),
    "SRR000015": Fate(noise=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20),
    "SRR000016": Fate(status=503),
    "SRR000017": Fate(status=429, body=b""),
}
"""The fate of requests for a run: silence, a hang-up, an answer that breaks off or stalls, HTML, noise, refusals."""
STALLS, LIMITED = "SRR000013", "SRR000017"
Decision = Callable[[Request], Fate]
RESOLVE_TIMEOUT, STALL_TIMEOUT = 8.0, 3.0
"""Seconds; not shorter, because all runs are resolved at the same time."""
LONGEST = 300.0
"""Seconds until all jobs wait for a retry, on a busy machine."""
NO_PAUSE = {"WORT_REQUEST_PAUSE": "0.001"}
"""A setting with which a 429 for one run does not pause the others."""
LONG_PAUSE = {"WORT_REQUEST_PAUSE": "1000"}
PATIENT = {"WORT_RESOLVE_TIMEOUT": "60", "WORT_STALL_TIMEOUT": "60"}
"""For what is to succeed, however busy this machine is."""


@pytest.fixture
def ncbi(home: Home, shelf: Shelf) -> Iterator[ArchiveServer]:
    """A server that has some runs, and to which the home's toolkit sends its requests."""
    home.env |= {"WORT_RESOLVE_TIMEOUT": f"{RESOLVE_TIMEOUT}", "WORT_STALL_TIMEOUT": f"{STALL_TIMEOUT}"}
    large = shelf.large(20_000).read_bytes()
    runs = {RUN: large, OTHER: shelf.archive("clipped").read_bytes(), **dict.fromkeys(BAD, large)}
    with ArchiveServer(runs).serving() as server:
        home.configure_toolkit(*server.toolkit_lines())
        yield server


def resolver(request: Request) -> Fate:
    """Requests to the resolver fail."""
    return BAD[request.run] if request.method == "POST" else PROPER


def archive(request: Request) -> Fate:
    """Requests for the archive fail."""
    return PROPER if request.method == "POST" else BAD[request.run]


def decoder(request: Request) -> Fate:
    """Only the requests of the decoder fail."""
    return PROPER if request.method == "POST" or "sra-stat" in request.program else BAD[request.run]


def test_runs_are_computed_from_the_network(home: Home, shelf: Shelf, ncbi: ArchiveServer) -> None:
    home("compute", RUN, OTHER, "--now", env=PATIENT).expect(0)
    assert home.signature(RUN) == shelf.reference(shelf.large(20_000), RUN)
    assert home.signature(OTHER) == shelf.reference(shelf.archive("clipped"), OTHER)
    assert {request.method for request in ncbi.requests} >= {"POST", "GET"}


@pytest.mark.parametrize("place", [resolver, archive, decoder])
def test_job_waits_for_the_network_whatever_the_server_does(place: Decision, home: Home, ncbi: ArchiveServer) -> None:
    ncbi.fate = place
    home("daemon", "start", env={"WORT_JOBS": str(len(BAD)), "WORT_THREADS": "1", **NO_PAUSE}).expect(0)
    home("compute", *BAD).expect(0)
    for run, fate in BAD.items():
        job = home.until_job(run, "waiting", "done", "failed", "unavailable", seconds=LONGEST)
        # After some answers the toolkit itself retries, so that the job may reach its time limit only then.
        reason = "rate-limited" if run == LIMITED else "network"
        assert (job.state, job.reason, job.attempt) == ("waiting", reason, 1), fate
    assert not home.signature_files()
    home("daemon", "stop").expect(0)
    home.until_idle()


@pytest.mark.parametrize("place", [resolver, archive, decoder])
def test_no_requests_are_sent_while_the_rate_is_limited(
    place: Decision, home: Home, shelf: Shelf, ncbi: ArchiveServer
) -> None:
    """After a 429 of the resolver, the toolkit itself would send a thousand requests per second.

    No job sends a request during the pause that follows; a job whose archive is on disk is done.
    """
    limited = LIMITED
    ncbi.fate = lambda request: place(request) if request.run == limited else PROPER
    home("daemon", "start", env=LONG_PAUSE).expect(0)
    home("compute", limited).expect(0)
    assert home.until_job(limited, "waiting").reason == "rate-limited"
    asked = len(ncbi.requests)
    home("compute", RUN).expect(0)
    assert home.until_job(RUN, "waiting").reason == "rate-limited"
    assert home("status", RUN, "--json").expect(0).records()[0]["message"].startswith("NCBI asked for fewer requests")
    home.keep("SRR000003", shelf.archive())
    home("compute", "SRR000003", "--wait").expect(0)
    assert ncbi.requests[asked:] == []


def test_job_is_done_once_its_server_works_again(home: Home, shelf: Shelf, ncbi: ArchiveServer) -> None:
    """The server stalls while reads are decoded; this does not delay another job."""
    home.env |= {"WORT_RETRY_DELAY": "1", "WORT_JOBS": "2", "WORT_STALL_TIMEOUT": "2"}
    stalled = STALLS
    ncbi.fate = decoder
    home("daemon", "start").expect(0)
    home("compute", stalled).expect(0)
    home.keep("SRR000003", shelf.archive())
    home("compute", "SRR000003", "--wait").expect(0)
    home.until_job(stalled, "waiting", seconds=LONGEST)
    ncbi.fate = lambda request: PROPER
    home.until_job(stalled, "done")
    assert home.signature(stalled) == shelf.reference(shelf.large(20_000), stalled)
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


def test_error_of_the_resolver_does_not_make_a_run_unavailable(home: Home, ncbi: ArchiveServer) -> None:
    """An unavailable run would not be retried."""
    ncbi.locator = lambda run: error_entry(run, *RESOLVER_ANSWERS[run][:2])
    home("daemon", "start", env=NO_PAUSE).expect(0)
    home("compute", *RESOLVER_ANSWERS).expect(0)
    for run, (_, _, state, reason) in RESOLVER_ANSWERS.items():
        job = home.until_job(run, "waiting", "done", "failed", "unavailable", seconds=LONGEST)
        assert (job.state, job.reason) == (state, reason), job


# ---- ENA and NCBI, which are asked about a submission


@pytest.mark.parametrize("run", ["SRR000010", "SRR000012", "SRR000014", "SRR000015"])
def test_submission_is_accepted_unchecked_if_the_lookup_fails(run: str, home: Home, ncbi: ArchiveServer) -> None:
    """The signature is accepted, and its run is reported as *not checked*."""
    ncbi.fate = lambda request: BAD[run]
    home.env |= {"WORT_ENA_URL": f"{ncbi.url}/{RUN}", "WORT_NCBI_URL": f"{ncbi.url}/{RUN}"}
    home.env["WORT_LOOKUP_TIMEOUT"] = "1"
    began = time.monotonic()
    done = home("submit", "-", "--no-verify", "--json", stdin=valid_signature()).expect(0, "was not checked")
    assert done.records()[0]["source"] == "not checked"
    assert time.monotonic() - began < LONGEST


# ---- The bucket


def test_job_waits_while_the_bucket_answers_garbage(home: Home, shelf: Shelf, bucket: Bucket, proxy: Proxy) -> None:
    """A page of HTML, as from a captive portal, is neither an object nor the confirmation of a put."""
    home.keep(RUN, shelf.archive())
    proxy.decide = lambda method, path: S3Fate.HTML
    home("daemon", "start").expect(0)
    home("compute", RUN).expect(0)
    home.until_job(RUN, "waiting")
    proxy.decide = lambda method, path: S3Fate.HTML if method == "PUT" else S3Fate.PASS
    until(lambda: [state for state, _ in home.events(RUN)].count("waiting") > 1, "it waits again")
    proxy.decide = lambda method, path: S3Fate.PASS
    home("wait", RUN).expect(0)
    assert bucket.signature(RUN) == shelf.reference(shelf.archive(), RUN)
    assert {reason for state, reason in home.events(RUN) if state == "waiting"} == {"storage-down"}
