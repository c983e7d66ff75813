"""Servers that never answer, die in the midst of it, or answer rubbish: each job ends or waits, with the right reason.

The toolkit itself waits for minutes; the time-outs here are a few seconds.  All that can go wrong at a place is tried
at once, each with a run of its own.
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
"""What becomes of requests for a run."""
RESOLVE_TIMEOUT, STALL_TIMEOUT = 8.0, 3.0
"""Seconds; all runs are resolved at the same time, so that the healthy parts take their time too."""
LONGEST = 45.0
"""Seconds until all wait for their next try."""
NO_PAUSE = {"WORT_REQUEST_PAUSE": "0.001"}
"""So that a run that is told 429 has no say in what becomes of the others."""


@pytest.fixture
def ncbi(home: Home, shelf: Shelf) -> Iterator[Ncbi]:
    """A server that knows some runs, asked by the home."""
    home.env |= {"WORT_RESOLVE_TIMEOUT": f"{RESOLVE_TIMEOUT}", "WORT_STALL_TIMEOUT": f"{STALL_TIMEOUT}"}
    runs = {RUN: shelf.large(20_000), OTHER: shelf.archive("clipped"), **dict.fromkeys(BAD, shelf.large(20_000))}
    with Ncbi(runs).serving() as server:
        home.configure_toolkit(*server.toolkit_lines())
        yield server


def resolver(asked: Asked, program: str, run: str) -> Fate:
    """It goes wrong when a run is looked for."""
    return BAD[run] if asked is Asked.RESOLVER else Fate.ANSWER


def archive(asked: Asked, program: str, run: str) -> Fate:
    """It goes wrong when the archive is opened."""
    return BAD[run] if asked is Asked.ARCHIVE else Fate.ANSWER


def reads(asked: Asked, program: str, run: str) -> Fate:
    """It goes wrong when the decoder reads; until then all was well."""
    return Fate.ANSWER if asked is Asked.RESOLVER or "sra-stat" in program else BAD[run]


def all_is_well(asked: Asked, program: str, run: str) -> Fate:
    """Nothing goes wrong."""
    return Fate.ANSWER


def test_runs_from_the_network(home: Home, shelf: Shelf, ncbi: Ncbi) -> None:
    home("compute", RUN, OTHER, "--now").expect(0)
    assert home.signature(RUN) == shelf.reference(ncbi.runs[RUN], RUN)
    assert home.signature(OTHER) == shelf.reference(ncbi.runs[OTHER], OTHER)
    assert {asked for asked, _ in ncbi.requests} == set(Asked)


@pytest.mark.parametrize("place", [resolver, archive, reads])
def test_whatever_the_server_does_the_run_waits_for_the_network(place: Decision, home: Home, ncbi: Ncbi) -> None:
    ncbi.decide = place
    home("daemon", "start", env={"WORT_JOBS": str(len(BAD)), "WORT_THREADS": "1", **NO_PAUSE}).expect(0)
    home("compute", *BAD).expect(0)
    for run, fate in BAD.items():
        job = home.until_job(run, "waiting", "done", "failed", "unavailable", seconds=LONGEST)
        # The toolkit tries again by itself after some answers, and may get as far as to be stopped only then.
        reason = "rate-limited" if fate is Fate.TOO_MANY else "network"
        assert (job.state, job.reason, job.attempt) == ("waiting", reason, 1), fate
    assert not home.signature_files()
    home("daemon", "stop").expect(0)
    home.until_idle()


@pytest.mark.parametrize("place", [resolver, archive, reads])
def test_who_is_told_to_ask_less_often_does_so(place: Decision, home: Home, shelf: Shelf, ncbi: Ncbi) -> None:
    """Told that by the resolver, the toolkit asks a thousand times a second.

    Nobody asks in the pause that follows; a run on disk goes on.
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


def test_a_run_is_done_once_its_server_lives_again(home: Home, shelf: Shelf, ncbi: Ncbi) -> None:
    """It stalls in the midst of its reads; another one is not held up by that."""
    home.env |= {"WORT_RETRY_DELAY": "1", "WORT_JOBS": "2", "WORT_STALL_TIMEOUT": "2"}
    stalled = next(run for run, fate in BAD.items() if fate is Fate.STALL)
    ncbi.decide = reads
    home("daemon", "start").expect(0)
    home("compute", stalled).expect(0)
    home.keep("SRR000003", shelf.archive())
    home("compute", "SRR000003", "--wait").expect(0)
    home.until_job(stalled, "waiting", seconds=LONGEST)
    ncbi.decide = all_is_well
    home.until_job(stalled, "done", seconds=60)
    assert home.signature(stalled) == shelf.reference(ncbi.runs[stalled], stalled)
    assert ("waiting", "network") in home.events(stalled)


SAID = {
    "SRR000021": (404, "Cannot resolve accession", "unavailable", "not-found"),
    "SRR000022": (403, "Access denied - please request permission to access phs000710/UR", "unavailable", "controlled"),
    "SRR000023": (403, "Access denied - object has not been published.", "unavailable", "withdrawn"),
    "SRR000024": (429, "Too Many Requests", "waiting", "rate-limited"),
    "SRR000025": (500, "Internal Server Error", "waiting", "network"),
    "SRR000026": (503, "Service Unavailable", "waiting", "network"),
    "SRR000027": (504, "Timeout", "waiting", "network"),
}
"""What a resolver says of a run, and what becomes of its job."""


def test_trouble_of_the_resolver_is_not_the_absence_of_the_run(home: Home, ncbi: Ncbi) -> None:
    """Which would be for good."""
    ncbi.statuses |= {run: (status, message) for run, (status, message, _, _) in SAID.items()}
    home("daemon", "start", env=NO_PAUSE).expect(0)
    home("compute", *SAID).expect(0)
    for run, (_, _, state, reason) in SAID.items():
        job = home.until_job(run, "waiting", "done", "failed", "unavailable", seconds=LONGEST)
        assert (job.state, job.reason) == (state, reason), job


# ---- Archives that are asked about a submission


@pytest.mark.parametrize("fate", [Fate.SILENCE, Fate.DIE, Fate.RUBBISH, Fate.NOISE], ids=lambda fate: fate.name)
def test_lookups_of_submissions(fate: Fate, home: Home, ncbi: Ncbi) -> None:
    """What is no answer is none: the signature is taken, its run is *not checked*."""
    ncbi.decide = lambda asked, program, run: fate
    home.env |= {"WORT_ENA_URL": f"{ncbi.url}/archives/{RUN}", "WORT_NCBI_URL": f"{ncbi.url}/archives/{RUN}"}
    home.env["WORT_LOOKUP_TIMEOUT"] = "1"
    began = time.monotonic()
    done = home("submit", "-", "--no-verify", "--json", stdin=valid_signature()).expect(0, "was not checked")
    assert done.json()[0]["source"] == "not checked"
    assert time.monotonic() - began < 20


# ---- The bucket


def test_a_bucket_that_answers_rubbish_is_waited_for(home: Home, shelf: Shelf, bucket: Bucket, proxy: Proxy) -> None:
    """As from a captive portal: a page of HTML is taken neither for an object nor for a put that worked."""
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
