"""Shows several signatures, and how similar they are: `wort view A B`, `wort view COLLECTION.zip`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.commands.shared.viewing.view_record import COMPARISONS, DOCUMENT, SKETCHES, plain_record
from wort_cli.commands.shared.viewing.viewed import Viewed, find
from wort_cli.errors import NotASignature, UsageError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.profile import Profile
from wort_cli.model.signature_file import SignatureDocument, Sketch
from wort_cli.model.similarity import Similarity, comparable, similarity
from wort_cli.reading.facts import SignatureFacts
from wort_cli.settings import Settings

MOST_COMPARED = 50
"""Signatures; they are all in memory, and each pair has a line for each k."""
SKETCH_COLUMNS = ("name", "k", "molecule", "scaled", "num", "hashes", "singletons", "median_abundance", "md5", "path")
SIMILARITY_COLUMNS = ("a", "b", "k", "molecule", "scaled", "common", "jaccard", "a_in_b", "b_in_a", "ani")


@dataclass(frozen=True)
class Labelled:
    """A signature of a file, and how it is called in the output."""

    label: str
    document: SignatureDocument
    location: str


def documents_of(found: Viewed, settings: Settings) -> tuple[SignatureDocument, ...]:
    """Return all signatures of a file, with their hashes; raise NotASignature with its first fault."""
    from wort_cli.reading.collection import read_collection
    from wort_cli.reading.limits import ReadLimits
    from wort_cli.reading.refusal import Refusal

    try:
        return read_collection(found.file, ReadLimits.of(settings), own=found.own)
    except Refusal as refusal:
        raise NotASignature(found.location, refusal.why) from None


def labelled(found: Viewed, documents: Sequence[SignatureDocument]) -> list[Labelled]:
    """Return the signatures of a file with their names; one without a name is called as sourmash does."""
    return [
        Labelled(document.name or document.filename or document.sketches[0].md5[:8], document, found.location)
        for document in documents
    ]


def find_all(words: Sequence[str], settings: Settings, ledger: Ledger, profile: Profile) -> list[Labelled]:
    """Return the signatures that words name; the files of names that occur several times are shown with them."""
    signatures: list[Labelled] = []
    for word in words:
        with find(word, settings, ledger, profile) as found:
            signatures += labelled(found, documents_of(found, settings))
        if len(signatures) > MOST_COMPARED:
            raise UsageError(
                f"more than {MOST_COMPARED} signatures are not compared here",
                "use `sourmash compare` or `sourmash search`",
            )
    return with_distinct_labels(signatures)


def with_distinct_labels(signatures: Sequence[Labelled]) -> list[Labelled]:
    """Return signatures with labels that differ: with their file, or else their number."""
    names = Counter(each.label for each in signatures)
    named = [
        replace(each, label=f"{each.label} ({each.location})") if names[each.label] > 1 else each for each in signatures
    ]
    places = Counter(each.label for each in named)
    seen: Counter[str] = Counter()
    result = []
    for each in named:
        seen[each.label] += 1
        result.append(replace(each, label=f"{each.label} #{seen[each.label]}") if places[each.label] > 1 else each)
    return result


def show_signatures(signatures: Sequence[Labelled], ksize: int | None, *, as_json: bool, header: bool) -> None:
    """Print the sketches of some signatures, and the similarity of each pair; UsageError if no sketch has `ksize`."""
    facts = [SignatureFacts.of(each.document) for each in signatures]
    sizes = sorted({sketch.k for each in signatures for sketch in each.document.sketches})
    if ksize is not None and ksize not in sizes:
        raise UsageError(f"there is no sketch with k={ksize}", f"the signatures have k={', '.join(map(str, sizes))}")
    pairs = list(pairs_of(signatures, ksize)) if len(signatures) <= MOST_COMPARED else []
    records = [
        plain_record(
            each.label, each.location, known, [s for s in known.sketches if ksize in (None, s.statistics["k"])]
        )
        for each, known in zip(signatures, facts, strict=True)
    ]
    similar = [{"a": a, "b": b, **asdict(found)} for a, b, found in pairs]
    if as_json:
        print_records(DOCUMENT, records, Form.JSON, head={"comparisons": similar})
        return
    form = Form.of()
    rows = [{**row, "name": record["name"], "path": record["path"]} for record in records for row in record["sketches"]]
    if form is Form.TERMINAL or not pairs:
        print_records(SKETCHES, rows, form, header=header, columns=of_interest(SKETCH_COLUMNS, rows, form))
    if form is Form.TERMINAL and pairs:
        render.result()
    if pairs:
        print_records(COMPARISONS, similar, form, header=header, columns=of_interest(SIMILARITY_COLUMNS, similar, form))
    if len(signatures) > MOST_COMPARED:
        render.notice(f"more than {MOST_COMPARED} signatures are not compared here; use `sourmash compare`")
    for a, b in not_comparable(signatures, ksize, pairs):
        render.notice(
            f"{shown(a.label, 100)} and {shown(b.label, 100)} have no sketches that can be compared: "
            f"{parameters_of(a.document)}; {parameters_of(b.document)}"
        )


def pairs_of(signatures: Sequence[Labelled], ksize: int | None) -> Iterator[tuple[str, str, Similarity]]:
    """Yield the similarity of each two signatures, for each pair of sketches that can be compared."""
    for a, b in combinations(signatures, 2):
        for one in a.document.sketches:
            for other in b.document.sketches:
                if ksize in (None, one.k) and comparable(one, other):
                    yield a.label, b.label, similarity(one, other)


def not_comparable(
    signatures: Sequence[Labelled], ksize: int | None, pairs: Sequence[tuple[str, str, Similarity]]
) -> list[tuple[Labelled, Labelled]]:
    """Return the pairs of signatures of which nothing can be compared."""
    compared = {(a, b) for a, b, _ in pairs}
    if len(signatures) > MOST_COMPARED:
        return []
    return [(a, b) for a, b in combinations(signatures, 2) if (a.label, b.label) not in compared]


def parameters_of(document: SignatureDocument) -> str:
    """Return the parameters of the sketches of a signature in words."""
    return ", ".join(parameters_of_sketch(sketch) for sketch in document.sketches)


def parameters_of_sketch(sketch: Sketch) -> str:
    """Return the parameters of a sketch in words: DNA k=21 scaled=1000."""
    size = f"num={sketch.num}" if sketch.num else f"scaled={sketch.scaled}"
    seed = f" seed={sketch.seed}" if sketch.seed != 42 else ""
    return f"{sketch.moltype} k={sketch.k} {size}{seed}"


def of_interest(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], form: Form) -> list[str]:
    """Return the columns without those that a terminal does not need: the same in all rows, and as expected."""
    if form is not Form.TERMINAL:
        return list(columns)
    hidden = {"path", *(key for key in ("scaled", "num") if not any(row.get(key) for row in rows))}
    if {row["molecule"] for row in rows} <= {"DNA"}:
        hidden.add("molecule")
    return [key for key in columns if key not in hidden]
