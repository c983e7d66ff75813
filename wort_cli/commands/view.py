"""`wort view`: a signature in numbers and pictures, its bytes, or an address where others get it.

A signature is looked for in the local store, then in the bucket.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wort_cli.accession import Accession, Name, parse_name
from wort_cli.commands import render
from wort_cli.commands.context import JsonOption, begin
from wort_cli.commands.output import write_output
from wort_cli.commands.place import Place, open_bucket
from wort_cli.commands.sources import stem
from wort_cli.errors import NoSuchFile, NoSuchJob, NotASignature, UsageError, shown
from wort_cli.ledger import Ledger
from wort_cli.profile import profile_named
from wort_cli.settings import Settings
from wort_cli.signature_record import SignatureRecord

if TYPE_CHECKING:
    from wort_cli.stores.shared import SharedStore

COLUMNS = ("k", "scaled", "hashes", "distinct_kmers", "kmers", "singletons", "median_abundance", "note", "md5")
BAR = 40
DURATION = re.compile(r"([1-9][0-9]{0,6})([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST = 7 * 86400
"""Seconds that a signed address may be good for (AWS, Signature Version 4)."""


@dataclass(frozen=True)
class Found:
    """A signature that was found: a file with it, what is known of it, and where it is for a person."""

    path: Path
    record: SignatureRecord | None
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
        if raw or output:
            write_out(found.path, output)
        else:
            show(found, ksize, hist=hist, provenance=provenance, as_json=as_json)


@contextmanager
def find(what: str, settings: Settings, ledger: Ledger) -> Iterator[Found]:
    """The signature that is meant, for as long as the context lasts; a name goes before a file."""
    if "/" in what or what.endswith((".sig", ".gz", ".json")):
        path = Path(what)
        if not path.is_file():
            raise NoSuchFile(path)
        yield Found(path, None, str(path))
        return
    name: Name = parse_name(stem(what))
    profile = profile_named(settings.profile).name
    record = ledger.signature(name, profile)
    place = Place(settings, ledger, profile)
    if record is not None and place.local.has(name):
        yield Found(place.local.path(name), record, str(place.local.path(name)))
    elif settings.s3 is not None and isinstance(name, Accession):
        shared = place.shared()
        if shared.find(name) is None:
            raise explanation(name, record, settings, ledger)
        with place.fetched(name, shared) as path:
            yield Found(path, record or record_of(name, shared), shared.url(name))
    else:
        raise explanation(name, record, settings, ledger)


def explanation(name: Name, record: SignatureRecord | None, settings: Settings, ledger: Ledger) -> UsageError:
    """Why a signature is not to be found."""
    jobs = ledger.jobs_named(name)
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


def show_url(what: str, expires: str, settings: Settings, *, as_json: bool) -> None:
    """An address by which anybody can read a signature for a while."""
    from wort_cli.stores.described import signature_key

    seconds = seconds_of(expires)
    name = Accession.parse(what)
    shared = open_bucket(settings)
    if shared.find(name) is None:
        raise UsageError(f"there is no signature of {name} in the bucket", f"`wort sync push {name}` puts it there")
    url = shared.objects.url(signature_key(name), seconds, f"{name}.sig")
    if as_json:
        render.document({"name": name, "url": url, "seconds": seconds})
    else:
        render.result(url)


def seconds_of(text: str) -> int:
    """A duration such as 30m in seconds; UsageError if it is none, or longer than an address may be good."""
    found = DURATION.fullmatch(text)
    seconds = int(found[1]) * SECONDS[found[2]] if found else 0
    if not 0 < seconds <= LONGEST:
        raise UsageError(f"--expires {shown(text)} is not a duration", "give 30s, 15m, 1h or up to 7d")
    return seconds


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


def show(found: Found, ksize: int | None, *, hist: bool, provenance: bool, as_json: bool) -> None:
    """Everything about a signature."""
    from wort_cli.commands.abundance import histogram, numbers_of
    from wort_cli.signature_file import read_signature

    record = found.record
    signature = read_signature(found.path)
    sketches = [sketch for sketch in signature.sketches if ksize in (None, sketch.ksize)]
    if not sketches:
        raise UsageError(
            f"there is no sketch of k={ksize}", f"there are: {', '.join(str(s.ksize) for s in signature.sketches)}"
        )
    notes = {s.ksize: s.note for s in record.provenance.sketches} if record else {}
    rows = [{**numbers_of(sketch), "note": notes.get(sketch.ksize, "")} for sketch in sketches]
    facts = facts_of(found, signature.name, signature.digest)
    if as_json:
        render.document(
            {
                **facts,
                "sketches": [{**row, "histogram": histogram(s)} for row, s in zip(rows, sketches, strict=True)],
                "provenance": record.provenance.to_json() if record else None,
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
    record = found.record
    facts: dict[str, Any] = {
        "name": name,
        "file": found.where,
        "size": render.size(found.path.stat().st_size),
        "digest": digest,
    }
    if record is None:
        return {**facts, "trust": "not in the catalog"}
    made = record.provenance
    trust = str(record.trust) if record.digest == digest else "the file does not match the catalog's digest"
    facts |= {"trust": trust, "profile": record.profile}
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
