"""Ids in paths and in lists that were pasted."""

import pytest

from wort_cli.errors import UsageError
from wort_cli.web.pages.places import database_of, links_of, name_in, names_in, page_path

NAMES = {
    "SRR139146": "sra",
    "ERR154610281": "sra",
    "GCA_016787465.1": "genomes",
    "2522125045": "img",
    "pond_2.v1": "local",
}


@pytest.mark.parametrize("name", NAMES)
def test_name_has_one_page(name: str) -> None:
    database = database_of(name)
    assert database == NAMES[name]
    assert page_path(name) == f"/view/{database}/{name}/"
    assert name_in(database, name) == name
    assert all(link.url.startswith("https://") and name in link.url for link in links_of(name))


@pytest.mark.parametrize(
    ("database", "text"),
    [
        ("sra", "SRR1"),
        ("sra", "SRR1391461234"),
        ("sra", "PRJNA1"),
        ("sra", "../x"),
        ("sra", "<b>"),
        ("sra", "SRR١٣٩١٤٦"),
        ("sra", "GCA_016787465.1"),
        ("srax", "SRR139146"),
        ("genomes", "GCA_016787465"),
        ("img", "12"),
        ("local", "SRR139146"),
        ("local", "a b"),
        ("local", ""),
    ],
)
def test_other_ids_are_refused_with_a_hint(database: str, text: str) -> None:
    with pytest.raises(UsageError) as error:
        name_in(database, text)
    assert error.value.hint
    assert "--name" not in error.value.hint


def test_an_accession_in_lower_case_is_that_of_the_run() -> None:
    assert name_in("sra", "srr139146") == "SRR139146"


def test_a_list_is_taken_as_people_paste_it() -> None:
    text = 'SRR139146, err154610281\r\nSRR139146;GCA_016787465.1\t"DRR000001"\n PRJNA395437 <b>x</b>'
    names, others = names_in(text)
    assert names == ("SRR139146", "ERR154610281", "GCA_016787465.1", "DRR000001")
    assert others == ("PRJNA395437", "<b>x</b>")


def test_nothing_is_in_an_empty_list() -> None:
    assert names_in(" \n, ") == ((), ())
