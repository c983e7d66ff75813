"""Tests of the location of an assembly, and of the reason for each that is unavailable."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.archive_server import ArchiveServer, Fate
from tests.support.assemblies import Assembly, filler, site
from wort_cli.model.accession import AssemblyAccession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.assemblies.locate import AssemblyLocator, LocatedAssembly
from wort_cli.pipeline.assemblies.requests import Requests

COLI = Assembly(sequences=b">1\nACGT\n")
OTHERS = filler(5)
SUPPRESSED = replace(COLI, status="suppressed")
SUMS = f"{COLI.parent}/{COLI.directory}/md5checksums.txt"


def locate(
    server: ArchiveServer, client: Requests, accession: str = COLI.accession, log: list[str] | None = None
) -> LocatedAssembly:
    messages = [] if log is None else log
    base = f"{server.url}/genomes"
    return AssemblyLocator(client, base, messages.append).locate(AssemblyAccession(accession))


def failure(server: ArchiveServer, client: Requests, accession: str = COLI.accession) -> tuple[Reason, str]:
    with pytest.raises(JobFailed) as failed:
        locate(server, client, accession)
    return failed.value.failure.reason, str(failed.value)


def test_current_assembly_is_found_by_its_table(server: ArchiveServer, client: Requests) -> None:
    server.files |= site([*OTHERS, COLI])
    found = locate(server, client)
    assert (found.title, found.url) == (COLI.title, f"{server.url}/{COLI.path}")
    assert found.md5
    assert dict(found.facts) == {
        "organism": COLI.organism,
        "strain": COLI.strain,
        "asm_name": COLI.asm_name,
        "status": "latest",
        "listed_in": "assembly_summary_genbank.txt",
    }
    assert len(server.requests) == 3  # the table's start, its rows, the sums


def test_suppressed_assembly_is_found_by_the_historical_table(server: ArchiveServer, client: Requests) -> None:
    server.files |= site(OTHERS, [replace(SUPPRESSED, ftp_path="na")])
    log: list[str] = []
    found = locate(server, client, log=log)
    assert (found.title, found.facts["listed_in"]) == (COLI.title, "assembly_summary_genbank_historical.txt")
    assert log == ["GCA_000005845.2 is suppressed, according to assembly_summary_genbank_historical.txt"]


@pytest.mark.parametrize("has_tables", [True, False])
def test_assembly_that_no_table_lists_is_found_by_the_layout(
    server: ArchiveServer, client: Requests, *, has_tables: bool
) -> None:
    server.files |= site(OTHERS, unlisted=[COLI, replace(COLI, accession="GCA_000005845.1")])
    if not has_tables:
        server.files = {path: data for path, data in server.files.items() if "ASSEMBLY_REPORTS" not in path}
    found = locate(server, client)
    assert (found.title, found.facts["status"]) == (COLI.title, "")
    assert found.facts["listed_in"] == f"{COLI.directory}_assembly_report.txt"


def test_directory_that_a_table_names_wrongly_is_found_by_the_layout(server: ArchiveServer, client: Requests) -> None:
    named = f"https://ftp.ncbi.nlm.nih.gov/{COLI.parent}/GCA_000005845.2_old"
    server.files |= site([replace(COLI, ftp_path=named)])
    assert locate(server, client).url == f"{server.url}/{COLI.path}"


def test_identical_assembly_of_the_other_database_has_the_sequences(server: ArchiveServer, client: Requests) -> None:
    pair = replace(COLI, accession="GCF_000005845.2")
    lacking = replace(COLI, sequences=b"", paired=pair.accession, comparison="identical")
    server.files |= site([lacking, pair])
    found = locate(server, client)
    assert (found.url, found.title) == (f"{server.url}/{pair.path}", COLI.title)
    server.files |= site([replace(lacking, comparison="different"), pair])
    assert failure(server, client)[0] is Reason.NO_DATA


def without(path: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {name: data for name, data in files.items() if name != path}


@pytest.mark.parametrize(
    ("files", "reason", "message"),
    [
        (site(OTHERS), Reason.NOT_FOUND, "has no assembly GCA_000005845.2"),
        (
            site(OTHERS, unlisted=[replace(COLI, accession=f"GCA_000005845.{n}") for n in (1, 3, 10)]),
            Reason.NOT_FOUND, "NCBI has the sequences of GCA_000005845.10, and no longer those of GCA_000005845.2",
        ),
        (site(OTHERS, [replace(SUPPRESSED, sequences=b"")]), Reason.WITHDRAWN, "NCBI has suppressed GCA_000005845.2"),
        (
            site(OTHERS, [replace(COLI, sequences=b"", status="replaced")]),
            Reason.NOT_FOUND, "GCA_000005845.2 was replaced, and NCBI no longer has its sequences",
        ),
        (site([replace(COLI, sequences=b"")]), Reason.NO_DATA, "but has no file genomic.fna.gz of it"),
    ],
    ids=["unknown", "other-versions", "suppressed", "replaced", "not-yet"],
)  # fmt: skip
def test_what_ncbi_does_not_have_ends_with_its_reason(
    server: ArchiveServer, client: Requests, files: dict[str, bytes], reason: Reason, message: str
) -> None:
    server.files |= files
    found, sentence = failure(server, client)
    assert found is reason
    assert message in sentence


def test_missing_sums_leave_the_file_without_md5(server: ArchiveServer, client: Requests) -> None:
    server.files |= site([COLI])
    del server.files[SUMS]
    assert (locate(server, client).md5, locate(server, client).title) == ("", COLI.title)
    server.files[SUMS] = f"{'0' * 32}  ./README.txt\n".encode()
    assert locate(server, client).md5 == ""


@pytest.mark.parametrize(
    ("fate", "reason", "message"),
    [
        (Fate(status=200), Reason.NETWORK, "does this network need a login"),
        (Fate(status=503), Reason.NETWORK, "it has an internal error"),
        (Fate(status=403), Reason.NETWORK, "it refuses the request"),
        (Fate(status=429), Reason.RATE_LIMITED, "it asks for fewer requests"),
        (Fate(cut=0.5), Reason.NETWORK, "broke off"),
        (Fate(body=b"md5sum\n"), Reason.NETWORK, "the answer is not a list of md5 sums"),
    ],
    ids=["page", "down", "refused", "limited", "cut", "other"],
)
def test_bad_answer_is_never_taken_for_an_absence(
    server: ArchiveServer, client: Requests, fate: Fate, reason: Reason, message: str
) -> None:
    server.files |= site([COLI])
    server.fate = lambda request: fate if request.path.endswith("md5checksums.txt") else Fate()
    found, sentence = failure(server, client)
    assert found is reason
    assert message in sentence


def test_assembly_that_nothing_names_waits(server: ArchiveServer, client: Requests) -> None:
    server.files |= site(OTHERS, unlisted=[COLI])
    del server.files[f"{COLI.parent}/{COLI.directory}/{COLI.directory}_assembly_report.txt"]
    reason, sentence = failure(server, client)
    assert reason is Reason.NO_DATA
    assert "says what the organism is" in sentence
