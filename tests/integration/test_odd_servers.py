"""S3 servers and proxies that answer in ways that AWS does not."""

import gzip
import io
import re
import ssl
from collections.abc import Callable, Iterator

import pytest

from tests.support.bucket import Bucket
from tests.support.ceph import ACCESS_KEY, SECRET_KEY
from tests.support.proxy import Answer, Proxy
from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.conditional_puts import honours_conditional_puts
from wort_cli.stores.object_store import Headers, ObjectTooLarge, StoreError
from wort_cli.stores.s3 import S3Store

TEXT = Headers("text/plain", metadata={"a": "b"})
CONTENT = b"content " * 1000


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def between(bucket: Bucket) -> Iterator[Proxy]:
    """A proxy before Ceph's gateway, which changes its responses."""
    with Proxy(bucket.ceph.port).running() as running:
        yield running


@pytest.fixture
def objects(between: Proxy, bucket: Bucket) -> S3Store:
    """A bucket behind the proxy, with one object."""
    made = S3Store(S3Target(bucket.name, "", between.endpoint, timeout=10.0))
    made.put("key", CONTENT, TEXT)
    return made


def without_length(answer: Answer) -> None:
    answer.headers.pop("Content-Length", None)


def test_object_of_unknown_length_is_read(between: Proxy, objects: S3Store) -> None:
    between.change = without_length
    head = objects.head("key")
    assert head is not None
    assert (head.size, dict(head.metadata)) == (len(CONTENT), {"a": "b"})
    assert read(objects) == CONTENT


def test_object_of_unknown_length_is_read_up_to_the_limit(between: Proxy, objects: S3Store) -> None:
    between.change = without_length
    with pytest.raises(ObjectTooLarge):
        read(objects, len(CONTENT) - 1)


