"""Assemblies on loopback as NCBI's FTP site has them: tables, directories, reports, md5 sums and sequences."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import quote

from tests.support.archive_server import ArchiveServer

COLUMNS = (
    *("assembly_accession", "bioproject", "biosample", "wgs_master", "refseq_category", "taxid", "species_taxid"),
    *("organism_name", "infraspecific_name", "isolate", "version_status", "assembly_level", "release_type"),
    *("genome_rep", "seq_rel_date", "asm_name", "asm_submitter", "gbrs_paired_asm", "paired_asm_comp", "ftp_path"),
    *("excluded_from_refseq", "relation_to_type_material", "asm_not_live_date", "assembly_type", "group"),
    *("genome_size", "genome_size_ungapped", "gc_percent", "replicon_count", "scaffold_count", "contig_count"),
    *("annotation_provider", "annotation_name", "annotation_date", "total_gene_count", "protein_coding_gene_count"),
    *("non_coding_gene_count", "pubmed_id"),
)
"""The columns of an assembly summary in 2025."""
HEADER = (
    "##   See ftp://ftp.ncbi.nlm.nih.gov/genomes/README_assembly_summary.txt for a description of the columns in this"
    " file.\n#" + "\t".join(COLUMNS) + "\n"
)
TABLES = "genomes/ASSEMBLY_REPORTS"


def fasta(seed: int = 1, bases: int = 60_000) -> bytes:
    """Return a genome of two contigs with both cases, a gap and a few unknown letters."""
    letters = "".join(Random(seed).choices("ACGT", k=bases))
    half = bases // 2
    contigs = (letters[:half] + "N" * 100 + letters[half:].lower(), letters[1000:3000] + "RYK" + letters[:500])
    lines = []
    for number, contig in enumerate(contigs, 1):
        lines += [f">CP{number:06}.1 Escherichia coli, contig {number}"]
        lines += [contig[start : start + 80] for start in range(0, len(contig), 80)]
    return "\n".join(lines).encode() + b"\n"


@dataclass(frozen=True)
class Assembly:
    """An assembly; without sequences, its directory is not there."""

    accession: str = "GCA_000005845.2"
    organism: str = "Escherichia coli str. K-12 substr. MG1655"
    strain: str = "strain=K-12 substr. MG1655"
    asm_name: str = "ASM584v2"
    sequences: bytes = b""
    status: str = "latest"
    paired: str = "na"
    comparison: str = "na"
    ftp_path: str = ""
    """Another one than that of the layout."""

    @property
    def directory(self) -> str:
        """The name of its directory."""
        return f"{self.accession}_{self.asm_name.replace(' ', '_')}"

    @property
    def parent(self) -> str:
        """The path of the directory with all of its versions."""
        kind, digits = self.accession[:3], self.accession[4:13]
        return f"genomes/all/{kind}/{digits[:3]}/{digits[3:6]}/{digits[6:]}"

    @property
    def path(self) -> str:
        """The path of its sequences."""
        return f"{self.parent}/{self.directory}/{self.directory}_genomic.fna.gz"

    @property
    def title(self) -> str:
        """The name of its signature."""
        return f"{self.accession} {self.organism} {self.strain}, {self.asm_name}"

    def row(self) -> str:
        """Return its row in an assembly summary."""
        known = {
            "assembly_accession": self.accession,
            "organism_name": self.organism,
            "infraspecific_name": self.strain,
            "version_status": self.status,
            "asm_name": self.asm_name,
            "gbrs_paired_asm": self.paired,
            "paired_asm_comp": self.comparison,
            "ftp_path": self.ftp_path or f"https://ftp.ncbi.nlm.nih.gov/{self.parent}/{self.directory}",
        }
        return "\t".join(known.get(column, "na") for column in COLUMNS) + "\n"

    def report(self) -> bytes:
        """Return its report, which adds a remark to the organism and has no line for a strain that is not known."""
        strain = f"# Infraspecific name:  {self.strain}\r\n" if self.strain != "na" else ""
        return (
            f"# Assembly name:  {self.asm_name}\r\n# Organism name:  {self.organism} (E. coli)\r\n{strain}"
            f"# Taxid:          511145\r\n# BioSample:      SAMN02604091\r\n"
            f"# GenBank assembly accession: {self.accession}\r\n#\r\n# Sequence-Name\tSequence-Role\r\n"
        ).encode()

    def files(self) -> dict[str, bytes]:
        """Return the files of its directory, by their paths on the server."""
        if not self.sequences:
            return {}
        packed = gzip.compress(self.sequences, mtime=0)
        of_directory = {
            f"{self.directory}_assembly_report.txt": self.report(),
            f"{self.directory}_genomic.fna.gz": packed,
        }
        sums = "".join(f"{hashlib.md5(data).hexdigest()}  ./{name}\n" for name, data in of_directory.items())
        of_directory["md5checksums.txt"] = sums.encode()
        path = f"{self.parent}/{quote(self.directory)}"
        return {
            f"{path}/": listing(f"/{path}", of_directory),
            **{f"{path}/{quote(name)}": data for name, data in of_directory.items()},
        }


def listing(path: str, names: Sequence[str] | dict[str, bytes]) -> bytes:
    """Return the listing of a directory, as NCBI's server writes it."""
    rows = "".join(f'<a href="{quote(name)}">{name}</a>  2024-07-16 21:31    -   \n' for name in names)
    return (
        f"<html>\n<head><title>Index of {path}</title></head>\n<body>\n<h1>Index of {path}</h1>\n<pre>Name    "
        f'Last modified      Size  <hr><a href="{path.rpartition("/")[0]}/">Parent Directory</a>   -   \n'
        f"{rows}<hr></pre>\n"
    ).encode()


def table(assemblies: Sequence[Assembly]) -> bytes:
    """Return an assembly summary."""
    return (HEADER + "".join(one.row() for one in assemblies)).encode()


def site(
    assemblies: Sequence[Assembly], historical: Sequence[Assembly] = (), unlisted: Sequence[Assembly] = ()
) -> dict[str, bytes]:
    """Return the files of a site with these assemblies; those that are unlisted are in no table."""
    files: dict[str, bytes] = {}
    everything = [*assemblies, *historical, *unlisted]
    for source, prefix in (("genbank", "GCA"), ("refseq", "GCF")):
        for end, some in (("", assemblies), ("_historical", historical)):
            found = sorted((one for one in some if one.accession.startswith(prefix)), key=lambda one: one.accession)
            files[f"{TABLES}/assembly_summary_{source}{end}.txt"] = table(found)
    for parent in {one.parent for one in everything if one.sequences}:
        names = [f"{one.directory}/" for one in everything if one.parent == parent and one.sequences]
        files[f"{parent}/"] = listing(f"/{parent}", names)
    for one in everything:
        files |= one.files()
    return files


def filler(number: int) -> list[Assembly]:
    """Return so many assemblies without sequences, in order, with gaps between their numbers."""
    return [replace(Assembly(), accession=f"GCA_{17 * n + 10:09}.{n % 3 + 1}") for n in range(number)]


def variables(server: ArchiveServer) -> dict[str, str]:
    """Return the environment of a home that asks a server with a site."""
    return {
        "WORT_GENOMES_URL": f"{server.url}/genomes",
        "WORT_REQUEST_INTERVAL": "0.001",
        "WORT_REQUEST_PAUSE": "0.01",
    }
