"""The databases of signatures, which paths name as the earlier service did: runs, assemblies, and taxa of IMG.

IMG has no archives that wort could fetch.  Its signatures are those that were imported under the id of their taxon,
which is a local name.  Signatures that this home computed under a local name are never served.
"""

import re
from dataclasses import dataclass

from wort_cli.model.accession import ASSEMBLY, RUN, Name, parse_name
from wort_cli.model.profile import GENOMES_V1, SRA_V1, Profile
from wort_cli.model.provenance import ELSEWHERE, Trust


@dataclass(frozen=True)
class Database:
    """A database: its ids, and the profile of its signatures."""

    name: str
    ids: re.Pattern[str]
    pattern: str
    """A pattern with * and ? for all of them; it matches few other names."""
    bounds: tuple[str, str]
    """All ids are after the first of these, and before the second, in the order of an index."""
    words: str
    """The kind of its ids, in words."""
    example: str
    profile: Profile = SRA_V1
    trusts: frozenset[Trust] = frozenset(Trust)
    """The levels of trust of signatures that are served, if the settings allow them."""

    def parse(self, text: str) -> Name | None:
        """Return an id of this database; None if the text is not one."""
        return parse_name(text) if self.ids.fullmatch(text) else None

    def file_url(self, root: str, name: str) -> str:
        """Return where the server, below a root path, has the file of an id."""
        return f"{root}/wort-{self.name}/sigs/{name}.sig"


SRA = Database("sra", RUN, "?RR*", ("DRR", "SRS"), "a run: SRR, ERR or DRR and six to nine digits", "SRR139146")
GENOMES = Database(
    "genomes",
    ASSEMBLY,
    "GC?_*",
    ("GCA_", "GCG"),
    "an assembly: GCA_ or GCF_, nine digits, and its version",
    "GCA_000005845.2",
    GENOMES_V1,
)
IMG = Database(
    "img", re.compile("[0-9]{10}"), "?" * 10, ("0", ":"), "a taxon of IMG: ten digits", "2522125045", trusts=ELSEWHERE
)
DATABASES = {database.name: database for database in (SRA, GENOMES, IMG)}


def database_of(name: str) -> Database | None:
    """Return the database that a name is an id of; None for other local names."""
    return next((database for database in DATABASES.values() if database.ids.fullmatch(name)), None)
