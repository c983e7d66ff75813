"""`wort view`: a signature in numbers and pictures, its bytes, or an address where others get it.

A signature is looked for in the local store, then in the bucket.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.context import JsonOption, begin
from wort_cli.commands.shared.output import write_output
from wort_cli.commands.shared.presigned_url import show_url
from wort_cli.commands.shared.signature_finder import Place
from wort_cli.commands.shared.sources import stem
from wort_cli.errors import NoSuchFile, NoSuchJob, NotASignature, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, Name, parse_name
from wort_cli.model.profile import profile_named
from wort_cli.model.provenance import SignatureRecord, Trust
from wort_cli.model.submission import Submission
from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings

if TYPE_CHECKING:
    from wort_cli.model.verdict import Verdict
    from wort_cli.stores.shared import SharedStore

COLUMNS = ("k", "scaled", "hashes", "distinct_kmers", "kmers", "singletons", "median_abundance", "note", "md5")
BAR = 40


@dataclass(frozen=True)
class Found:
    """A signature that was found: a file with it, what is known of it, and where it is for a person."""

    path: Path
    known: SignatureRecord | Submission | None
    where: str


def view(
    what: Annotated[str, typer.Argument(metavar="ID|FILE", help="The name of a signature, or a signature file.")],
    ksize: Annotated[int | None, typer.Option("-k", "--ksize", metavar="K", help="Only the sketch of this k.")] = None,
    hist: Annotated[bool, typer.Option("--hist/--no-hist", help="Show the histogram of abundances.")] = True,
    provenance: Annotated[
        bool, typer.Option("--provenance", help="Show all that is known of how it came to be.")
    ] = False,
    url: Annotated[
        bool, typer.Option("--url", help="Print an address by which anybody can get it from the bucket.")
    ] = False,
    expires: Annotated[
        str, typer.Option("--expires", metavar="T", help="How long the address is good: 30m, 1h, 7d.")
    ] = "1h",
    raw: Annotated[bool, typer.Option("--raw", help="Write the signature itself, as JSON.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the signature to a file, as it is kept."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at a signature."""
    settings, ledger = begin()
    if url:
        show_url(what, expires, settings, as_json=as_json)
        return
    with find(what, settings, ledger) as found:
        known = found.known
        if isinstance(known, Submission):
            render.say(f"{known.name}: {known.trust}, handed in by {render.printable(known.submitter)}")
        if raw or output:
            write_out(found.path, output)
            return
        verdict = ledger.submissions.last_verdict(known.path) if known and known.path else None
        show(found, ksize, verdict, hist=hist, provenance=provenance, as_json=as_json)


@contextmanager
def find(what: str, settings: Settings, ledger: Ledger) -> Iterator[Found]:
    """The signature that is meant, for as long as the context lasts; a name goes before a file.

    What was handed in is found where there is nothing of our own, and a part of its digest finds it in any case.
    """
    if "/" in what or what.endswith((".sig", ".gz", ".json")):
        path = Path(what)
        if not path.is_file():
            raise NoSuchFile(path)
        yield Found(path, None, str(path))
        return
    name: Name = parse_name(stem(what))
    profile = profile_named(settings.profile).name
    record = ledger.catalog.get(name, profile)
    place = Place(settings, ledger, profile)
    if record is not None and place.local.has(name):
        yield Found(place.local.path(name), record, str(place.local.path(name)))
        return
    shared = place.shared() if settings.s3 is not None and isinstance(name, Accession) else None
    if shared is not None and isinstance(name, Accession) and shared.find(name) is not None:
        with place.fetched(name, shared) as path:
            yield Found(path, record or record_of(name, shared), shared.url(name))
    elif record is None and (submission := best_submission(name, what, ledger)):
        path = settings.store_dir / submission.path
        yield Found(path, submission, str(path))
    else:
        raise explanation(name, record, settings, ledger)


def explanation(name: Name, record: SignatureRecord | None, settings: Settings, ledger: Ledger) -> UsageError:
    """Why a signature is not to be found."""
    jobs = ledger.jobs.named(name)
    if record is not None:
        return NoSuchFile(
            settings.store_dir / record.path,
            f"the signature was computed, but its file is gone; `wort compute {name}` makes it again",
        )
    if jobs:
        return UsageError(
            f"there is no signature of {name}: its job {jobs[0].id} is {jobs[0].state}", f"see `wort logs {name}`"
        )
    return NoSuchJob(name)


def record_of(name: Accession, shared: "SharedStore") -> SignatureRecord | None:
    """What the bucket itself knows of a signature that is not in our catalog."""
    made = shared.provenance(name)
    if made is None:
        return None
    return SignatureRecord(
        name, made.profile, made.digest, shared.trust, "", 0, made.started_at, made, shared.url(name)
    )


