"""Describes an export as an RO-Crate: what it has, of which runs, how and when it was made, under which license.

Source: RO-Crate 1.1 (w3id.org/ro/crate/1.1), and the profile Process Run Crate for the action.  The library `rocrate`
describes all except the files with signatures, of which there may be millions: they are written one after the other.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from wort_cli import __version__
from wort_cli.errors import UsageError
from wort_cli.model.accession import RUN
from wort_cli.model.sketch_row import MANIFEST
from wort_cli.model.units import iso_time
from wort_cli.upkeep.export.contents import MISSING, Contents, ExportedFile

VERSION = "1.1"
"""The version of RO-Crate that repositories accept."""
NO_LICENSE = "No license was stated when the signatures were exported."
LICENSE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
"""A possible identifier of SPDX."""
RUN_PAGE = "https://identifiers.org/insdc.sra:"
FILES = {
    MANIFEST: ("manifest", "The sketches of all signatures, as a manifest of sourmash"),
    MISSING: ("missing signatures", "What was asked for and is not there: state, reason and sentence"),
}


@dataclass(frozen=True)
class CrateFacts:
    """The facts of an RO-Crate about an export as a whole."""

    name: str
    description: str
    parameters: str
    """The parameters of the sketches, as a profile defines them."""
    license: str
    """A URL, an identifier of SPDX, a text, or empty."""
    made_at: float


def check_rocrate() -> None:
    """Raise UsageError if rocrate, an extra, is not installed."""
    try:
        import rocrate  # noqa: F401
    except ImportError:
        raise UsageError(
            "--ro-crate needs rocrate, which is not installed", "pip install 'wort-cli[ro-crate]'"
        ) from None


def crate_metadata(facts: CrateFacts, contents: Contents) -> Iterator[bytes]:
    """Yield the metadata of an export as JSON-LD, in pieces.  `contents` has all of its files."""
    document = without_signatures(facts)
    root = next(entity for entity in document["@graph"] if entity["@id"] == "./")
    parts = root.pop("hasPart")
    others = [entity for entity in document["@graph"] if entity is not root]
    yield f'{{"@context": {json.dumps(document["@context"])}, "@graph": [\n'.encode()
    yield from (json.dumps(entity).encode() + b",\n" for entity in others)
    yield json.dumps(root)[:-1].encode() + b', "hasPart": ['
    yield from (json.dumps({"@id": url_path(file.location)}).encode() + b",\n" for file in contents.files())
    yield json.dumps(parts)[1:].encode() + b"}"
    run = ""
    for file in contents.files():
        yield b",\n" + json.dumps(file_entity(file)).encode()
        if file.name != run and RUN.fullmatch(file.name):
            run = file.name
            yield b",\n" + json.dumps(run_entity(run)).encode()
    yield b"\n]}\n"


def without_signatures(facts: CrateFacts) -> dict[str, Any]:
    """Return the metadata without the files that have signatures."""
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=VERSION)
    crate.name, crate.description, crate.datePublished = facts.name, facts.description, iso_time(facts.made_at)
    url = license_url(facts.license)
    crate.license = facts.license or NO_LICENSE
    if url:
        crate.license = crate.add(ContextEntity(crate, url, {"@type": "CreativeWork", "name": facts.license}))
    for path, (name, description) in FILES.items():
        crate.add_file(
            dest_path=path, properties={"name": name, "description": description, "encodingFormat": "text/csv"}
        )
    wort = {"@type": "SoftwareApplication", "name": "wort", "softwareVersion": __version__}
    parameters = {"@type": "PropertyValue", "name": "parameters of the sketches", "value": facts.parameters}
    action = {"@type": "CreateAction", "name": "wort export", "endTime": iso_time(facts.made_at)}
    made = crate.add(ContextEntity(crate, "#export", action))
    made["instrument"] = crate.add(ContextEntity(crate, "#wort", wort))
    made["object"] = crate.add(ContextEntity(crate, "#parameters", parameters))
    made["result"] = crate.root_dataset
    crate.root_dataset["mentions"] = made
    found: dict[str, Any] = crate.metadata.generate()
    return found


def license_url(text: str) -> str:
    """Return the URL of a license, given as a URL or an identifier of SPDX; empty if it is neither."""
    if re.match(r"https?://\S+$", text):
        return text
    return f"https://spdx.org/licenses/{text}" if LICENSE_ID.fullmatch(text) else ""


def file_entity(file: ExportedFile) -> dict[str, Any]:
    """Return the entity of a file with sketches of a signature."""
    entity: dict[str, Any] = {
        "@id": url_path(file.location),
        "@type": "File",
        "name": f"sourmash signature of {file.name}",
        "encodingFormat": "application/gzip",
        "contentSize": str(file.size),
    }
    if RUN.fullmatch(file.name):
        entity["isBasedOn"] = {"@id": f"{RUN_PAGE}{file.name}"}
    return entity


def run_entity(run: str) -> dict[str, Any]:
    """Return the entity of a sequencing run."""
    url = f"{RUN_PAGE}{run}"
    return {"@id": url, "@type": "CreativeWork", "name": f"sequencing run {run}", "identifier": run, "url": url}


def url_path(location: str) -> str:
    """Return the path of a file in a crate as a relative URL."""
    return quote(location)


def described(name: str, trusts: Sequence[tuple[str, int]], missing: int) -> str:
    """Return the description of an export: the numbers of its signatures by trust, and of those that are missing."""
    counts = ", ".join(f"{number:,} {trust}" for trust, number in trusts) or "none"
    text = f"Signatures (FracMinHash sketches) of sequencing data, exported by wort as {name}. Signatures: {counts}."
    return f"{text} Missing: {missing:,}, listed in {MISSING}." if missing else text