def test_tls_error_within_an_object_may_pass(bucket: Bucket, objects: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 does not translate it."""
    store = S3Store(S3Target(bucket.name, "", bucket.ceph.endpoint, timeout=10.0))

    def fail(*_: object) -> bytes:
        raise ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed (_ssl.c:2580)")

    monkeypatch.setattr("http.client.HTTPResponse.read", fail)
    with pytest.raises(StoreError, match="the TLS connection failed") as caught:
        read(store)
    assert caught.value.reason is Reason.STORAGE_DOWN


def test_empty_object_of_unknown_length_is_empty(between: Proxy, objects: S3Store) -> None:
    objects.put("empty", b"", TEXT)
    between.change = without_length
    head = objects.head("empty")
    assert head is not None
    assert head.size == 0


def test_object_that_a_proxy_unpacked_is_read(between: Proxy, objects: S3Store) -> None:
    objects.put("packed", gzip.compress(CONTENT), Headers("application/json", "gzip"))

    def unpack(answer: Answer) -> None:
        if answer.body[:2] == b"\x1f\x8b":
            answer.body = gzip.decompress(answer.body)
            answer.headers = {
                k: v for k, v in answer.headers.items() if k not in ("Content-Encoding", "Content-Length")
            }

    between.change = unpack
    assert read(objects, key="packed") == CONTENT


def status(code: int, name: str) -> Callable[[Answer], None]:
    """Return a change that answers each put with an error."""

    def change(answer: Answer) -> None:
        if answer.method == "PUT":
            answer.status = code
            answer.body = f"<?xml version='1.0'?><Error><Code>{name}</Code></Error>".encode()
            answer.headers = {"Content-Type": "application/xml", "Content-Length": str(len(answer.body))}

    return change


@pytest.mark.parametrize(
    ("change", "sentence", "lasting"),
    [
        (status(501, "NotImplemented"), "the server has no conditional puts", False),
        (status(413, "EntityTooLarge"), "accepts no object of this size", True),
        (status(411, "MissingContentLength"), "a proxy removes the length", False),
        (status(405, "MethodNotAllowed"), "does not allow the request", False),
    ],
)
def test_put_that_a_server_cannot_do_is_not_retried(
    change: Callable[[Answer], None], sentence: str, lasting: bool, between: Proxy, objects: S3Store
) -> None:
    between.change = change
    with pytest.raises(StoreError, match=sentence) as caught:
        objects.put("other", CONTENT, TEXT)
    assert caught.value.reason is Reason.STORAGE_DENIED
    assert caught.value.failure.lasting is lasting
    assert caught.value.hint


def test_object_with_a_weak_etag_is_not_replaced(between: Proxy, objects: S3Store) -> None:
    def weaken(answer: Answer) -> None:
        answer.headers = {k: f"W/{v}" if k.lower() == "etag" else v for k, v in answer.headers.items()}

    between.change = weaken
    head = objects.head("key")
    assert head is not None
    for attempt in (
        lambda: objects.put("key", b"other", TEXT, replacing=head.etag),
        lambda: objects.copy(head, "copy"),
    ):
        with pytest.raises(StoreError, match="its ETag is weak"):
            attempt()
    assert read(objects) == CONTENT


def test_listing_without_order_is_refused(between: Proxy, objects: S3Store) -> None:
    objects.put("key2", CONTENT, TEXT)

    def swap(answer: Answer) -> None:
        answer.body = re.sub(
            rb"<Key>key(2?)</Key>", lambda m: b"<Key>key%s</Key>" % (b"" if m[1] else b"2"), answer.body
        )
        answer.headers["Content-Length"] = str(len(answer.body))

    between.change = swap
    with pytest.raises(StoreError, match="lists keys out of order") as caught:
        list(objects.list(""))
    assert caught.value.reason is Reason.STORAGE_DENIED


@pytest.mark.parametrize("token", [b"", b"<NextContinuationToken>again</NextContinuationToken>"])
def test_listing_without_end_is_refused(token: bytes, between: Proxy, objects: S3Store) -> None:
    def continue_forever(answer: Answer) -> None:
        answer.body = re.sub(
            rb"<IsTruncated>false</IsTruncated>", b"<IsTruncated>true</IsTruncated>" + token, answer.body
        )
        answer.headers["Content-Length"] = str(len(answer.body))

    between.change = continue_forever
    with pytest.raises(StoreError, match="out of order, or without end"):
        list(objects.list(""))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [(rb"<ETag>.*?</ETag>", ["key"]), (rb"<Size>.*?</Size>", None)],
    ids=["no etag", "no size"],
)
def test_listing_that_says_less_than_aws(
    pattern: bytes, names: list[str] | None, between: Proxy, objects: S3Store
) -> None:
    def shorten(answer: Answer) -> None:
        answer.body = re.sub(pattern, b"", answer.body)
        answer.headers["Content-Length"] = str(len(answer.body))

    between.change = shorten
    if names is not None:
        assert [found.key for found in objects.list("")] == names
        return
    with pytest.raises(StoreError, match="no size of it") as caught:
        list(objects.list(""))
    assert caught.value.reason is Reason.STORAGE_DOWN


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_server_without_a_valid_date_has_no_time(date: str | None, between: Proxy, objects: S3Store) -> None:
    def set_date(answer: Answer) -> None:
        answer.headers = {k: v for k, v in answer.headers.items() if k.lower() != "date"}
        if date is not None:
            answer.headers["Date"] = date

    between.change = set_date
    assert objects.server_time() is None


@pytest.mark.parametrize("refuses", [0, 1], ids=["puts if there is none", "replacements"])
def test_server_that_ignores_a_condition_has_no_conditional_puts(
    refuses: int, between: Proxy, objects: S3Store
) -> None:
    """One refusal proves nothing: several writers that replace the same object at once must have one winner."""
    assert honours_conditional_puts(objects)
    refused = 0

    def accept(answer: Answer) -> None:
        nonlocal refused
        if answer.method == "PUT" and answer.status == 412:
            refused += 1
            if refused > refuses + 1:  # the object is there, so that the first put of the check is always refused
                answer.status, answer.body = 200, b""
                answer.headers |= {"ETag": '"0"', "Content-Length": "0"}

    between.change = accept
    assert not honours_conditional_puts(objects)


def test_what_the_bucket_demands_is_sent(between: Proxy, bucket: Bucket) -> None:
    seen: list[dict[str, str]] = []
    between.on_request = seen.append
    target = S3Target(
        bucket.name, "", between.endpoint, encryption="aws:kms", kms_key="alias/k", acl="private", requester_pays=True
    )
    with pytest.raises(StoreError):  # the gateway has no keys
        S3Store(target).put("key", CONTENT, TEXT)
    sent = {name.lower(): value for name, value in seen[-1].items()}
    assert sent["x-amz-server-side-encryption"] == "aws:kms"
    assert sent["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/k"
    assert sent["x-amz-acl"] == "private"
    assert sent["x-amz-request-payer"] == "requester"


def read(objects: S3Store, most: int = 10**6, key: str = "key") -> bytes:
    """Return the content of an object."""
    file = io.BytesIO()
    assert objects.read(key, file, most) is not None
    return file.getvalue()
