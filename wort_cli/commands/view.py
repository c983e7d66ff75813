"""`wort view`: shows a signature, writes it to a file, plots it, compares several, or prints a presigned URL of one.

The local store is searched first, then the bucket, then the submissions, and the public signatures if no bucket is set.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wort_cli.commands.shared.arguments.options import (
    JsonOption,
    NoHeaderOption,
    OfflineOption,
    OutputOption,
    ProfileOption,
    ProvenanceFileOption,
    ReplaceOption,
)
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home_to_read
from wort_cli.commands.shared.exporting.output import Format, Output, OutputItem
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.printing import Form, print_facts, print_records
from wort_cli.commands.shared.viewing.presigned_url import print_presigned_url
from wort_cli.commands.shared.viewing.run_record import run_facts
from wort_cli.commands.shared.viewing.signature_text import describe_signature
from wort_cli.commands.shared.viewing.view_record import DOCUMENT, SKETCHES, provenance_facts, signature_record
from wort_cli.commands.shared.viewing.viewed import Viewed, find
from wort_cli.errors import NotASignature, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.profile import profile_option
from wort_cli.model.provenance import SignatureRecord, Trust
from wort_cli.model.submission import Submission
from wort_cli.settings import Settings

if TYPE_CHECKING:
    from wort_cli.reading.facts import SignatureFacts, SketchFacts

SHOWN = (
    "k",
    "molecule",
    "scaled",
    "num",
    "hashes",
    "distinct_kmers",
    "kmers",
    "singletons",
    "median_abundance",
    "md5",
    "note",
)


def view(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="ID|FILE...",
            help="Signature names, digests of submissions, or signature files; several are compared.",
        ),
    ],
    profile: ProfileOption = "",
    ksize: Annotated[
        int | None,
        typer.Option("-k", "--ksize", metavar="K", help="Show or write only the sketch with this k."),
    ] = None,
    hist: Annotated[
        bool, typer.Option("--hist/--no-hist", help="Draw the histograms of abundances on a terminal.")
    ] = True,
    plot: Annotated[
        str,
        typer.Option(
            "--plot", metavar="FILE", help="Draw the histograms of abundances into a .svg, .png or .pdf file."
        ),
    ] = "",
    provenance: Annotated[
        bool, typer.Option("--provenance", help="Show the complete provenance: tools, archive, counts, times.")
    ] = False,
    url: Annotated[
        bool, typer.Option("--url", help="Print a presigned URL, by which others can download it from the bucket.")
    ] = False,
    expires: Annotated[
        str,
        typer.Option("--expires", metavar="TIME", help="Validity of the URL, such as 30m, 1h or 7d (at most 7d)."),
    ] = "1h",
    raw: Annotated[bool, typer.Option("--raw", help="Print the signature itself, as JSON.")] = False,
    output: OutputOption = "",
    no_provenance: ProvenanceFileOption = False,
    force: ReplaceOption = False,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Show a signature, write it to a file, or compare several.

    \b
    Examples:
      wort view SRR139146
      wort view SRR139146 -o SRR139146.sig
      wort view SRR139146 --plot SRR139146.svg
      wort view SRR139146 SRR139147 others.zip
      wort view SRR139146 --url --expires 7d
    """
    if raw and output:
        raise UsageError("--raw and -o exclude each other", "--raw is the same as `-o -`")
    target = Output.parse("-" if raw else output, force=force) if raw or output else None
    plot_file = checked_plot(plot, force=force)
    settings, ledger = open_home_to_read(offline=offline)
    wanted = chosen_profile(profile, settings, ledger)
    if len(names) > 1:
        if url or target or plot_file or provenance:
            raise UsageError("-o, --raw, --url, --plot and --provenance take one signature", "name only one")
        from wort_cli.commands.shared.viewing.compared import find_all, show_signatures

        show_signatures(find_all(names, settings, ledger, wanted), ksize, as_json=as_json, header=not no_header)
        return
    (name,) = names
    if url:
        print_presigned_url(name, expires, settings, wanted, as_json=as_json)
        return
    header = not no_header
    with find(name, settings, ledger, wanted) as found:
        explain_trust(found.record, profile_option(wanted.name, settings.profile))
        if target is not None:
            write_signature(found, ksize, target, settings, provenance=not no_provenance)
            return
        facts = (
            read(found, settings)
            if found.record
            else facts_of_file(found, settings, ksize, plot_file, as_json=as_json, header=header)
        )
        if facts is None:
            return
        if ksize is not None:
            check_ksize(ksize, facts)
        if plot_file:
            plot_histograms(facts.name or found.location, shown_sketches(facts, ksize), plot_file)
        show(
            found,
            facts,
            ksize,
            ledger,
            hist=hist and not plot_file,
            provenance=provenance,
            as_json=as_json,
            header=header,
        )


def explain_trust(record: SignatureRecord | Submission | None, option: str) -> None:
    """Write to stderr that a signature was submitted, or does not match the reads; `option` names its profile."""
    if isinstance(record, Submission):
        render.notice(f"{record.name}: {record.trust}, submitted by {render.printable(record.submitter)}")
    elif record is not None and record.trust is Trust.MISMATCH:
        render.notice(f"{record.name}: {record.trust}; `wort compute {record.name}{option}` computes it again")


def plot_histograms(title: str, sketches: "Sequence[SketchFacts]", file: Path) -> None:
    """Draw the histograms of sketches into a file."""
    from wort_cli.commands.shared.viewing.histogram_plot import plot

    plot(title, sketches, file)
    render.notice(f"the histograms are in {render.printable(file)}")


