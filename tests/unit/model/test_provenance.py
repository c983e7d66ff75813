"""Tests of provenance documents of earlier and later versions."""

import sqlite3
from pathlib import Path

import pytest

from tests.support.builders import PROFILE, provenance, published
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.provenance import LATER, Provenance


@pytest.mark.parametrize("key", sorted(LATER))
def test_document_of_an_earlier_version_may_lack_a_newer_key(key: str) -> None:
    document = provenance().to_json()
    document.pop(key, None)  # some are left out if they say nothing
    assert Provenance.from_json(document) == provenance()


@pytest.mark.parametrize("key", sorted(set(provenance().to_json()) - LATER))
def test_document_without_any_other_key_is_invalid(key: str) -> None:
    document = provenance().to_json()
    del document[key]
    with pytest.raises(KeyError):
        Provenance.from_json(document)


def test_unknown_key_of_a_later_version_is_ignored() -> None:
    assert Provenance.from_json({**provenance().to_json(), "later": 1}) == provenance()


def test_ledger_of_an_earlier_version_has_documents_without_newer_keys(tmp_path: Path) -> None:
    name = parse_name("SRR139146")
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.catalog.record(published(name))
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE signatures SET provenance = json_remove(provenance, '$.decoders')")
    connection.close()
    record = ledger.catalog.get(name, PROFILE)
    ledger.close()
    assert record is not None
    assert record.provenance == provenance(name)
