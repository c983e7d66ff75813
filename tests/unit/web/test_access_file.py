"""Tokens and users in their file."""

import threading
import time
from pathlib import Path

import pytest

from wort_cli.errors import StorageProblem, UsageError
from wort_cli.web.access_file import LOGIN_SECONDS, MAX_LOGINS, AccessFile, Right, parse_rights


@pytest.fixture
def file(tmp_path: Path) -> AccessFile:
    return AccessFile(tmp_path / "access.json")


def test_token_is_valid_until_it_expires_or_is_revoked(file: AccessFile) -> None:
    secret = file.add("lab", (Right.COMPUTE,), 100)
    found = file.read().token(secret, time.time())
    assert found is not None
    assert (found.name, found.may) == ("lab", (Right.COMPUTE,))
    assert file.read().token(secret, time.time() + 101) is None
    assert file.read().token(secret + "x", time.time()) is None
    assert file.revoke("lab") == 1
    assert file.read().token(secret, time.time()) is None


def test_name_is_used_once(file: AccessFile) -> None:
    file.add("lab", (Right.COMPUTE,))
    with pytest.raises(UsageError, match="there is a token"):
        file.add("lab", (Right.SUBMIT,))
    with pytest.raises(UsageError, match="there is a token"):
        file.set_password("lab", "long enough", (Right.COMPUTE,))
    file.set_password("ann", "long enough", (Right.COMPUTE,))
    with pytest.raises(UsageError, match="there is a token"):
        file.add("ann", (Right.SUBMIT,))


@pytest.mark.parametrize("name", ["", "-x", "a b", "a\n", "\x1b[2J", "x" * 65, "../x"])
def test_odd_names_are_refused(name: str, file: AccessFile) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        file.add(name, (Right.COMPUTE,))


def test_user_has_few_tokens_and_new_password_revokes_them(file: AccessFile) -> None:
    file.set_password("ann", "long enough", (Right.COMPUTE,))
    user = file.read().user("ann", "long enough")
    assert user is not None
    secrets = [file.login(user) for _ in range(MAX_LOGINS + 2)]
    now = time.time()
    valid = [secret for secret in secrets if file.read().token(secret, now)]
    assert valid == secrets[2:]
    assert file.read().token(secrets[-1], now + LOGIN_SECONDS + 1) is None
    file.set_password("ann", "another one", (Right.COMPUTE,))
    assert file.read().token(secrets[-1], now) is None
    assert file.read().user("ann", "long enough") is None
    assert file.read().user("nobody", "another one") is None


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    def add(number: int) -> None:
        AccessFile(tmp_path / "access.json").add(f"t{number}", (Right.COMPUTE,))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(AccessFile(tmp_path / "access.json").read().tokens) == 8


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"tokens": [{"may": ["root"]}], "users": []}', "[" * 100_000])
def test_damaged_file_allows_nobody(content: str, file: AccessFile) -> None:
    file.path.write_text(content, encoding="ascii")
    with pytest.raises(StorageProblem, match="damaged"):
        file.read()


def test_rights_are_words_of_a_list() -> None:
    assert parse_rights("submit, compute,submit") == (Right.COMPUTE, Right.SUBMIT)
    for text in ("", "all", "compute;submit"):
        with pytest.raises(UsageError, match="not a list of rights"):
            parse_rights(text)
