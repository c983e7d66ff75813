"""The layout of NCBI's FTP site: where an assembly is, what its files are called, and what its small files say.

`genomes/all/GCA/000/005/845/GCA_000005845.2_ASM584v2/` has `..._genomic.fna.gz`, `..._assembly_report.txt` and
`md5checksums.txt`.  The tables in `genomes/ASSEMBLY_REPORTS/` list all assemblies, and those that NCBI has replaced or
suppressed.  Source: https://ftp.ncbi.nlm.nih.gov/genomes/all/README.txt and README_assembly_summary.txt.
"""

import html
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from wort_cli.model.accession import AssemblyAccession

SEQUENCES = "_genomic.fna.gz"
"""The end of the name of the file that is sketched."""
REPORT = "_assembly_report.txt"
SUMS = "md5checksums.txt"
LONGEST_TITLE = 128
"""Characters of the name of a signature: the public service cuts it."""
DIRECTORY = re.compile(r"GC[AF]_[0-9]{9}\.[0-9]{1,3}_[^/\\\s\x00-\x1f\x7f]{1,200}")
SUM = re.compile(r"([0-9a-f]{32}) [ *](?:\./)?(\S.*)")
REPORTED = re.compile(r"#\s*([^:]+):\s*(.*?)\s*")
REMARK = re.compile(r"(.*\S) \((?:[^()]|\([^()]*\))*\)")
"""The name of an organism and what a report adds to it, its common name or its group, in brackets."""


def parent_of(base: str, accession: AssemblyAccession) -> str:
    """Return the URL of the directory with all versions of an assembly."""
    number = accession.number
    return f"{base}/all/{accession[:3]}/{number[:3]}/{number[3:6]}/{number[6:]}"


def tables_of(base: str, accession: AssemblyAccession) -> tuple[str, str]:
    """Return the URLs of the tables that may list an assembly: of what is current, and of what is not."""
    source = "genbank" if accession.startswith("GCA") else "refseq"
    start = f"{base}/ASSEMBLY_REPORTS/assembly_summary_{source}"
    return f"{start}.txt", f"{start}_historical.txt"


def directory_at(base: str, ftp_path: str, accession: str) -> str:
    """Return the URL of the directory that a table names, at the configured server; '' if it names none.

    A table that names the directory of another assembly is not believed.
    """
    _, found, path = ftp_path.partition("/genomes/")
    *folders, name = path.strip("/").split("/")
    if not found or not DIRECTORY.fullmatch(name) or not name.startswith(f"{accession}_"):
        return ""
    if not all(re.fullmatch(r"[A-Za-z0-9]+", folder) for folder in folders):
        return ""
    return f"{base}/{'/'.join(folders)}/{quote(name)}"


def directories_in(listing: str) -> list[str]:
    """Return the names of the directories of assemblies that a listing links to."""
    targets = (unquote(html.unescape(target)) for target in re.findall(r'href="([^"]*)"', listing))
    names = (target.rstrip("/").rpartition("/")[2] for target in targets)
    return list(dict.fromkeys(name for name in names if DIRECTORY.fullmatch(name)))


def name_of_directory(url: str) -> str:
    """Return the name of the directory at a URL, with which the names of its files begin."""
    return unquote(url.rstrip("/").rpartition("/")[2])


def version_in(name: str) -> int:
    """Return the version of the assembly in the directory with a name."""
    return int(name[14:].partition("_")[0])


def sums_in(text: str) -> dict[str, str]:
    """Return the md5 of each file in a list of md5 sums."""
    found = (SUM.fullmatch(line.rstrip()) for line in text.splitlines())
    return {match[2]: match[1] for match in found if match}


def facts_of_row(row: Mapping[str, str], table: str) -> dict[str, str]:
    """Return what a row of a table says of an assembly, with the keys of `Provenance.assembly`."""
    return {
        "organism": row.get("organism_name", ""),
        "strain": row.get("infraspecific_name", ""),
        "asm_name": row.get("asm_name", ""),
        "status": row.get("version_status", ""),
        "listed_in": table,
    }


def facts_of_report(text: str, name: str) -> dict[str, str]:
    """Return what a report says of an assembly, as a table would; empty values for what it does not have.

    A report adds a remark in brackets to the organism, and has no line where a table has `na`.
    """
    lines = (REPORTED.fullmatch(line) for line in text.splitlines() if line.startswith("#"))
    said = {match[1].lower(): match[2] for match in lines if match}
    organism = said.get("organism name", "")
    remark = REMARK.fullmatch(organism)
    return {
        "organism": remark[1] if remark else organism,
        "strain": said.get("infraspecific name", "na"),
        "asm_name": said.get("assembly name", ""),
        "status": "",
        "listed_in": name,
    }


def title_of(accession: str, facts: Mapping[str, str]) -> str:
    """Return the name of the signature of an assembly, as the public service gives it."""
    strain = f" {facts['strain']}" if facts["strain"] else ""
    return f"{accession} {facts['organism']}{strain}, {facts['asm_name']}"[:LONGEST_TITLE]
