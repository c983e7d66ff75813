"""The shared store on real servers, Ceph's gateway and moto for features that Ceph lacks, and in a directory."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from tests.support.bucket import Bucket
from tests.support.ceph import ACCESS_KEY, SECRET_KEY
from tests.support.signatures import make_signatures
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Reason
from wort_cli.model.provenance import Trust
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.bucket_layout import Checksums
from wort_cli.stores.directory import DirectoryStore
from wort_cli.stores.local import LocalStore
from wort_cli.stores.object_store import Headers, ObjectStore, PreconditionFailed, StoreError
from wort_cli.stores.run_copies import all_run_copies
from wort_cli.stores.s3 import S3Store
from wort_cli.stores.shared import Outcome, SharedStore

RUN = Accession("SRR1000000")
TEXT = Headers("text/plain", metadata={"a": "b"})


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of a daemon with credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Start moto's server; return its address."""
    app, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        """Answer one request at a time: moto does not exclude two conditional puts from each other."""
        with lock:
            return list(app(environ, start_response))

    server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["ceph", "moto", "directory"])
def objects(request: pytest.FixtureRequest) -> ObjectStore:
    """Return a store below a prefix of an empty bucket, on either server, or of an empty directory."""
    if request.param == "directory":
        directory = request.getfixturevalue("tmp_path") / "shared"
        directory.mkdir()
        return DirectoryStore(S3Target(f"file://{directory}", "some/where/"))
    if request.param == "ceph":
        bucket: Bucket = request.getfixturevalue("bucket")
        return S3Store(S3Target(bucket.name, "some/where/", bucket.ceph.endpoint), 16)
    return new_on_moto(request.getfixturevalue("moto"), request.node.name)


def new_on_moto(endpoint: str, test: str, *, versioned: bool = False) -> S3Store:
    """Return a store in a new bucket on moto."""
    name = "b" + "".join(c for c in test.lower() if c.isalnum())[:50]
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=name)
    if versioned:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return S3Store(S3Target(name, "some/where/", endpoint), 16)


def test_put_replaces_only_the_expected_object(objects: ObjectStore) -> None:
    etag = objects.put("a", b"one", TEXT)
    for wrong_etag in ("", "0" * 32):
        with pytest.raises(PreconditionFailed):
            objects.put("a", b"two", TEXT, replacing=wrong_etag)
    with pytest.raises(PreconditionFailed):
        objects.put("nothing", b"two", TEXT, replacing=etag)
    objects.put("a", b"three", TEXT, replacing=etag)
    head = objects.head("a")
    assert head is not None
    assert (head.size, head.metadata["a"]) == (5, "b")
    objects.copy(head, "kept/a")
    assert [found.key for found in objects.list("")] == ["a", "kept/a"]
    assert objects.head("nothing") is None


def test_versioned_bucket_honours_conditional_puts(moto: str) -> None:
    store = new_on_moto(moto, "versioned", versioned=True)
    store.put("a", b"one", TEXT)
    with pytest.raises(PreconditionFailed):
        store.put("a", b"two", TEXT)


def test_large_file_is_sent_from_disk(objects: ObjectStore, tmp_path: Path) -> None:
    """The file has 5 MB, which is above the limit for sending from memory."""
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 20_000)
    objects.put("large", path, TEXT)
    with (tmp_path / "back").open("w+b") as file:
        assert objects.read("large", file, 10_000_000) is not None
    assert (tmp_path / "back").read_bytes() == path.read_bytes()


def test_listing_continues_after_a_thousand_keys(objects: ObjectStore) -> None:
    names = [f"sigs/SRR{n}.sig" for n in range(1_000_000, 1_001_005)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda key: objects.put(key, b"x", TEXT), names))
    assert [found.key for found in objects.list("sigs/")] == names


def test_concurrent_publishers_of_one_signature_all_succeed(objects: ObjectStore, tmp_path: Path) -> None:
    make_signatures(tmp_path, 1)
    local, shared = LocalStore(tmp_path), SharedStore(objects)
    provenance = local.provenance(RUN)
    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(lambda _: shared.publish(local.path(RUN), provenance, RUN), range(12)))
    assert set(outcomes) <= {Outcome.PUT, Outcome.ALREADY_THERE}
    assert Outcome.PUT in outcomes
    assert [found.key for found in objects.list("")] == [f"prov/{RUN}.json", f"sigs/{RUN}.sig"]
    (copies,) = all_run_copies(local, shared)
    assert copies.local_path and copies.shared_object and copies.provenance_object


def test_concurrent_publishers_of_different_signatures_get_one_winner(objects: ObjectStore, tmp_path: Path) -> None:
    stores = []
    for n in range(6):
        (other,) = make_signatures(tmp_path / str(n), 1, first=2_000_000 + n)
        stores.append((LocalStore(tmp_path / str(n)), Accession(other)))
    shared = SharedStore(objects)

    def publish(item: tuple[LocalStore, Accession]) -> Outcome | Reason:
        local, name = item
        provenance = local.provenance(name)
        try:
            return shared.publish(local.path(name), provenance, RUN)
        except StoreError as error:
            return error.reason

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(publish, stores))
    assert outcomes.count(Outcome.PUT) == 1
    assert outcomes.count(Reason.CONFLICT) == 5
    winner = stores[outcomes.index(Outcome.PUT)]
    with (tmp_path / "back").open("w+b") as file:
        shared.fetch(RUN, file)
    assert (tmp_path / "back").read_bytes() == winner[0].path(winner[1]).read_bytes()


def test_leftover_provenance_of_another_signature_is_replaced(objects: ObjectStore, tmp_path: Path) -> None:
    make_signatures(tmp_path, 1)
    objects.put(f"prov/{RUN}.json", b"{}", Headers("application/json"))
    local, shared = LocalStore(tmp_path), SharedStore(objects)
    shared.publish_new(local.path(RUN), local.provenance(RUN), RUN, Trust.COMPUTED, Checksums.of(local.path(RUN)))
    assert shared.provenance(RUN) == local.provenance(RUN)


def test_content_with_another_md5_is_refused(bucket: Bucket) -> None:
    objects = S3Store(S3Target(bucket.name, "", bucket.ceph.endpoint), 16)  # moto accepts any md5
    with pytest.raises(StoreError) as caught:
        objects.put("key", b"other", Headers("text/plain", md5=hashlib.md5(b"content").hexdigest()))
    assert caught.value.reason is Reason.STORAGE_DOWN
    assert objects.head("key") is None
