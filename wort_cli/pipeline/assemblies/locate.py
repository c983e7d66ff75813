"""Finds an assembly: its name, the file with its sequences, and the md5 of that file.

1. The tables of NCBI name it: the one of what is current, then the one of what was replaced or suppressed.
2. Its directory is the one that the table names; else the one in the layout of the site; else that of the identical
   assembly of the other database.
3. `md5checksums.txt` in that directory has the md5 of the file.
4. What no table names, the report in its directory does.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from wort_cli.model.accession import ASSEMBLY, AssemblyAccession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.http import host_of
from wort_cli.pipeline.assemblies import layout
from wort_cli.pipeline.assemblies.answers import Kind
from wort_cli.pipeline.assemblies.requests import Requests
from wort_cli.pipeline.assemblies.tables import Row, find_row


@dataclass(frozen=True)
class LocatedAssembly:
    """Where an assembly is, and what it is."""

    accession: AssemblyAccession
    url: str
    """The URL of the file of sequences."""
    file_name: str
    md5: str
    """The md5 of this file; '' if NCBI has none."""
    title: str
    """The name of its signature."""
    facts: Mapping[str, str]
    """Its entry in the provenance (`Provenance.assembly`)."""


class AssemblyLocator:
    """Looks assemblies up; `base` is the URL of the directory `genomes`."""

    def __init__(self, requests: Requests, base: str, log: Callable[[str], None]) -> None:
        self._requests = requests
        self._base = base.rstrip("/")
        self._log = log

    def locate(self, accession: AssemblyAccession) -> LocatedAssembly:
        """Return where an assembly is.  Raises JobFailed with the reason why it is unavailable."""
        row, facts = self._listed(accession)
        if facts.get("status") in ("suppressed", "replaced"):
            self._log(f"{accession} is {facts['status']}, according to {facts['listed_in']}")
        for directory in self._directories(accession, row):
            sums = self._requests.text(Kind.SUMS, f"{directory}/{layout.SUMS}")
            name = f"{layout.name_of_directory(directory)}{layout.SEQUENCES}"
            md5 = layout.sums_in(sums).get(name, "") if sums else ""
            if not md5 and not self._has_file(directory, name):
                continue
            facts = facts or self._reported(directory)
            url = f"{directory}/{quote(name)}"
            return LocatedAssembly(accession, url, name, md5, layout.title_of(accession, facts), facts)
        raise self._missing(accession, row)

    def _listed(self, accession: AssemblyAccession) -> tuple[Row, dict[str, str]]:
        """Return the row that lists an assembly, and what it says; both are empty if there is none."""
        for url in layout.tables_of(self._base, accession):
            row = find_row(self._requests, url, accession, self._log)
            if row is not None:
                return row, layout.facts_of_row(row, url.rpartition("/")[2])
        self._log(f"no assembly summary at {host_of(self._base)} lists {accession}")
        return {}, {}

    def _directories(self, accession: AssemblyAccession, row: Row) -> Iterator[str]:
        """Yield the directories in which an assembly may be, best first."""
        named = layout.directory_at(self._base, row.get("ftp_path", ""), accession)
        if named:
            yield named
        yield from (url for url in self._in_layout(accession) if url != named)
        paired = row.get("gbrs_paired_asm", "")
        if row.get("paired_asm_comp") == "identical" and ASSEMBLY.fullmatch(paired):
            for url in self._in_layout(AssemblyAccession(paired)):
                self._log(f"{accession} is read from the identical {paired}")
                yield url

    def _in_layout(self, accession: AssemblyAccession) -> list[str]:
        """Return the directories of an assembly that the site lists."""
        parent = layout.parent_of(self._base, accession)
        return [f"{parent}/{quote(name)}" for name in self._versions(accession) if name.startswith(f"{accession}_")]

    def _versions(self, accession: AssemblyAccession) -> list[str]:
        """Return the names of the directories of all versions of an assembly."""
        listing = self._requests.text(Kind.LISTING, f"{layout.parent_of(self._base, accession)}/")
        return layout.directories_in(listing) if listing else []

    def _has_file(self, directory: str, name: str) -> bool:
        """Return whether a directory lists a file."""
        listing = self._requests.text(Kind.LISTING, f"{directory}/")
        return listing is not None and f'"{quote(name)}"' in listing

    def _reported(self, directory: str) -> dict[str, str]:
        """Return what the report in a directory says of its assembly.  Raises JobFailed(no-data) if it has none."""
        name = f"{layout.name_of_directory(directory)}{layout.REPORT}"
        text = self._requests.text(Kind.REPORT, f"{directory}/{quote(name)}")
        facts = layout.facts_of_report(text, name) if text else {}
        if not facts.get("organism") or not facts.get("asm_name"):
            raise JobFailed(Reason.NO_DATA, f"neither an assembly summary nor {name} says what the organism is")
        return facts

    def _missing(self, accession: AssemblyAccession, row: Row) -> JobFailed:
        """Return the failure of a job whose assembly has no sequences at NCBI."""
        versions = [name for name in self._versions(accession) if name.startswith(f"{accession[:13]}.")]
        if row.get("version_status") == "suppressed":
            return JobFailed(Reason.WITHDRAWN, f"NCBI has suppressed {accession}, and no longer has its sequences")
        if any(name.startswith(f"{accession}_") for name in versions) or (
            row and row.get("version_status") == "latest"
        ):
            return JobFailed(Reason.NO_DATA, f"NCBI lists {accession}, but has no file {layout.SEQUENCES[1:]} of it")
        if versions:
            newest = max(versions, key=layout.version_in)
            other = newest[: newest.index("_", 14)]
            return JobFailed(Reason.NOT_FOUND, f"NCBI has the sequences of {other}, and no longer those of {accession}")
        if row:
            return JobFailed(Reason.NOT_FOUND, f"{accession} was replaced, and NCBI no longer has its sequences")
        return JobFailed(Reason.NOT_FOUND, f"{host_of(self._base)} has no assembly {accession}")