def facts_of_file(
    found: Viewed, settings: Settings, ksize: int | None, plot_file: Path | None, *, as_json: bool, header: bool
) -> "SignatureFacts | None":
    """Return the facts of the signature in a file that the user named; show several ones at once, and return None."""
    from wort_cli.commands.shared.viewing.compared import documents_of, labelled, show_signatures, with_distinct_labels
    from wort_cli.reading.facts import SignatureFacts

    documents = documents_of(found, settings)
    if len(documents) == 1:
        return SignatureFacts.of(documents[0])
    if plot_file:
        raise UsageError(f"{found.location} has {len(documents):,} signatures", "--plot takes one signature")
    show_signatures(with_distinct_labels(labelled(found, documents)), ksize, as_json=as_json, header=header)
    return None


def checked_plot(text: str, *, force: bool) -> Path | None:
    """Return the file for a plot, if one was asked for; UsageError if it cannot be written."""
    if not text:
        return None
    from wort_cli.commands.shared.viewing.histogram_plot import check_plot

    return check_plot(text, force=force)


def write_signature(found: Viewed, ksize: int | None, target: Output, settings: Settings, *, provenance: bool) -> None:
    """Write a signature where `-o` says; the provenance, which is that of all sketches, goes with all of them."""
    from wort_cli.reading.strict import NO_LIMIT

    record = found.record
    if ksize is not None:
        found = with_one_sketch(found, ksize, settings)
    if record is not None:
        name = str(record.name)
    elif target.in_place:
        name = found.location
    else:
        name = read(found, settings).name
        if target.is_directory or target.format is Format.ZIP:
            name = parse_name(name)
    known = isinstance(record, SignatureRecord) and record.provenance.started_at and ksize is None
    item = OutputItem(
        name,
        lambda: nullcontext(found.file),
        record.provenance if provenance and known and isinstance(record, SignatureRecord) else None,
        NO_LIMIT if found.own else settings.submit_unpacked,
    )
    target.check([name])
    target.write([item])


def with_one_sketch(found: Viewed, ksize: int, settings: Settings) -> Viewed:
    """Return a signature with the sketches of one k-mer size only; UsageError if it has none."""
    from wort_cli.commands.shared.viewing.one_sketch import one_sketch

    check_ksize(ksize, read(found, settings))
    return replace(found, file=one_sketch(found.file, ksize), own=True)


def check_ksize(ksize: int, signature: "SignatureFacts") -> None:
    """Raise UsageError if a signature has no sketch of a k-mer size."""
    sizes = [sketch.statistics["k"] for sketch in signature.sketches]
    if ksize not in sizes:
        raise UsageError(f"there is no sketch with k={ksize}", f"the signature has k={', '.join(map(str, sizes))}")


def read(found: Viewed, settings: Settings) -> "SignatureFacts":
    """Return the facts of a signature; raise NotASignature with its first fault."""
    from wort_cli.reading.limits import ReadLimits
    from wort_cli.reading.refusal import Refusal
    from wort_cli.reading.signatures import read_facts, read_own_facts

    try:
        return read_own_facts(found.file) if found.own else read_facts(found.file, ReadLimits.of(settings))
    except Refusal as refusal:
        raise NotASignature(found.location, refusal.why) from None


def show(
    found: Viewed,
    signature: "SignatureFacts",
    ksize: int | None,
    ledger: Ledger,
    *,
    hist: bool,
    provenance: bool,
    as_json: bool,
    header: bool,
) -> None:
    """Print what is known of a signature, its sketches, and their histograms."""
    from wort_cli.commands.shared.showing.styles import drawing
    from wort_cli.commands.shared.viewing.histogram_text import STYLES, draw

    sketches, known = shown_sketches(signature, ksize), found.record
    verdict = ledger.submissions.last_verdict(known.path) if known and known.path else None
    metadata = ledger.runs.get(str(known.name)) if known else None
    record = signature_record(found, signature, sketches, metadata, verdict)
    if as_json:
        print_records(DOCUMENT, [record], Form.JSON, head={"comparisons": []})
        return
    facts = describe_signature(found, signature.title or signature.name, signature.digest)
    if metadata is not None:
        facts |= run_facts(metadata)
    if verdict is not None:
        facts["verification"] = "; ".join(
            [verdict.sentence(), *(c.sentence() for c in verdict.comparisons if c.differs)]
        )
    if provenance and isinstance(found.record, SignatureRecord):
        facts |= {key: value for key, value in provenance_facts(found.record.provenance).items() if key not in facts}
    rows = [{**row, "name": record["name"], "path": record["path"]} for row in record["sketches"]]
    if not render.is_terminal():
        for row in rows:
            facts |= {f"k={row['k']} {key}": row[key] for key in SHOWN[1:] if row[key] is not None}
        print_facts(facts, header=header)
        return
    print_facts(facts)
    render.result()
    print_records(SKETCHES, rows, Form.TERMINAL, columns=[key for key in SHOWN if is_of_interest(key, rows)])
    if hist:
        render.result()
        drawing(draw(sketches, shutil.get_terminal_size().columns), STYLES)


def shown_sketches(signature: "SignatureFacts", ksize: int | None) -> "list[SketchFacts]":
    """Return the sketches of one k, or all of them."""
    return [sketch for sketch in signature.sketches if ksize in (None, sketch.statistics["k"])]


def is_of_interest(key: str, rows: "Sequence[Mapping[str, Any]]") -> bool:
    """Return whether a person needs a column: not a parameter that no sketch has, or that is as ever."""
    if key == "molecule":
        return any(row[key] != "DNA" for row in rows)
    return key not in ("scaled", "num") or any(row[key] for row in rows)
