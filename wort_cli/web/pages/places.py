"""The databases of signatures: what their ids look like, and where others have pages about them."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from wort_cli.errors import UsageError, shown
from wort_cli.model.accession import RUN, Name, parse_name
from wort_cli.model.spelling import Spelling
from wort_cli.web import databases

SRA, GENOMES, IMG, LOCAL = DATABASES = (*databases.DATABASES, "local")
"""The prefixes of ids in paths of pages: the names of the earlier service, and that of local signatures."""
HINT = "check the id, or search for it"


@dataclass(frozen=True)
class Link:
    """A page of others."""

    label: str
    url: str


def database_of(name: str) -> str:
    """Return the database of a name."""
    found = databases.database_of(name)
    return found.name if found else LOCAL


def name_in(database: str, text: str) -> Name:
    """Return the name that an id in a path is.  Raises UsageError if the database has no such ids."""
    if database not in DATABASES:
        raise UsageError(f"there is no database {shown(database)}", f"the databases are {', '.join(DATABASES)}")
    spelled = text.upper() if database != LOCAL and text.isascii() else text
    if database == LOCAL:
        try:
            name = parse_name(spelled)
        except UsageError:
            raise UsageError(f"{shown(text)} cannot be the name of a signature", HINT) from None
        if database_of(str(name)) != LOCAL:
            raise UsageError(f"{shown(text)} is {databases.DATABASES[database_of(str(name))].words}", HINT)
        return name
    found = databases.DATABASES[database].parse(spelled)
    if found is None:
        raise UsageError(f"{shown(text)} is not {databases.DATABASES[database].words}", HINT)
    return found


def page_path(name: str) -> str:
    """Return the permanent path of the page of a name."""
    return f"/view/{database_of(name)}/{quote(name)}/"


def links_of(name: str) -> tuple[Link, ...]:
    """Return the pages of others about a name."""
    database = database_of(name)
    if database == SRA:
        return (
            Link("NCBI", f"https://trace.ncbi.nlm.nih.gov/Traces/?view=run_browser&acc={name}"),
            Link("ENA", f"https://www.ebi.ac.uk/ena/browser/view/{name}"),
        )
    if database == GENOMES:
        return (
            Link("NCBI", f"https://www.ncbi.nlm.nih.gov/datasets/genome/{name}/"),
            Link("ENA", f"https://www.ebi.ac.uk/ena/browser/view/{name}"),
        )
    if database == IMG:
        page = "https://img.jgi.doe.gov/cgi-bin/m/main.cgi?section=TaxonDetail&page=taxonDetail&taxon_oid="
        return (Link("IMG", page + name),)
    return ()


def names_in(text: str) -> tuple[tuple[Name, ...], tuple[str, ...]]:
    """Return the names in a text that was pasted, without repetitions, and the words that are no accession.

    Lists of accessions have one a line, or commas between them; a word of other text is no name of a signature.
    """
    names: dict[Name, None] = {}
    others: dict[str, None] = {}
    spelling = Spelling()
    for word in re.split(r"[\s,;|\"']+", text):
        upper = word.upper()
        if not word:
            continue
        if word.isascii() and RUN.fullmatch(upper):
            names[spelling.accession(word)] = None
        elif databases.database_of(upper):
            names[parse_name(upper)] = None
        else:
            others[word] = None
    return tuple(names), tuple(others)
