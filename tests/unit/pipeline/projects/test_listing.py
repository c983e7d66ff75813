"""Tests of the listing of a record's runs: every answer of the table, differences of the services, pages, GEO."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.run_lists import RunLists, ena_text, ncbi_text, run
from wort_cli.errors import ExitCode, UsageError, WortError
from wort_cli.model.accession import RecordAccession
from wort_cli.pipeline.projects import ena, listing, ncbi
from wort_cli.pipeline.projects.answers import ENA, FAULTS, MEANINGS, NCBI, Fault, Meaning, Outcome, Recorded
from wort_cli.pipeline.projects.kept import EnaQuery, Listing, Selection
from wort_cli.pipeline.projects.listing import NoRuns, NotListed, list_runs
from wort_cli.settings import Settings, load_settings

PROJECT = RecordAccession("PRJNA1")
RUNS = [run(1), run(2), run(3)]


@pytest.fixture
def lists() -> Iterator[RunLists]:
    with RunLists().serving() as server:
        server.put(PROJECT, RUNS)
        yield server


@pytest.fixture
def settings(lists: RunLists, tmp_path: Path) -> Settings:
    return load_settings({**lists.env, "WORT_HOME": str(tmp_path)})


def names(found: Listing) -> list[str]:
    return [row.run.run for row in found.rows()]


def answering(service: str, recorded: Recorded) -> Any:
    """Return answers in which one service, in its list, answers as recorded."""
    place = "/filereport" if service == ENA else "/efetch"
    return lambda path: recorded if place in path else None


def test_both_lists_agree(settings: Settings) -> None:
    found = list_runs(PROJECT, settings)
    assert names(found) == ["SRR000001", "SRR000002", "SRR000003"]
    assert (found.runs, found.bases, found.bytes) == (3, 450_000, 6 << 20)
    assert [(w.service, w.runs) for w in found.witnesses] == [(ENA, 3), (NCBI, 3)]
    assert list(found.sentences()) == []
    first = next(found.rows())
    assert first.services == (ENA, NCBI)
    assert (first.run.organism, first.run.taxid, first.run.released) == ("human gut metagenome", 408170, "2020-02-03")
    assert (first.run.project, first.run.study, first.run.biosample) == ("PRJNA1", "SRP000001", "SAMN00000001")


def test_runs_of_either_list_are_taken_and_the_difference_is_shown(lists: RunLists, settings: Settings) -> None:
    lists.ena[PROJECT], lists.ncbi[PROJECT] = [run(1), run(2)], [run(2), run(3), run(4)]
    found = list_runs(PROJECT, settings)
    assert names(found) == ["SRR000001", "SRR000002", "SRR000003", "SRR000004"]
    assert list(found.sentences()) == [
        "PRJNA1: ENA lists 2 and NCBI lists 3 runs; all 4 are taken (1 only ENA, 2 only NCBI)"
    ]


@pytest.mark.parametrize(
    "meaning",
    [row for row in MEANINGS if row.outcome is not Outcome.ROWS],
    ids=lambda row: f"{row.service or 'both'}-{row.status}-{row.outcome}-{len(row.pattern)}",
)
def test_answer_without_rows_is_understood(meaning: Meaning, lists: RunLists, settings: Settings) -> None:
    service = meaning.service or ENA
    lists.answers = answering(service, meaning.example)
    found = list_runs(PROJECT, settings)
    said = next(witness for witness in found.witnesses if witness.service == service)
    assert said.runs == (0 if meaning.outcome is Outcome.NO_RUNS else None)
    if said.runs is None:
        assert said.why.startswith(meaning.sentence) or "asked for fewer requests" in said.why
    assert names(found) == [item["run"] for item in RUNS]
    assert any(service in sentence for sentence in found.sentences())


@pytest.mark.parametrize("kind", Fault)
def test_answer_with_a_fault_is_not_used(
    kind: Fault, lists: RunLists, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ena, "LIMIT", 2)
    service, sentence, recorded = FAULTS[kind]
    header, row, _ = ena_text([run(8)]).split("\n")
    parts = {"{header}": f"{header}\n", "{row}": f"{row}\n", "{rows}": ena_text([run(8), run(9)]).partition("\n")[2]}
    body = recorded.body
    for name, text in parts.items():
        body = body.replace(name, text)
    recorded = Recorded(body, recorded.status, recorded.headers, recorded.cut, recorded.unbounded)
    place = "/esearch" if kind is Fault.NOT_JSON else "/filereport" if service == ENA else "/efetch"
    lists.answers = lambda path: recorded if place in path else None
    found = list_runs(PROJECT, settings)
    said = next(witness for witness in found.witnesses if witness.service == service)
    assert said.runs is None
    assert sentence.removeprefix("its answer ") in said.why
    assert names(found) == [item["run"] for item in RUNS]
    assert "so that runs may be missing" in next(found.sentences())


def test_no_list_is_an_error_with_both_reasons(lists: RunLists, settings: Settings) -> None:
    lists.answers = lambda path: Recorded("down", 502)
    with pytest.raises(NotListed, match=r"not known: ENA: .*HTTP status 502.*; NCBI: .*502") as error:
        list_runs(PROJECT, settings)
    assert error.value.exit_code is ExitCode.TEMPORARY
    assert not settings.listings_dir.exists()


def test_nobody_answers_without_a_network(settings: Settings, lists: RunLists, tmp_path: Path) -> None:
    off = {**lists.env, "WORT_HOME": str(tmp_path)}
    off |= {"WORT_ENA_URL": "http://127.0.0.1:9/filereport", "WORT_ENTREZ_URL": "http://127.0.0.1:9/eutils"}
    with pytest.raises(NotListed, match="cannot be reached: Connection refused"):
        list_runs(PROJECT, load_settings(off))


def test_denial_of_one_does_not_count_while_the_other_is_down(lists: RunLists, settings: Settings) -> None:
    lists.ena.clear()
    lists.answers = answering(NCBI, Recorded("down", 500))
    with pytest.raises(NotListed):
        list_runs(PROJECT, settings)


def test_record_without_runs_is_unavailable(settings: Settings) -> None:
    with pytest.raises(NoRuns, match="ENA and NCBI list no runs of SRX999999") as error:
        list_runs(RecordAccession("SRX999999"), settings)
    assert error.value.exit_code is ExitCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("selection", "off"),
    [
        (PROJECT, ("WORT_ENA_URL", "WORT_ENTREZ_URL")),
        (RecordAccession("GSE1"), ("WORT_ENTREZ_URL",)),
        (EnaQuery("tax_eq(9606)"), ("WORT_ENA_URL",)),
    ],
    ids=["project", "geo", "query"],
)
def test_services_that_are_off_are_not_asked(
    selection: Selection, off: tuple[str, ...], lists: RunLists, tmp_path: Path
) -> None:
    environ = {**lists.env, "WORT_HOME": str(tmp_path), **dict.fromkeys(off, "off")}
    with pytest.raises(UsageError, match="off"):
        list_runs(selection, load_settings(environ))
    assert lists.requests == []


def test_request_that_failed_is_sent_again(lists: RunLists, settings: Settings) -> None:
    failed = set[str]()

    def once(path: str) -> Recorded | None:
        if path in failed:
            return None
        failed.add(path)
        return Recorded(ena_text(RUNS[:2]), cut=True) if "/filereport" in path else Recorded("", 503)

    lists.answers = once
    found = list_runs(PROJECT, settings)
    assert names(found) == [item["run"] for item in RUNS]
    assert list(found.sentences()) == []


def test_pages_come_without_a_header(lists: RunLists, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ncbi.list_of_record, "__defaults__", (2,))
    lists.ena.clear()
    lists.ncbi[PROJECT] = [run(number) for number in range(1, 6)]
    found = list_runs(PROJECT, settings)
    assert found.runs == 5
    assert sum("efetch" in path for path in lists.requests) == 3


@pytest.mark.parametrize("fault", [Recorded("", cut=True), Recorded("<html>", 200), Recorded("slow down", 429)])
def test_list_of_which_a_later_page_has_a_fault_is_not_used(
    fault: Recorded, lists: RunLists, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ncbi.list_of_record, "__defaults__", (2,))
    lists.ncbi[PROJECT] = [run(number) for number in range(1, 6)]
    lists.answers = lambda path: fault if "retstart=4" in path else None
    found = list_runs(PROJECT, settings)
    assert [(w.service, w.runs) for w in found.witnesses] == [(ENA, 3), (NCBI, None)]
    assert "so that runs may be missing" in next(found.sentences())
    lists.ena.clear()
    with pytest.raises(NotListed):
        list_runs(PROJECT, settings, refresh=True)


LIST = r"""
import json, re
from wort_cli.model.accession import RecordAccession
from wort_cli.pipeline.projects.listing import list_runs
from wort_cli.settings import load_settings
found = list_runs(RecordAccession("PRJNA1"), load_settings())
print(json.dumps([found.runs, found.bases, sum(1 for _ in found.rows()), [w.runs for w in found.witnesses]]))
print(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1])
"""
"""VmHWM is the peak since the start of Python; ru_maxrss includes that of the process which started it."""


def test_project_of_250_000_runs_is_listed_as_a_whole(lists: RunLists, tmp_path: Path) -> None:
    number = 250_000
    lists.put_many(PROJECT, number)
    env = {**os.environ, **lists.env, "WORT_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", LIST], env=env, capture_output=True, text=True, check=True)
    listed, kilobytes = done.stdout.splitlines()
    assert json.loads(listed) == [number, number * 150_000, number, [number, number]]
    assert int(kilobytes) < 300_000


def test_first_page_without_a_header_has_the_documented_columns(lists: RunLists, settings: Settings) -> None:
    lists.answers = answering(NCBI, Recorded(ncbi_text(RUNS, header=False)))
    assert list_runs(PROJECT, settings).witnesses[1].runs == 3


def test_experiments_without_runs_are_counted(lists: RunLists, settings: Settings) -> None:
    lists.ncbi[PROJECT] = [*RUNS, run(4, run="")]
    assert list(list_runs(PROJECT, settings).sentences()) == ["PRJNA1: NCBI: 1 of 4 experiments have no run"]


def test_geo_series_refers_to_a_study(lists: RunLists, settings: Settings) -> None:
    lists.geo["GSE18729"] = {
        "uid": "200018729",
        "accession": "GSE18729",
        "bioproject": "PRJNA120",
        "extrelations": [{"relationtype": "SRA", "targetobject": "SRP000002", "targetftplink": ""}],
    }
    lists.put("SRP000002", [run(7)])
    found = list_runs(RecordAccession("GSE18729"), settings)
    assert (names(found), found.targets) == (["SRR000007"], ("SRP000002",))


def test_geo_sample_without_reads_is_unavailable(lists: RunLists, settings: Settings) -> None:
    lists.geo["GSM1"] = {"uid": "1", "accession": "GSM1", "extrelations": []}
    with pytest.raises(NoRuns):
        list_runs(RecordAccession("GSM1"), settings)


def test_query_is_asked_of_ena_alone(lists: RunLists, settings: Settings) -> None:
    query = EnaQuery('tax_eq(408170) AND library_strategy="WGS"')
    lists.ena[query] = RUNS
    assert names(list_runs(query, settings)) == [item["run"] for item in RUNS]
    assert [path.partition("?")[0] for path in lists.requests] == ["/ena/portal/api/search"]


def test_listing_is_kept_for_its_time(lists: RunLists, settings: Settings) -> None:
    first = list_runs(PROJECT, settings)
    asked = len(lists.requests)
    assert list_runs(PROJECT, settings) == first
    assert len(lists.requests) == asked
    list_runs(PROJECT, settings, refresh=True)
    assert len(lists.requests) == 2 * asked


def test_incomplete_listing_is_not_used_again(lists: RunLists, settings: Settings) -> None:
    lists.answers = answering(ENA, Recorded("down", 500))
    assert not list_runs(PROJECT, settings).is_complete
    lists.answers = lambda path: None
    assert list_runs(PROJECT, settings).is_complete


@pytest.mark.parametrize("damage", [b"", b"no gzip", b"\x1f\x8b"], ids=["empty", "text", "truncated"])
def test_damaged_listing_is_made_again(damage: bytes, settings: Settings) -> None:
    path = list_runs(PROJECT, settings).path
    path.write_bytes(damage)
    assert list_runs(PROJECT, settings).runs == 3


def test_control_characters_are_not_passed_on(lists: RunLists, settings: Settings) -> None:
    lists.put(PROJECT, [run(1, organism="x\x1b[31m\u202ey")])
    assert next(list_runs(PROJECT, settings).rows()).run.organism == "x [31m y"


def test_damaged_rows_are_an_error(settings: Settings) -> None:
    found = list_runs(PROJECT, settings)
    found.path.write_bytes(found.path.read_bytes()[:-20])
    with pytest.raises(WortError, match="cannot be read"):
        list(found.rows())


def test_services_are_asked_with_patience() -> None:
    assert listing.TIMEOUTS.silence >= 60
