"""Tests of the layout of NCBI's FTP site, with names that the public service has published."""

import pytest

from tests.support.assemblies import Assembly
from wort_cli.model.accession import AssemblyAccession
from wort_cli.pipeline.assemblies.layout import (
    directories_in,
    directory_at,
    facts_of_report,
    facts_of_row,
    name_of_directory,
    parent_of,
    sums_in,
    tables_of,
    title_of,
    version_in,
)

BASE = "https://ftp.example.org/genomes"
COLI = AssemblyAccession("GCA_000005845.2")


@pytest.mark.parametrize(
    ("accession", "organism", "strain", "asm_name", "title"),
    [
        (
            "GCA_000250945.2", "Enterococcus faecium Aus0004", "strain=Aus0004", "ASM25094v2",
            "GCA_000250945.2 Enterococcus faecium Aus0004 strain=Aus0004, ASM25094v2",
        ),
        (
            "GCA_016787465.1", "Saprospiraceae bacterium", "na", "ASM1678746v1",
            "GCA_016787465.1 Saprospiraceae bacterium na, ASM1678746v1",
        ),
        (
            "GCA_027604085.1", "Chytriomyces hyalinus", "strain=JEL0345", "ASM2760408v1",
            "GCA_027604085.1 Chytriomyces hyalinus strain=JEL0345, ASM2760408v1",
        ),
        ("GCA_000000001.1", "Homo sapiens", "", "hg 1", "GCA_000000001.1 Homo sapiens, hg 1"),
    ],
    ids=["strain", "na", "fungus", "empty"],
)  # fmt: skip
def test_name_is_that_of_the_public_service(
    accession: str, organism: str, strain: str, asm_name: str, title: str
) -> None:
    row = {"organism_name": organism, "infraspecific_name": strain, "asm_name": asm_name}
    assert title_of(accession, facts_of_row(row, "assembly_summary_genbank.txt")) == title


def test_name_is_cut_to_128_characters() -> None:
    facts = {"organism": "x" * 200, "strain": "strain=y", "asm_name": "z"}
    assert title_of(COLI, facts) == f"GCA_000005845.2 {'x' * 112}"


@pytest.mark.parametrize(
    ("organism", "said"),
    [
        ("Escherichia coli str. K-12 substr. MG1655", "Escherichia coli str. K-12 substr. MG1655 (E. coli)"),
        ("Influenza A virus (A/Puerto Rico/8/1934(H1N1))", "Influenza A virus (A/Puerto Rico/8/1934(H1N1)) (viruses)"),
        ("Homo sapiens", "Homo sapiens"),
    ],
)
def test_report_names_what_a_table_would(organism: str, said: str) -> None:
    text = f"# Assembly name:  ASM 1\r\n# Organism name:  {said}\r\n# Date: 2013-09-26\r\n"
    facts = facts_of_report(text, "report.txt")
    assert (facts["organism"], facts["strain"], facts["asm_name"]) == (organism, "na", "ASM 1")


def test_report_of_an_assembly_gives_the_name_of_its_row() -> None:
    one = Assembly()
    assert title_of(one.accession, facts_of_report(one.report().decode(), "r")) == one.title


def test_urls_follow_the_layout() -> None:
    assert parent_of(BASE, COLI) == f"{BASE}/all/GCA/000/005/845"
    assert tables_of(BASE, COLI)[1] == f"{BASE}/ASSEMBLY_REPORTS/assembly_summary_genbank_historical.txt"
    assert tables_of(BASE, AssemblyAccession("GCF_000005845.2"))[0].endswith("assembly_summary_refseq.txt")


@pytest.mark.parametrize(
    ("ftp_path", "directory"),
    [
        ("https://ftp.example.com/genomes/all/GCA/000/005/845/GCA_000005845.2_ASM584v2", "GCA_000005845.2_ASM584v2"),
        ("ftp://ftp.ncbi.nlm.nih.gov/genomes/all/GCA/000/005/845/GCA_000005845.2_A#1/", "GCA_000005845.2_A%231"),
        ("na", ""),
        ("", ""),
        ("https://ftp.ncbi.nlm.nih.gov/genomes/all/GCA/000/005/845/GCA_000005846.2_ASM584v2", ""),
        ("https://ftp.ncbi.nlm.nih.gov/genomes/all/../../GCA_000005845.2_ASM584v2", ""),
        ("https://ftp.ncbi.nlm.nih.gov/other/GCA_000005845.2_ASM584v2", ""),
    ],
)  # fmt: skip
def test_directory_of_a_table_is_at_the_configured_server(ftp_path: str, directory: str) -> None:
    found = directory_at(BASE, ftp_path, COLI)
    assert found == (f"{BASE}/all/GCA/000/005/845/{directory}" if directory else "")


def test_listing_names_directories_of_assemblies_only() -> None:
    text = (
        '<a href="/genomes/all/GCA/000/005/">Parent Directory</a> <a href="GCA_000005845.2_A%231/">x</a>'
        '<a href="GCA_000005845.1_B&amp;C/">y</a> <a href="GCA_000005845.1_x%2f..%2f../">z</a> <a href="README.txt">'
    )
    names = directories_in(text)
    assert names == ["GCA_000005845.2_A#1", "GCA_000005845.1_B&C"]
    assert list(map(version_in, names)) == [2, 1]
    assert name_of_directory(f"{BASE}/all/GCA_000005845.2_A%231") == "GCA_000005845.2_A#1"


def test_sums_are_read_by_file() -> None:
    text = f"{'a' * 32}  ./x_genomic.fna.gz\n{'b' * 32} *y.txt\r\n\nnonsense\n{'c' * 31}  ./z\n"
    assert sums_in(text) == {"x_genomic.fna.gz": "a" * 32, "y.txt": "b" * 32}
