"""Tests of the content of pages, from a home with a job in every state."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.polling import until
from tests.support.served_home import (
    CANCELLED,
    CLAIMED,
    DONE,
    FAILED,
    FOUND,
    GROUP,
    HOSTILE_GROUP,
    NOBODY,
    QUEUED,
    REFUTED,
    RUNNING,
    SOIL,
    SUBMITTED,
    UNAVAILABLE,
    WAITING,
    make_served_home,
)
from wort_cli.errors import UsageError
from wort_cli.health.status import read_status
from wort_cli.ledger.absences import AbsentRun
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.profile import SRA_V1
from wort_cli.model.provenance import Trust
from wort_cli.settings import Settings, load_settings
from wort_cli.web.pages.catalog_page import CatalogQuery, catalog_page
from wort_cli.web.pages.daemon_view import DaemonView
from wort_cli.web.pages.group_page import group_page, groups_page, pace_of
from wort_cli.web.pages.group_table import COLUMNS, HEADER, rows_before
from wort_cli.web.pages.home_page import home_page
from wort_cli.web.pages.lists_of_jobs import parse_before, parse_filter, queue_page
from wort_cli.web.pages.run_page import RunPage, run_page
from wort_cli.web.pages.search_page import harmless, search_page
from wort_cli.web.pages.spectra import Spectra
from wort_cli.web.pages.words import Standing

WITHHELD = frozenset({Trust.MISMATCH, Trust.UNPROVED})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("served") / "home"
    make_served_home(path)
    return path


@pytest.fixture(scope="module")
def settings(made: Path) -> Settings:
    return load_settings({"WORT_HOME": str(made), "WORT_JOBS": "2"})


@pytest.fixture(scope="module")
def ledger(made: Path) -> Iterator[Ledger]:
    opened = Ledger(made / "ledger.db")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def spectra(settings: Settings) -> Iterator[Spectra]:
    reader = Spectra(settings, patience=60)
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def daemon(settings: Settings, ledger: Ledger) -> DaemonView:
    return DaemonView.of(read_status(settings, ledger))


def page_of(ledger: Ledger, spectra: Spectra, name: str) -> RunPage:
    return run_page(ledger, parse_name(name), SRA_V1, spectra, WITHHELD)


CASES = {
    DONE: (Standing.HAVE, None, "The signature is here."),
    FOUND: (Standing.HAVE, None, "The signature is here."),
    REFUTED: (Standing.FAILED, "refuted", "The signature was refuted by a verification."),
    FAILED: (Standing.FAILED, "corrupt", f"It failed: {Reason.CORRUPT.sentence}."),
    UNAVAILABLE: (Standing.UNAVAILABLE, "withdrawn", f"There can be no signature: {Reason.WITHDRAWN.sentence}."),
    WAITING: (Standing.QUEUED, "network", f"It waits and is tried again: {Reason.NETWORK.sentence}."),
    RUNNING: (Standing.QUEUED, None, "It is being computed now."),
    CANCELLED: (Standing.FAILED, None, "Its job was cancelled."),
    QUEUED[0]: (Standing.QUEUED, None, "Queued; it starts next."),
    QUEUED[2]: (Standing.QUEUED, None, "Queued; 2 jobs start before it."),
    NOBODY: (Standing.UNKNOWN, None, "It was not requested here."),
}


@pytest.mark.parametrize("name", CASES)
def test_page_says_how_it_is_with_the_signature(ledger: Ledger, spectra: Spectra, name: str) -> None:
    page = page_of(ledger, spectra, name)
    assert (page.standing, page.reason, page.sentence) == CASES[name]
    assert page.is_known == (name != NOBODY)
    assert page.has_url == (name in (DONE, FOUND))
    json.dumps(page.document())


@pytest.mark.parametrize("name", [FAILED, UNAVAILABLE, WAITING])
def test_page_says_why_there_is_no_signature_and_what_can_be_done(ledger: Ledger, spectra: Spectra, name: str) -> None:
    page = page_of(ledger, spectra, name)
    (job,) = ledger.jobs.named(parse_name(name))
    assert job.reason is not None
    assert page.hint == job.reason.hint
    assert page.message == job.message
    assert [event.state for event in page.jobs[0].events] == ["queued", "running", str(job.state)]


def test_page_of_a_claimed_absence_names_who_claims_it(ledger: Ledger, spectra: Spectra) -> None:
    claim = AbsentRun(CLAIMED, Reason.CONTROLLED, 1_700_000_000.0, "s3://other/absent.csv")
    ledger.absences.replace_claims(claim.origin, SRA_V1.name, [claim])
    page = page_of(ledger, spectra, CLAIMED)
    assert (page.standing, page.reason) == (Standing.UNAVAILABLE, "controlled")
    assert page.message == "according to s3://other/absent.csv of 2023-11-14"
    assert page.is_known


def test_page_of_a_run_that_a_report_calls_failed_says_why(ledger: Ledger, spectra: Spectra) -> None:
    claim = AbsentRun("SRR7000009", Reason.CORRUPT, 1_700_000_000.0, "file:///r.jsonl")
    ledger.absences.replace_claims(claim.origin, SRA_V1.name, [claim])
    page = page_of(ledger, spectra, claim.name)
    assert (page.standing, page.reason) == (Standing.FAILED, "corrupt")
    assert page.hint == f"`wort compute {claim.name}` tries it here"


def test_page_shows_progress_that_the_ledger_has(ledger: Ledger, spectra: Spectra) -> None:
    page = page_of(ledger, spectra, RUNNING)
    assert page.is_live
    assert page.job is not None and page.job.progress is not None
    assert page.job.progress.fraction == 0.62
    assert "620,000 of 1,000,000 spots (62%)" in page.job.progress.sentence
    assert page.job.progress.sentence.endswith(" left")
    assert page.job.progress.remaining and 60 < page.job.progress.remaining < 72


def test_page_shows_sketches_and_histograms(ledger: Ledger, spectra: Spectra) -> None:
    page = page_of(ledger, spectra, DONE)
    assert page.signature is not None
    assert [sketch.k for sketch in page.signature.sketches] == [21, 31, 51]
    assert [drawing.title for drawing in page.drawings] == ["k=21", "k=31", "k=51"]
    for sketch in page.signature.sketches:
        assert sum(hashes for _, _, hashes in sketch.bins) == sketch.hashes
        assert sketch.singletons == sketch.bins[0][2]
        assert sketch.distinct_kmers == 1000 * sketch.hashes
    assert not page.is_live
    assert page.metadata is not None and page.metadata["organism"] == "marine metagenome"


def test_page_marks_what_a_publisher_says(ledger: Ledger, spectra: Spectra) -> None:
    found, own = page_of(ledger, spectra, FOUND).signature, page_of(ledger, spectra, DONE).signature
    assert found is not None and own is not None
    assert (found.is_claim, own.is_claim) == (True, False)
    assert found.trust == "published"


def test_page_shows_submissions(ledger: Ledger, spectra: Spectra) -> None:
    page = page_of(ledger, spectra, SUBMITTED)
    assert [one.trust for one in page.submissions] == ["unverified"]
    assert page.is_known and page.standing is Standing.UNKNOWN


def test_page_does_not_wait_for_a_large_signature(settings: Settings, ledger: Ledger) -> None:
    spectra = Spectra(settings, patience=0.0)
    page = page_of(ledger, spectra, DONE)
    assert page.signature is not None
    assert page.signature.is_being_read or page.drawings
    assert page.is_live == page.signature.is_being_read
    assert [sketch.hashes for sketch in page.signature.sketches]
    assert until(lambda: page_of(ledger, spectra, DONE).drawings, "the signature was read")
    spectra.close()


def test_histograms_are_not_those_of_another_file(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "home"
    shutil.copytree(made, copy)
    ledger, settings = Ledger(copy / "ledger.db"), load_settings({"WORT_HOME": str(copy)})
    record = ledger.catalog.get(parse_name(DONE), SRA_V1.name)
    assert record is not None
    path, spectra = copy / "signatures" / record.path, Spectra(settings, patience=60)
    content = path.read_bytes()
    path.write_bytes((made / "signatures" / "sigs" / "ERR224" / f"{FOUND}.sig").read_bytes())
    assert "not the signature" in spectra.of(record, SRA_V1).why_not
    path.unlink()
    assert "missing" in spectra.of(record, SRA_V1).why_not
    path.write_bytes(content)
    assert spectra.of(record, SRA_V1).sketches, "a fault that passes is not remembered"
    path.unlink()
    assert spectra.of(record, SRA_V1).sketches, "what was read is kept"
    spectra.close()
    ledger.close()


def test_first_page_counts_and_lists_the_newest(ledger: Ledger, daemon: DaemonView) -> None:
    page = home_page(ledger, daemon)
    assert [one.name for one in page.newest] == [REFUTED, FOUND, DONE]
    assert [job.name for job in page.running] == [RUNNING]
    assert page.is_live
    json.dumps(page.document())


def test_queue_counts_states_with_their_reasons(ledger: Ledger, daemon: DaemonView) -> None:
    page = queue_page(ledger, daemon, JobFilter(), None)
    counts = {count.state: (count.jobs, count.reasons) for count in page.daemon.counts}
    assert counts["failed"] == (1, (("corrupt", 1),))
    assert counts["queued"] == (3, ())
    assert page.selected == len(page.jobs) == 9
    assert page.next_before is None
    assert page.reasons == ("corrupt", "network", "withdrawn")
    json.dumps(page.document())


@pytest.mark.parametrize(
    "given", [{"state": "lost"}, {"reason": "x'; --"}, {"state": "queued", "reason": "no"}], ids=str
)
def test_filters_that_there_cannot_be_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(UsageError) as error:
        parse_filter(given)
    assert error.value.hint


@pytest.mark.parametrize("text", ["0", "-1", "1e3", "²", "9" * 19, "9" * 20, "1 OR 1"])
def test_numbers_that_no_job_has_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_before(text)
    assert parse_before("") is None
    assert parse_before("17") == 17


def test_group_has_counts_and_reasons(ledger: Ledger) -> None:
    page = group_page(ledger, GROUP)
    assert (page.members, page.done, page.live) == (6, 1, 2)
    assert {job.name for job in page.jobs} == {DONE, FAILED, UNAVAILABLE, WAITING, CANCELLED, RUNNING}
    assert (page.amounts.runs, page.amounts.bases) == (5, 5 * (SOIL.bases or 0))
    assert page.amounts.bases_done == SOIL.bases, "one of them has its signature"
    assert page.pace.ended == 3 and page.pace.per_hour is not None and page.pace.seconds_left is not None
    assert [(one.state, one.reason, one.jobs, one.examples) for one in page.missing] == [
        ("failed", "corrupt", 1, (FAILED,)),
        ("unavailable", "withdrawn", 1, (UNAVAILABLE,)),
        ("waiting", "network", 1, (WAITING,)),
    ]
    listed = {one.group: one.members for one in groups_page(ledger).groups}
    assert listed == {GROUP: 6, HOSTILE_GROUP: 3}
    with pytest.raises(UsageError):
        group_page(ledger, "nothing")


@pytest.mark.parametrize(
    ("ended", "first", "live", "pace"),
    [
        (0, None, 5, (None, None)),
        (2, 90.0, 5, (None, None)),
        (11, 0.0, 50, (360.0, 500.0)),
        (11, 0.0, 0, (360.0, None)),
        (11, 100.0, 5, (None, None)),
    ],
)
def test_rate_is_that_of_the_last_hour(
    ended: int, first: float | None, live: int, pace: tuple[float | None, float | None]
) -> None:
    found = pace_of(ended, first, live, now=100.0)
    assert (found.per_hour, found.seconds_left) == pace


def test_table_of_a_group_is_whole_in_pieces(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.web.pages.group_table.ROWS", 2)
    text, before = HEADER, 10**9
    while before:
        rows, before = rows_before(lambda: ledger, JobFilter(group=GROUP), before)
        text += rows
    table = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in table] == [RUNNING, CANCELLED, WAITING, UNAVAILABLE, FAILED, DONE]
    assert set(table[0]) == set(COLUMNS)


def test_catalog_is_read_in_pages(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.web.pages.catalog_page.ROWS", 2)
    first = catalog_page(ledger, SRA_V1, ("sra-v1",), CatalogQuery())
    assert [one.name for one in first.signatures] == [FOUND, REFUTED]
    second = catalog_page(ledger, SRA_V1, ("sra-v1",), CatalogQuery(after=first.next_after))
    assert [one.name for one in second.signatures] == [DONE]
    assert second.next_after == ""


def test_catalog_is_filtered_by_start_and_trust(ledger: Ledger) -> None:
    def names(**given: str) -> list[str]:
        page = catalog_page(ledger, SRA_V1, ("sra-v1",), CatalogQuery.parse(given))
        return [one.name for one in page.signatures]

    assert names(start="srr0") == [REFUTED]
    assert names(trust="published") == [FOUND]
    assert names(start="SRR", trust="published") == []
    for given in ({"trust": "high"}, {"start": "a*b"}, {"after": "<b>"}):
        with pytest.raises(UsageError):
            CatalogQuery.parse(given)


def test_rare_trust_is_looked_for_in_bounded_steps(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.web.pages.catalog_page.SCANNED", 1)
    found, after, steps = [], "", 0
    while True:
        page = catalog_page(ledger, SRA_V1, ("sra-v1",), CatalogQuery(trust=Trust.COMPUTED, after=after))
        found += [one.name for one in page.signatures]
        steps += 1
        if not page.next_after:
            break
        assert page.is_partial
        assert page.next_after > after
        after = page.next_after
    assert found == [DONE]
    assert steps == 2


def test_list_is_answered_in_its_order(ledger: Ledger) -> None:
    names = (UNAVAILABLE, NOBODY, DONE, QUEUED[0], FAILED, REFUTED, WAITING)
    page = search_page(ledger, SRA_V1.name, " ".join([*names, "PRJNA1", DONE]))
    assert [answer.name for answer in page.answers] == list(names)
    assert [str(answer.standing) for answer in page.answers] == [
        "unavailable", "unknown", "have", "queued", "failed", "failed", "queued",
    ]  # fmt: skip
    assert page.answers[0].reason == "withdrawn"
    assert page.answers[2].trust == "computed"
    assert page.not_understood == ("PRJNA1",)
    assert dict(page.counts)[Standing.HAVE] == 1
    rows = list(csv.DictReader(io.StringIO(page.csv())))
    assert [row["standing"] for row in rows] == [str(answer.standing) for answer in page.answers]


def test_project_in_a_list_stands_for_its_runs(ledger: Ledger) -> None:
    page = search_page(ledger, SRA_V1.name, f"{NOBODY} prjna395437 PRJNA1")
    assert page.records == (("PRJNA395437", 6),)
    assert [answer.name for answer in page.answers] == [
        NOBODY,
        *sorted([DONE, FOUND, FAILED, UNAVAILABLE, WAITING, RUNNING]),
    ]
    assert page.not_understood == ("PRJNA1",)
    assert page.document()["records"] == [{"record": "PRJNA395437", "runs": 6}]


def test_too_long_a_list_is_refused(ledger: Ledger) -> None:
    with pytest.raises(UsageError):
        search_page(ledger, SRA_V1.name, " ".join(f"SRR{n}" for n in range(1_000_000, 1_010_001)))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_cells_are_no_formulas(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert harmless("SRR000001") == "SRR000001"


def test_job_states_of_the_cases_are_those_of_the_ledger(ledger: Ledger) -> None:
    assert {job.state for job in ledger.jobs.matching(JobFilter())} == set(JobState)
