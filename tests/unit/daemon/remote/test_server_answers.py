"""Errors of PostgreSQL and Redis are classified, and none shows a password."""

import pytest

from wort_cli.daemon.remote.remote_queue import RemoteQueue
from wort_cli.daemon.remote.server_answers import TABLE, Meaning, meaning_of, plain, unavailable
from wort_cli.errors import UsageError

EXAMPLES = [(row, example) for row in TABLE for example in row.examples]
SECRET = "se%40cr%zzet"


@pytest.mark.parametrize(("row", "example"), EXAMPLES, ids=[example[:60] for _, example in EXAMPLES])
def test_recorded_example_has_the_meaning_of_its_row(row: Meaning, example: str) -> None:
    assert meaning_of(example) is row


def test_every_row_has_an_example() -> None:
    assert all(row.examples and row.sentence and row.hint for row in TABLE)


def test_error_is_one_short_line_without_the_words_of_the_library() -> None:
    text = 'connection failed: connection to server at "::1" (::1), port 5432 failed: FATAL:  sorry,\n too many \x1b[2J'
    assert plain(text, ()) == r"FATAL: sorry, too many \x1b[2J"
    assert len(plain("x" * 10_000, ())) == 300


def test_error_names_the_host_and_the_meaning() -> None:
    error = unavailable("redis://:secret@db:1/0", "max number of clients reached, said secret", ("secret",))
    assert error.sentence == (
        "the queue at db cannot be used: the server has no connection left (max number of clients reached, said ***)"
    )
    assert "maxclients" in error.hint
    assert unavailable("redis://db/0", "something else", ("",)).sentence.endswith("cannot be used: something else")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://wort:{SECRET}@127.0.0.1/wort",
        "postgresql://wort:se%00cret@127.0.0.1/wort",
        "postgresql://wort:secret@127.0.0.1/wort?unknown=1",
        "redis://:secret@127.0.0.1/0?unknown=1",
        "redis://:secret@127.0.0.1/0?socket_timeout=secret",
    ],
)
def test_address_that_the_library_refuses_is_an_error_of_usage_without_its_password(url: str) -> None:
    with pytest.raises(UsageError, match="option that is not known") as error:
        RemoteQueue(url)
    assert "cret" not in f"{error.value} {error.value.hint}"
