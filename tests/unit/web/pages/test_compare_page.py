"""The similarity of two signatures, as its page has it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.served_home import DONE, FOUND, NOBODY, make_served_home
from wort_cli.errors import UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.profile import SRA_V1
from wort_cli.settings import load_settings
from wort_cli.stores.local import LocalStore
from wort_cli.web.pages import compare_page
from wort_cli.web.pages.compare_page import ComparePage, Comparisons, compared_name


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    make_served_home(tmp_path / "home")
    opened = Ledger(tmp_path / "home" / "ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def comparisons(tmp_path: Path) -> Comparisons:
    return Comparisons(load_settings({"WORT_HOME": str(tmp_path / "home")}))


def compared(comparisons: Comparisons, ledger: Ledger, a: str, b: str) -> ComparePage:
    return comparisons.page(ledger, (parse_name(a), SRA_V1), (parse_name(b), SRA_V1))


def test_similarity_of_each_k(comparisons: Comparisons, ledger: Ledger) -> None:
    page = compared(comparisons, ledger, DONE, FOUND)
    assert [(one.k, one.common, one.jaccard) for one in page.similarities] == [(21, 0, 0.0), (31, 0, 0.0), (51, 0, 0.0)]
    itself = compared(comparisons, ledger, DONE, DONE)
    assert {(one.jaccard, one.a_in_b, one.b_in_a, one.ani) for one in itself.similarities} == {(1.0, 1.0, 1.0, 1.0)}
    assert not itself.why_not


def test_page_says_why_nothing_is_compared(
    comparisons: Comparisons, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert NOBODY in compared(comparisons, ledger, DONE, NOBODY).why_not
    with comparisons._lock:
        monkeypatch.setattr(compare_page, "PATIENCE", 0.01)
        assert compared(comparisons, ledger, DONE, FOUND).is_live
    path = LocalStore(tmp_path / "home" / "signatures").path(parse_name(FOUND))
    path.write_bytes(path.read_bytes()[:-10])
    assert "not the signature that the catalog records" in compared(comparisons, ledger, DONE, FOUND).why_not
    monkeypatch.setattr(compare_page, "LARGEST", 1000)
    assert "too large" in compared(comparisons, ledger, DONE, FOUND).why_not


def test_field_has_a_name() -> None:
    assert str(compared_name(f" {DONE.lower()} ")) == DONE
    assert str(compared_name("soil")) == "soil"
    for text in ("", "../x", "é"):
        with pytest.raises(UsageError):
            compared_name(text)