def best_submission(name: Name, what: str, ledger: Ledger) -> Submission | None:
    """What was handed in under a name and is trusted most; what was refuted is shown only by its digest."""
    ranks = (Trust.VERIFIED, Trust.QUICK_CHECKED, Trust.UNVERIFIED, Trust.UNVERIFIABLE)
    named = [item for item in ledger.submissions.named(name) if item.trust in ranks]
    if named:
        return min(named, key=lambda item: ranks.index(item.trust))
    return next(iter(ledger.submissions.with_digest_prefix(what)), None)


def write_out(path: Path, output: Path | None) -> None:
    """The signature as JSON to stdout, or as it is to a file, whole or not at all."""
    import gzip
    import shutil
    import zlib

    if output is not None and str(output) != "-":
        write_output(output, path, "choose another place")
        return
    sys.stdout.flush()
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            shutil.copyfileobj(gzip.GzipFile(fileobj=file) if packed else file, sys.stdout.buffer)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise NotASignature(path, f"its gzip is damaged: {error}") from None
    sys.stdout.buffer.flush()


def show(
    found: Found,
    ksize: int | None,
    verdict: "Verdict | None",
    *,
    hist: bool,
    provenance: bool,
    as_json: bool,
) -> None:
    """Everything about a signature."""
    from wort_cli.commands.shared.abundance import histogram, numbers_of
    from wort_cli.model.signature_file import read_signature

    known = found.known
    record = known if isinstance(known, SignatureRecord) else None
    signature = read_signature(found.path)
    sketches = [sketch for sketch in signature.sketches if ksize in (None, sketch.ksize)]
    if not sketches:
        raise UsageError(
            f"there is no sketch of k={ksize}", f"there are: {', '.join(str(s.ksize) for s in signature.sketches)}"
        )
    notes = {s.ksize: s.note for s in record.provenance.sketches} if record else {}
    rows = [{**numbers_of(sketch), "note": notes.get(sketch.ksize, "")} for sketch in sketches]
    facts = facts_of(found, signature.name, signature.digest)
    if verdict is not None:
        facts["verification"] = "; ".join(
            [verdict.sentence(), *(c.sentence() for c in verdict.comparisons if c.differs)]
        )
    if as_json:
        render.document(
            {
                **facts,
                "sketches": [{**row, "histogram": histogram(s)} for row, s in zip(rows, sketches, strict=True)],
                "provenance": record.provenance.to_json() if record else None,
                "verdict": verdict.to_json() if verdict else None,
            }
        )
        return
    if record and provenance:
        more = record.provenance.to_json()
        facts |= {key: value for key, value in more.items() if key not in ("sketches", *facts)}
    render.facts(facts)
    render.result()
    render.table(COLUMNS, rows)
    if hist and render.to_terminal():
        for sketch in sketches:
            draw(f"abundances, k={sketch.ksize}", histogram(sketch))


def facts_of(found: Found, name: str, digest: str) -> dict[str, Any]:
    """What there is to say before the sketches."""
    known = found.known
    facts: dict[str, Any] = {
        "name": name,
        "file": found.where,
        "size": format_bytes(found.path.stat().st_size),
        "digest": digest,
    }
    if known is None:
        return {**facts, "trust": "not in the catalog"}
    trust = str(known.trust) if known.digest == digest else "the file does not match the catalog's digest"
    if isinstance(known, Submission):
        return {
            **facts,
            "trust": trust,
            "of": str(known.name),
            "profile": known.profile,
            "submitted": f"{render.when(known.submitted_at)}, by {known.submitter}, as {known.origin}",
            "data": f"{known.url or known.name}: {known.source_check} ({known.source_note})",
            "sha256": known.sha256,
        }
    made = known.provenance
    facts |= {"trust": trust, "profile": known.profile}
    if not made.started_at:  # found in a bucket, without provenance
        return {**facts, "source": made.source}
    return {
        **facts,
        "computed": f"{render.when(made.started_at)}, in {render.duration(made.seconds)} on {made.host}",
        "source": made.source,
        "spots": f"{made.spots:,}, of which {made.spots_passed:,} pass the read filter",
        "reads": f"{made.reads:,}, {made.bases:,} bases",
        "tools": ", ".join(
            f"{tool} {made.tools[tool]}" for tool in ("wort", "sourmash", "fastq-dump") if tool in made.tools
        ),
    }


def draw(title: str, bars: dict[str, int]) -> None:
    """A histogram in the terminal."""
    most = max(bars.values(), default=0)
    if not most:
        return
    render.result(f"\n{title}")
    width = max(len(label) for label in bars)
    for label, number in bars.items():
        render.result(f"  {label:>{width}}  {'█' * round(BAR * number / most) or ('▏' if number else '')} {number:,}")
