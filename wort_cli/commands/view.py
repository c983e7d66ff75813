"""`wort view`: a signature in numbers and pictures, or its bytes."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from wort_cli.accession import Name, parse_name
from wort_cli.commands import render
from wort_cli.commands.context import JsonOption, begin
from wort_cli.commands.output import write_output
from wort_cli.commands.sources import stem
from wort_cli.errors import NoSuchFile, NoSuchJob, UsageError
from wort_cli.ledger import Ledger
from wort_cli.profile import profile_named
from wort_cli.settings import Settings
from wort_cli.signature_record import SignatureRecord, Trust
from wort_cli.stores.local import LocalStore
from wort_cli.submission_record import Submission
from wort_cli.verdict import Verdict

COLUMNS = ("k", "scaled", "hashes", "distinct_kmers", "kmers", "singletons", "median_abundance", "note", "md5")
BAR = 40


def view(
    what: Annotated[str, typer.Argument(metavar="ID|FILE", help="The name of a signature, or a signature file.")],
    ksize: Annotated[int | None, typer.Option("-k", "--ksize", metavar="K", help="Only the sketch of this k.")] = None,
    hist: Annotated[bool, typer.Option("--hist/--no-hist", help="Show the histogram of abundances.")] = True,
    provenance: Annotated[
        bool, typer.Option("--provenance", help="Show all that is known of how it came to be.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Write the signature itself, as JSON.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the signature to a file, as it is kept."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at a signature."""
    settings, ledger = begin()
    path, known = find(what, settings, ledger)
    if isinstance(known, Submission):
        render.say(f"{known.name}: {known.trust}, handed in by {render.printable(known.submitter)}")
    if raw or output:
        write_out(path, output)
        return
    verdict = ledger.submissions.report(known.path) if known else None
    show(path, known, ksize, verdict, hist=hist, provenance=provenance, as_json=as_json)


def find(what: str, settings: Settings, ledger: Ledger) -> tuple[Path, SignatureRecord | Submission | None]:
    """The file of a signature, and what is known of it; a name goes before a file.

    What was handed in is found where there is nothing of our own, and a part of its digest finds it in any case.
    """
    if "/" not in what and not what.endswith((".sig", ".gz", ".json")):
        name: Name = parse_name(stem(what))
        profile = profile_named(settings.profile).name
        record = ledger.signature(name, profile)
        path = LocalStore(settings.store_dir).path(name)
        if record is not None and path.is_file():
            return path, record
        if record is None and (submission := best_submission(name, what, ledger)):
            return settings.store_dir / submission.path, submission
        jobs = ledger.jobs_named(name)
        if record is not None:
            raise NoSuchFile(
                path, f"the signature was computed, but its file is gone; `wort compute {name}` makes it again"
            )
        if jobs:
            raise UsageError(
                f"there is no signature of {name}: its job {jobs[0].id} is {jobs[0].state}", f"see `wort logs {name}`"
            )
        raise NoSuchJob(what)
    path = Path(what)
    if not path.is_file():
        raise NoSuchFile(path)
    return path, None


def best_submission(name: Name, what: str, ledger: Ledger) -> Submission | None:
    """What was handed in under a name and is trusted most; what was refuted is shown only by its digest."""
    ranks = (Trust.VERIFIED, Trust.QUICK_CHECKED, Trust.UNVERIFIED, Trust.UNVERIFIABLE)
    named = [item for item in ledger.submissions.named(name) if item.trust in ranks]
    if named:
        return min(named, key=lambda item: ranks.index(item.trust))
    return next(iter(ledger.submissions.beginning(what)), None)


def write_out(path: Path, output: Path | None) -> None:
    """The signature as JSON to stdout, or as it is to a file, whole or not at all."""
    import gzip

    data = path.read_bytes()
    if output is not None and str(output) != "-":
        write_output(output, data, "choose another place")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
        sys.stdout.buffer.flush()


def show(
    path: Path,
    known: SignatureRecord | Submission | None,
    ksize: int | None,
    verdict: Verdict | None = None,
    *,
    hist: bool,
    provenance: bool,
    as_json: bool,
) -> None:
    """Everything about a signature."""
    from wort_cli.commands.abundance import histogram, numbers_of
    from wort_cli.signature_file import read_signature

    signature = read_signature(path)
    record = known if isinstance(known, SignatureRecord) else None
    sketches = [sketch for sketch in signature.sketches if ksize in (None, sketch.ksize)]
    if not sketches:
        raise UsageError(
            f"there is no sketch of k={ksize}", f"there are: {', '.join(str(s.ksize) for s in signature.sketches)}"
        )
    notes = {s.ksize: s.note for s in record.provenance.sketches} if record else {}
    rows = [{**numbers_of(sketch), "note": notes.get(sketch.ksize, "")} for sketch in sketches]
    facts = facts_of(path, known, signature.name, signature.digest)
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


def facts_of(path: Path, known: SignatureRecord | Submission | None, name: str, digest: str) -> dict[str, Any]:
    """What there is to say before the sketches."""
    facts: dict[str, Any] = {
        "name": name,
        "file": str(path),
        "size": render.size(path.stat().st_size),
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
    record, made = known, known.provenance
    return {
        **facts,
        "trust": trust,
        "profile": record.profile,
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
