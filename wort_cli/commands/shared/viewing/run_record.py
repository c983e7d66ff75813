"""The metadata of a run as a record."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from wort_cli.commands.shared.showing.fields import BASES, BYTES, COUNT, ID, ID_IF_SPACE, TEXT, Field
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.run_metadata import FIELDS, RunMetadata

RUN_FIELDS = (
    Field("run", ID, "The accession of the run"),
    Field("project", ID_IF_SPACE, "Its project", optional=True),
    Field("study", ID_IF_SPACE, "Its study", optional=True),
    Field("experiment", ID_IF_SPACE, "Its experiment", optional=True),
    Field("sample", ID_IF_SPACE, "Its sample", optional=True),
    Field("biosample", ID_IF_SPACE, "Its biosample", optional=True),
    Field("taxid", COUNT, "The taxonomic id of the organism", optional=True),
    Field("organism", TEXT, "The scientific name of the organism", optional=True),
    Field("strategy", TEXT, "The strategy of the library, such as WGS", optional=True),
    Field("source", TEXT, "The source of the library, such as METAGENOMIC", optional=True),
    Field("selection", TEXT, "The selection of the library, such as RANDOM", optional=True),
    Field("layout", TEXT, "The layout of the library: SINGLE or PAIRED", optional=True),
    Field("platform", TEXT, "The platform of the instrument", optional=True),
    Field("model", TEXT, "The model of the instrument", optional=True),
    Field("spots", COUNT, "The number of spots", optional=True),
    Field("bases", BASES, "The length of all reads", optional=True),
    Field("bytes", BYTES, "The size of the archive", optional=True),
    Field("released", TEXT, "The date of publication, as YYYY-MM-DD", optional=True),
    Field("updated", TEXT, "The date of the last change, as YYYY-MM-DD", optional=True),
)
METADATA_FIELDS = RUN_FIELDS[1:]
"""The fields of a run without its name."""
TOGETHER = 500
"""Records for which one query reads the metadata."""


def with_metadata(records: Iterable[dict[str, Any]], ledger: Ledger) -> Iterator[dict[str, Any]]:
    """Yield records that have a `name`, each with METADATA_FIELDS of the run of that name."""
    unknown = dict.fromkeys(field.key for field in METADATA_FIELDS)
    rest = iter(records)
    while some := list(islice(rest, TOGETHER)):
        known = ledger.runs.known_of({record["name"] for record in some})
        for record in some:
            values = run_values(known[record["name"]]) if record["name"] in known else unknown
            yield {**record, **{key: values[key] for key in unknown}}


def run_values(run: RunMetadata) -> dict[str, Any]:
    """Return a run with the keys of RUN_FIELDS; None stands for what is not known."""
    return {name: None if value == "" else value for name, value in zip(FIELDS, run.values(), strict=True)}


def run_facts(run: RunMetadata) -> dict[str, str]:
    """Return what is known of a run as names and values for a person; what is not known is left out."""
    library = ", ".join(part for part in (run.strategy, run.source, run.selection, run.layout) if part)
    facts = {
        "organism": run.organism,
        "library": library,
        "platform": run.model or run.platform,
        "project": ", ".join(part for part in (run.project, run.study) if part),
        "sample": ", ".join(part for part in (run.biosample, run.sample, run.experiment) if part),
        "released": run.released,
    }
    return {name: value for name, value in facts.items() if value}
