"""A file system that cannot lock files: the ledger is not taken for damaged, and nothing is replaced."""

import errno

import pytest

from tests.faults.machine import bad_locks
from tests.support.homes import Home

RUN = "SRR000001"


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EIO, errno.EOPNOTSUPP, errno.EPROTO])
def test_ledger_that_cannot_be_locked_is_not_replaced(error: int, home: Home) -> None:
    home("compute", RUN).expect(0)
    (home.path / "backups").mkdir(mode=0o700)
    home("backup", home.path / "backups" / "ledger-20200101-000000.db").expect(0)
    home("compute", "SRR000002").expect(0)
    locks = bad_locks(home, "", error)
    with locks.broken():
        before = home.ledger.read_bytes()
        for words in ("status", f"compute {RUN}", "doctor --repair"):
            done = home(*words.split()).expect(75, str(home.ledger))
            assert "damage" not in done.err
            assert "empty ledger" not in done.err
        assert "set WORT_HOME to a directory on a local disk" in done.err
        assert home.ledger.read_bytes() == before
    assert [path.name for path in home.path.glob("ledger.db*damaged*")] == []
    assert len(home.jobs()) == 2
    home("status").expect(0)
