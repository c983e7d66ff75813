"""A signature without its sketches as lines of text, for `wort view`: file, trust, and how it was made."""

import os
from itertools import islice
from typing import Any

from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.viewing.provenance_text import describe_files, describe_reads, describe_tools
from wort_cli.commands.shared.viewing.viewed import Viewed
from wort_cli.model.provenance import ELSEWHERE
from wort_cli.model.submission import Submission
from wort_cli.model.units import format_bytes


def describe_signature(found: Viewed, name: str, digest: str) -> dict[str, Any]:
    """Return what is known of a signature apart from its sketches."""
    known = found.record
    facts: dict[str, Any] = {
        "name": name,
        "path": found.location,
        "size": format_bytes(os.fstat(found.file.fileno()).st_size),
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
            "submitted": f"{render.local_time(known.submitted_at)}, by {known.submitter}, as {known.origin}",
            "data": f"{known.url or known.name}: {known.source_check} ({known.source_note})",
            "sha256": known.sha256,
        }
    made = known.provenance
    facts |= {"trust": trust, "profile": known.profile}
    if not made.started_at:  # found in a bucket, without provenance
        return {**facts, "source": made.source}
    how = f"{render.local_time(made.started_at)}, in {render.duration(made.seconds)} on {made.host}"
    if known.trust in ELSEWHERE:
        facts["computed elsewhere"] = f"{how}, according to its publisher"
    else:
        facts["computed"] = how
    if made.parts:
        facts["sum of"] = f"{render.count(len(made.parts), 'run')}: {', '.join(islice(made.parts, 5))}" + (
            ", ..." if len(made.parts) > 5 else ""
        )
        return {**facts, **({"missing": ", ".join(islice(made.missing, 5))} if made.missing else {})}
    if made.files:
        return {**facts, **describe_files(made), "reads": describe_reads(made), "tools": describe_tools(made)}
    return {
        **facts,
        "source": made.source,
        "format": made.format or "unknown",
        "spots": f"{made.spots:,}, {made.spots_passed:,} of them pass the read filter",
        "reads": describe_reads(made),
        "tools": describe_tools(made),
    }
