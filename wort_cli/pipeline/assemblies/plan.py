"""Says what would be fetched of an assembly, for `wort compute -n`."""

from dataclasses import dataclass

from wort_cli.model.accession import AssemblyAccession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.http import HttpClient, url_without_query
from wort_cli.pipeline.assemblies.answers import Kind
from wort_cli.pipeline.assemblies.locate import AssemblyLocator
from wort_cli.pipeline.assemblies.requests import NoRanges, Requests
from wort_cli.pipeline.fetch_run import politeness_of, timeouts_of
from wort_cli.settings import Settings
from wort_cli.system.cancellation import NEVER


@dataclass(frozen=True)
class PlannedAssembly:
    """The file of an assembly."""

    size: int | None
    """Bytes; None if the server does not say."""
    url: str
    doubt: str
    """Why its signature may be refused or marked; '' if nothing is wrong."""


def plan_assembly(accession: AssemblyAccession, settings: Settings) -> PlannedAssembly:
    """Return the file of an assembly.  Raises JobFailed with the reason why there is none."""
    if settings.genomes_url == "off":
        raise JobFailed(Reason.NOT_ASKED, "the setting `genomes_url` is off")
    with HttpClient(timeouts_of(settings), settings.connections, politeness_of(settings)) as client:
        requests = Requests(client, NEVER)
        located = AssemblyLocator(requests, settings.genomes_url, lambda _: None).locate(accession)
        try:
            piece = requests.piece(Kind.REST, located.url, 0, 1)
        except NoRanges:
            piece = None
    doubt = "" if located.md5 else f"{Reason.UNPROVABLE}: md5checksums.txt has no md5 of it"
    return PlannedAssembly(piece.total if piece else None, url_without_query(located.url), doubt)
