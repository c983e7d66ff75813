"""Signatures as `wort view` prints them: what is known of them, their sketches, and how similar they are."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from wort_cli.commands.shared.showing.fields import (
    BASES,
    BOOLEAN,
    BYTES,
    COUNT,
    ID,
    NUMBER,
    PATH,
    RATIO,
    SECONDS,
    TEXT,
    TIME,
    Document,
    Field,
    Kind,
    list_of,
    map_of,
    one_of,
    record_of,
)
from wort_cli.commands.shared.verifying.verdict_record import VERDICT
from wort_cli.commands.shared.viewing.run_record import RUN_FIELDS, run_values
from wort_cli.model.provenance import LEFT_OUT, Provenance, SignatureRecord, Trust
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.model.submission import SourceCheck, Submission
from wort_cli.model.units import iso_time

if TYPE_CHECKING:
    from wort_cli.commands.shared.viewing.viewed import Viewed
    from wort_cli.model.verdict import Verdict
    from wort_cli.reading.facts import SignatureFacts, SketchFacts

DECIMALS = Kind({"type": "number"}, lambda value: f"{value:.4f}", right=True)
PLAIN_NUMBER = Kind({"type": "integer", "minimum": 0}, str, right=True)
BIN = record_of(
    Field("low", COUNT, "The smallest abundance in the bin"),
    Field("high", COUNT, "The largest abundance in the bin"),
    Field("hashes", COUNT, "Hashes with such an abundance"),
)
PEAK = record_of(
    Field("abundance", RATIO, "Where the peak is"),
    Field("hashes", COUNT, "Hashes from one valley to the other"),
)
SKETCH_FIELDS = (
    Field("k", PLAIN_NUMBER, "The k"),
    Field("molecule", TEXT, "The molecule, such as DNA or protein"),
    Field("scaled", PLAIN_NUMBER, "The parameter `scaled`; 0 for MinHash sketches"),
    Field("num", PLAIN_NUMBER, "The parameter `num` of MinHash sketches; else 0"),
    Field("hashes", COUNT, "The number of hashes"),
    Field("distinct_kmers", COUNT, "An estimate of the distinct k-mers of the run", optional=True, title="distinct"),
    Field("kmers", COUNT, "An estimate of all k-mers of the run", optional=True, title="k-mers"),
    Field("singletons", COUNT, "Hashes with abundance 1", optional=True),
    Field("median_abundance", RATIO, "The median of the abundances", optional=True, title="median"),
    Field("md5", ID, "The md5 sum of sourmash, which ignores abundances"),
    Field("note", ID, "Why the sketch is empty", optional=True),
)
SKETCH = record_of(
    *SKETCH_FIELDS,
    Field("histogram", list_of(BIN), "The abundances, in bins that are not empty"),
    Field("peaks", list_of(PEAK), "The peaks of the histogram"),
)
SUMMARY = record_of(
    Field("ksize", NUMBER, "The k"),
    Field("hashes", COUNT, "The number of hashes"),
    Field("abundance_sum", COUNT, "The sum of the abundances"),
    Field("md5", ID, "The md5 sum of sourmash"),
    Field("note", ID, "Why the sketch is empty; else empty"),
)
FILE = record_of(
    Field("path", PATH, "Its path, or `-` for standard input"),
    Field("size", BYTES, "Its size"),
    Field("mtime", TIME, "When it was changed last", optional=True),
    Field("sha256", ID, "Its sha256"),
    Field("md5", ID, "Its md5"),
    Field("format", TEXT, "FASTA or FASTQ"),
    Field("compression", TEXT, "gzip, bzip2, xz or zstd; empty for none"),
    Field("reads", COUNT, "Its reads"),
    Field("bases", BASES, "The length of its reads together"),
)
PROVENANCE_FIELDS = (
    Field("name", ID, "The name of the signature"),
    Field("profile", TEXT, "The profile"),
    Field("profile_sha256", ID, "The checksum of the profile's definition; empty if the profile is built in"),
    Field("digest", ID, "The digest of its content"),
    Field("sketches", list_of(SUMMARY), "The sketches"),
    Field("spots", COUNT, "Spots in the archive; all of them were read"),
    Field("spots_passed", COUNT, "Spots with a read that passes the read filter"),
    Field("reads", COUNT, "Reads that were sketched"),
    Field("reads_left_out", COUNT, "Reads that the recipe leaves out", optional=True),
    Field("bases", BASES, "The length of all reads together"),
    Field("colour_space", BOOLEAN, "Whether the bases were guessed from colours"),
    Field("source", PATH, "The path of the archive, or `remote`"),
    Field("source_size", BYTES, "The size of the archive"),
    Field("source_md5", ID, "The md5 of the archive according to the locator; else empty"),
    Field("source_sha256", ID, "The sha256 of an archive on disk; else empty"),
    Field("source_mtime", TIME, "When an archive on disk was changed last", optional=True),
    Field("files", list_of(FILE), "The files of reads, in order; empty for an archive"),
    Field("filename", TEXT, "The `filename` of the signature; empty for a run"),
    Field("title", TEXT, "The `name` in the signature, if it is another one: that of an assembly has its organism"),
    Field("assembly", map_of(TEXT), "Of an assembly: organism, strain, name, status, and which file of NCBI says so"),
    Field("parts", map_of(ID), "The digest of each signature that was added up, by its name"),
    Field("missing", map_of(TEXT), "Why each run that belongs to the sum was not added"),
    Field("url", PATH, "The URL that the archive was fetched from; empty if it was on disk"),
    Field("format", TEXT, "The format of the archive; empty if it is unknown"),
    Field("proved_by", TEXT, "What proved the archive undamaged; empty if it is unknown"),
    Field("proof", ID, "The md5 of the archive, or the sha256 of the md5 sums that were compared"),
    Field("validated", BOOLEAN, "Whether vdb-validate confirmed the checksums of the archive"),
    Field("identity", one_of(("locator", "name")), "What says that the archive is that of the run"),
    Field(
        "identified", BOOLEAN, "Whether NCBI confirmed that it is the archive of the run, or the file of the assembly"
    ),
    Field("references", map_of(ID), "The md5 of each file of references outside of the archive"),
    Field("tools", map_of(TEXT), "Versions of tools and libraries"),
    Field("argv", list_of(TEXT), "The command that gives the same reads"),
    Field("decoders", list_of(TEXT), "The decoders of the slices"),
    Field("engine", TEXT, "The engine that sketched"),
    Field("slices", COUNT, "The number of slices"),
    Field("started_at", TIME, "When the attempt started", optional=True),
    Field("seconds", SECONDS, "How long it took"),
    Field("host", TEXT, "The machine"),
)
SUBMISSION = record_of(
    Field("run", ID, "The run, or the first characters of the digest if the data are at a URL"),
    Field("submitter", TEXT, "Who submitted it"),
    Field("submitted_at", TIME, "When it was submitted"),
    Field("origin", TEXT, "The file or URL from which it was submitted"),
    Field("url", PATH, "The claimed URL of the data; null for a run", optional=True),
    Field("source_check", one_of(SourceCheck), "Whether the data are public"),
    Field("source_note", TEXT, "Which server said so, or why none was asked"),
    Field("sha256", ID, "The sha256 of the submitted file"),
)
COMPARISON_FIELDS = (
    Field("a", ID, "One signature"),
    Field("b", ID, "The other signature"),
    Field("k", PLAIN_NUMBER, "The k of the two sketches"),
    Field("molecule", TEXT, "Their molecule"),
    Field("scaled", PLAIN_NUMBER, "The `scaled` at which they are compared; 0 for MinHash sketches"),
    Field("num", PLAIN_NUMBER, "The `num` of MinHash sketches; else 0"),
    Field("a_hashes", COUNT, "Hashes of the one"),
    Field("b_hashes", COUNT, "Hashes of the other"),
    Field("common", COUNT, "Hashes that both have"),
    Field("jaccard", DECIMALS, "The Jaccard similarity"),
    Field("a_in_b", DECIMALS, "The containment of a in b", optional=True),
    Field("b_in_a", DECIMALS, "The containment of b in a", optional=True),
    Field("ani", DECIMALS, "The average nucleotide (or amino acid) identity that follows", optional=True),
)
DOCUMENT = Document(
    "view",
    "Signatures, their sketches, and how similar they are.",
    head=(Field("comparisons", list_of(record_of(*COMPARISON_FIELDS)), "Each two sketches that can be compared"),),
    rows="signatures",
    row=(
        Field("name", ID, "The name of the signature"),
        Field("path", PATH, "The file, or the URL of what only the bucket has"),
        Field("size", BYTES, "The size of the file", optional=True),
        Field("digest", ID, "The digest of its content"),
        Field("trust", one_of(Trust), "How far it is trusted; null if it is not in the catalog", optional=True),
        Field("is_recorded", BOOLEAN, "Whether it has the digest that the catalog records", optional=True),
        Field("profile", TEXT, "The profile", optional=True),
        Field("sketches", list_of(SKETCH), "The sketches"),
        Field("metadata", record_of(*RUN_FIELDS), "What ENA, NCBI or a table says of the run", optional=True),
        Field("provenance", record_of(*PROVENANCE_FIELDS), "How it was computed", optional=True),
        Field("submission", SUBMISSION, "How it was submitted", optional=True),
        Field("verdict", VERDICT, "The result of its last verification", optional=True),
    ),
)
SKETCHES = Document("", "", row=(*DOCUMENT.row[:2], *SKETCH_FIELDS))
"""The table of sketches."""
COMPARISONS = Document("", "", row=COMPARISON_FIELDS)
"""The table of comparisons."""


def signature_record(
    found: "Viewed",
    signature: "SignatureFacts",
    sketches: "list[SketchFacts]",
    metadata: RunMetadata | None,
    verdict: "Verdict | None",
) -> dict[str, Any]:
    """Return a signature that was found, with the sketches that are shown, and what is known of its run."""
    known = found.record
    made = known.provenance if isinstance(known, SignatureRecord) and known.provenance.started_at else None
    notes = {summary.ksize: summary.note for summary in made.sketches} if made else {}
    return {
        "name": signature.name,
        "path": found.location,
        "size": os.fstat(found.file.fileno()).st_size,
        "digest": signature.digest,
        "trust": str(known.trust) if known else None,
        "is_recorded": known.digest == signature.digest if known else None,
        "profile": known.profile if known else signature.profile or None,
        "sketches": [sketch_record(sketch, notes.get(sketch.statistics["k"], "")) for sketch in sketches],
        "metadata": run_values(metadata) if metadata else None,
        "provenance": provenance_record(made) if made else None,
        "submission": submission_record(known) if isinstance(known, Submission) else None,
        "verdict": verdict.to_json() if verdict else None,
    }


def plain_record(name: str, path: str, signature: "SignatureFacts", sketches: "list[SketchFacts]") -> dict[str, Any]:
    """Return one of several signatures, of which nothing is known but its content."""
    return {
        **dict.fromkeys(field.key for field in DOCUMENT.row),
        "name": name,
        "path": path,
        "digest": signature.digest,
        "profile": signature.profile or None,
        "sketches": [sketch_record(sketch) for sketch in sketches],
    }


def sketch_record(sketch: "SketchFacts", note: str = "") -> dict[str, Any]:
    """Return a sketch with its histogram."""
    from wort_cli.reading.peaks import find_peaks

    return {
        **sketch.statistics,
        "note": note or None,
        "histogram": [asdict(part) for part in sketch.histogram],
        "peaks": [asdict(peak) for peak in find_peaks(sketch.histogram)],
    }


def provenance_record(made: Provenance) -> dict[str, Any]:
    """Return a provenance with times in ISO 8601."""
    left_out = {key: getattr(made, key) for key in LEFT_OUT}
    document = {**left_out, **made.to_json()}
    return {
        **document,
        "started_at": iso_time(made.started_at) if made.started_at else None,
        "source_mtime": iso_time(made.source_mtime) if made.source_mtime else None,
        "files": [{**asdict(file), "mtime": iso_time(file.mtime) if file.mtime else None} for file in made.files],
    }


def submission_record(submission: Submission) -> dict[str, Any]:
    """Return how a signature was submitted."""
    return {
        "run": str(submission.name),
        "submitter": submission.submitter,
        "submitted_at": iso_time(submission.submitted_at),
        "origin": submission.origin,
        "url": submission.url or None,
        "source_check": str(submission.source_check),
        "source_note": submission.source_note,
        "sha256": submission.sha256,
    }


def provenance_facts(made: Provenance) -> dict[str, str]:
    """Return a provenance as names and values for a person; what is empty is left out."""
    import shlex

    document = provenance_record(made)
    facts: dict[str, str] = {}
    for field in PROVENANCE_FIELDS:
        value = document[field.key]
        if field.key in ("name", "profile", "digest", "sketches") or value in ("", None, {}, []):
            continue
        if field.key == "argv":
            text = shlex.join(value)
        elif isinstance(value, dict):
            text = ", ".join(f"{key} {text}" for key, text in value.items())
        else:
            text = field.text(list(value) if isinstance(value, tuple) else value)
        facts[field.header] = text
    return facts
