"""Examines whether a signature that does not match was made from the run's archive in the other format.

NCBI has many runs as a normalized archive and as a Lite one, whose read filter differs.  So such a run has two
signatures that are both right, and the setting `quality` decides which one is computed.  A verification that finds a
mismatch looks for the other archive, on disk and at NCBI.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace

from wort_cli.model.archive_format import Format
from wort_cli.model.job import Source
from wort_cli.pipeline.archives.locate import TOOLKIT, Archive, find_on_disk
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.workspace import Workspace, remove_workspace

OTHER = {Format.NORMALIZED: Format.LITE, Format.LITE: Format.NORMALIZED}


@contextlib.contextmanager
def attempt_with_other_format(attempt: Attempt, archive: Archive, tools: ToolGroup) -> Iterator[Attempt | None]:
    """Yield an attempt at the same job that reads the archive in the other format, in a workspace that is removed.

    Yields None if the format of `archive` is unknown, or if the toolkit would have to stream the other archive.
    """
    if not archive.format:
        yield None
        return
    spec = spec_for(OTHER[Format(archive.format)], attempt.spec, archive)
    deadline = time.monotonic() + spec.time_limits.resolve_timeout
    if spec.download.download == TOOLKIT and find_on_disk(spec, tools, deadline) is None:
        yield None
        return
    workspace = Workspace(attempt.workspace.root / "other-format", spec.attempt, attempt.workspace.key)
    workspace.create()
    try:
        yield attempt.variant(spec, workspace)
    finally:
        remove_workspace(workspace.root)


def spec_for(format: Format, spec: JobSpec, archive: Archive) -> JobSpec:
    """Return the spec of a job that reads the run in a format; first from beside `archive`, if that is on disk."""
    beside = (archive.path.parent, archive.path.parent.parent) if archive.path and not archive.fetched else ()
    return replace(
        spec,
        source=Source(spec.source.name, None),
        archives=(*beside, *spec.archives),
        download=replace(spec.download, quality=str(format)),
    )


def explain_format(what: str, made_from: str, read: str) -> str:
    """Return the cause of a mismatch with the format that was read, if `what` matches the other one."""
    names = {Format.NORMALIZED: "normalized", Format.LITE: "Lite"}
    return (
        f"{what} the {names[Format(made_from)]} archive of the run, whose read filter differs from that of the "
        f"{names[Format(read)]} one (setting `quality`)"
    )
