"""Sessions: what they allow, when they end, and how many there are."""

import pytest

from wort_cli.web.access_file import Access, Right, Token, User, sha256
from wort_cli.web.sessions import MOST_OF_ONE, NOTICES, OWNER, SECONDS, By, Session, Sessions, key_of

NOW = 1000.0
TOKEN = Token("lab", sha256("secret"), (Right.COMPUTE,), 0.0)
USER = User("ann", "aa", "bb", (Right.SUBMIT,), 0.0)


@pytest.mark.parametrize(
    ("session", "access", "name"),
    [
        (Session(By.TOKEN, TOKEN.sha256, NOW + 1), Access((TOKEN,)), "lab"),
        (Session(By.TOKEN, TOKEN.sha256, NOW + 1), Access(), None),
        (Session(By.TOKEN, TOKEN.sha256, NOW), Access((TOKEN,)), None),
        (
            Session(By.TOKEN, TOKEN.sha256, NOW + 1),
            Access((Token("lab", TOKEN.sha256, (Right.COMPUTE,), 0.0, NOW),)),
            None,
        ),
        (Session(By.PASSWORD, key_of(USER), NOW + 1), Access((), (USER,)), "ann"),
        (Session(By.PASSWORD, key_of(USER), NOW + 1), Access((), (User("ann", "cc", "bb", (), 0.0),)), None),
        (Session(By.PASSWORD, key_of(USER), NOW + 1), Access(), None),
        (Session(By.LINK, OWNER, NOW + 1), Access(), OWNER),
        (Session(By.LINK, OWNER, NOW), Access(), None),
    ],
)
def test_session_allows_what_its_token_allows_now(session: Session, access: Access, name: str | None) -> None:
    granted = session.granted(access, NOW)
    assert (granted.name if granted else None) == name


def test_rights_are_those_that_the_token_has_now() -> None:
    session = Session(By.TOKEN, TOKEN.sha256, NOW + 1)
    more = Token("lab", TOKEN.sha256, (Right.COMPUTE, Right.CANCEL), 0.0)
    granted = session.granted(Access((more,)), NOW)
    assert granted is not None and granted.may == more.may


def test_oldest_session_of_a_token_ends_for_one_more() -> None:
    sessions = Sessions(has_link=False)
    first, *others = [sessions.begin(By.TOKEN, "a") for _ in range(MOST_OF_ONE + 1)]
    assert sessions.get(first) is None
    assert all(sessions.get(secret) for secret in others)
    assert sessions.get(sessions.begin(By.TOKEN, "b")) is not None
    assert sessions.get(others[0]) is not None, "that of another token ends none"


def test_session_ends_with_its_token_or_after_a_week() -> None:
    sessions = Sessions(has_link=False)
    short, long = (sessions.get(sessions.begin(By.TOKEN, "a", until)) for until in (5.0, None))
    assert short is not None and short.expires_at == 5.0
    assert long is not None and long.expires_at > SECONDS


def test_link_is_used_once() -> None:
    sessions = Sessions(has_link=True)
    link = sessions.link
    assert sessions.begin_with_link("wrong") == ""
    assert sessions.begin_with_link(link)
    assert sessions.begin_with_link(link) == sessions.begin_with_link("") == ""


def test_secret_of_a_session_is_not_kept() -> None:
    sessions = Sessions(has_link=False)
    secret = sessions.begin(By.TOKEN, "a")
    assert secret not in repr(vars(sessions))
    assert sessions.get(sha256(secret)) is None


def test_messages_of_a_session_are_bounded() -> None:
    session = Session(By.TOKEN, "a", NOW)
    keys = [session.notice(str(n)) for n in range(NOTICES + 5)]
    assert list(session.notices) == keys[-NOTICES:]
