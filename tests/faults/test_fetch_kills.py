"""A process that is killed while it fetches costs nothing that it has saved.

`python -m tests.faults.fetch_kills` kills at twenty random instants.
"""

import pytest

from tests.faults.fetch_kills import VICTIMS, kill_while_fetching
from tests.support.homes import Home
from tests.support.shelf import Shelf


@pytest.mark.parametrize("victim", VICTIMS)
def test_nothing_that_was_saved_is_fetched_again_after_a_kill(victim: str, home: Home, shelf: Shelf) -> None:
    kill_while_fetching(home, shelf, victim, 0.8)
