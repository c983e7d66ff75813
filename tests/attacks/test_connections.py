"""More connections than the server allows; `make connections` opens ten thousand."""

from tests.attacks.connections import attack
from tests.support.homes import Home
from tests.support.web_server import serving
from wort_cli.web.protocol import MAX_CONNECTIONS_OF_A_CLIENT

MANY = MAX_CONNECTIONS_OF_A_CLIENT + 200


def test_address_with_too_many_connections_is_refused_and_others_are_answered(home: Home) -> None:
    with serving(home, "--rate", "0") as server:
        outcome = attack(server, MANY, MAX_CONNECTIONS_OF_A_CLIENT, of_one_address=MANY)
    assert (outcome.kept, outcome.refused) == (MAX_CONNECTIONS_OF_A_CLIENT, 200)
    assert outcome.memory < 200_000_000
