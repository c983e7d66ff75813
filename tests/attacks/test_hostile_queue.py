"""Attacks by somebody who can write to the queue of workers on other hosts."""

import base64
import hashlib
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.conftest import NAME
from tests.support.builders import clean_environment
from wort_cli.daemon.remote.receive import receive
from wort_cli.daemon.remote.values import MAX_SMALL
from wort_cli.daemon.remote.wire import Answer, Beat, Board, Order
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Reason
from wort_cli.model.job import Job
from wort_cli.model.queue_address import queue_url, without_password
from wort_cli.pipeline.portable_spec import PortableSpec, spec_on
from wort_cli.settings import Settings, load_settings
from wort_cli.stores.local import LocalStore


class Evil:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("/tmp/wort-was-unpickled"),)


@pytest.mark.parametrize("kind", [Board, Beat, Order, Answer])
def test_pickled_message_is_not_unpickled(kind: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        kind.unpack(pickle.dumps(Evil()))
    assert not Path("/tmp/wort-was-unpickled").exists()


@pytest.mark.parametrize("kind", [Board, Beat, Order, Answer])
@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"null", b"[" * 100_000, b'{"protocol":1,"x":NaN}', b" " * (MAX_SMALL * 4)]
)
def test_malformed_message_is_refused(kind: Any, data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        kind.unpack(data)


@pytest.mark.parametrize(
    "change",
    [
        {"workspace": "/etc"},
        {"name": "../../etc/passwd"},
        {"name": "local-name"},
        {"name": NAME + "\n"},
        {"profile": "../x"},
        {"job_id": -1},
        {"job_id": True},
        {"job_id": "1"},
        {"engine": "sh"},
        {"quality": "any"},
        {"definition": {"scaled": "x"}},
        {"s3": {"bucket": "x/../y"}},
        {"s3": {"bucket": "bucket", "prefix": "", "endpoint": "file:///etc"}},
        {"recorded": {"digest": 1}},
        {"subject": {"content": "!", "digest": "", "sha256": "", "depth": "full", "in_store": True}},
        {"subject": {"path": "/etc/passwd"}},
    ],
    ids=json.dumps,
)
def test_order_with_a_wrong_value_is_refused(settings: Settings, job: Job, change: dict[str, Any]) -> None:
    right = Order("home", PortableSpec.of(job, settings))
    assert Order.unpack(right.pack()) == right
    document = json.loads(right.pack())
    document["spec"].update(change)
    with pytest.raises(ValueError, match=r".+"):
        Order.unpack(json.dumps(document).encode())


def test_worker_uses_its_own_paths(settings: Settings, job: Job, tmp_path: Path) -> None:
    own = load_settings({**clean_environment(), "WORT_HOME": str(tmp_path / "w")})
    spec = spec_on(PortableSpec.of(job, settings), own, 1)
    for path in (spec.workspace, spec.store, spec.log, spec.key_file):
        assert path is not None and path.is_relative_to(tmp_path / "w")
    assert spec.s3 is not None and spec.s3.bucket == "our-bucket"


def other_content(answer: Answer) -> Answer:
    content = b"something else"
    published = answer.result.published
    assert published is not None
    published = replace(published, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    return replace(answer, result=replace(answer.result, published=published), content=encoded(content))


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def changed(**changes: Any) -> Callable[[Answer], Answer]:
    """Return a change of the provenance in an answer."""

    def change(answer: Answer) -> Answer:
        published = answer.result.published
        assert published is not None
        made = replace(published.provenance, **changes)
        return replace(answer, result=replace(answer.result, published=replace(published, provenance=made)))

    return change


def elsewhere(answer: Answer) -> Answer:
    published = answer.result.published
    assert published is not None
    remote = replace(published, remote="s3://another-bucket/sigs/SRR1000000.sig")
    return replace(answer, result=replace(answer.result, published=remote), content="")


@pytest.mark.parametrize(
    "change",
    [
        other_content,
        elsewhere,
        changed(name="SRR1000001"),
        changed(profile="other"),
        changed(digest="e" * 64),
        changed(digest="short"),
        changed(sketches=()),
        changed(reads=0),
        changed(title="Another organism"),
        lambda answer: replace(answer, content="!!!"),
        lambda answer: replace(answer, content=""),
    ],
    ids=["bytes", "bucket", "name", "profile", "digest", "short", "counts", "reads", "title", "base64", "nothing"],
)
def test_answer_that_is_not_what_it_says_is_not_recorded(
    settings: Settings, job: Job, answer: Answer, change: Callable[[Answer], Answer]
) -> None:
    result = receive(change(answer).pack(), job, settings).result
    assert result.published is None
    assert result.failure is not None and result.failure.reason is Reason.BAD_RESULT
    assert not LocalStore(settings.store_dir).has(Accession(NAME))
    assert not list(settings.work_dir.glob("*"))


def test_right_answer_is_stored(settings: Settings, job: Job, answer: Answer) -> None:
    result = receive(answer.pack(), job, settings).result
    assert result.failure is None
    assert LocalStore(settings.store_dir).has(Accession(NAME))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://wort:secret@db/wort", "postgresql://wort:***@db/wort"),
        ("redis://:s%40cret@db:6379/0", "redis://:***@db:6379/0"),
        ("rediss://u:a:b@db/0?x=1", "rediss://u:***@db/0?x=1"),
        ("could not connect to postgresql://u:p@h/d: no", "could not connect to postgresql://u:***@h/d: no"),
        ("postgresql://wort@db/wort", "postgresql://wort@db/wort"),
    ],
)
def test_password_of_the_queue_is_not_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize(
    "url", ["postgresql://db/x?password=s", "postgresql://db/x?sslpassword=s", "db", "", "file:///x", 1]
)
def test_address_of_the_queue_that_cannot_be_used_is_refused(url: object) -> None:
    with pytest.raises(ValueError, match=r".+") as error:
        queue_url(url)
    assert "=s" not in str(error.value)
