"""Whatever happens between us and the server: nothing is lost or overwritten, one right object, computed once."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.test_publish import KEY, LAYOUT, RUN, decoded, other_home
from tests.support.bucket import Bucket
from tests.support.ceph import Ceph
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.proxy import Fate, Proxy
from tests.support.shelf import Shelf

READER, READER_SECRET = "reader-access", "reader-secret-012345"


@pytest.fixture
def wanted(home: Home, shelf: Shelf) -> bytes:
    """The right signature of RUN, which is in the repository."""
    home.keep(RUN, shelf.archive(LAYOUT))
    return shelf.reference(shelf.archive(LAYOUT), RUN)


def first(fate: Fate, times: int = 1) -> Callable[[str, str], Fate]:
    """A decision: that fate for the first puts of the signature, then all passes."""
    left = times

    def decide(method: str, path: str) -> Fate:
        nonlocal left
        if method == "PUT" and KEY in path and left:
            left -= 1
            return fate
        return Fate.PASS

    return decide


def only_good(home: Home, bucket: Bucket, wanted: bytes) -> None:
    """One right object with its provenance, and one job, done, that was computed once."""
    assert bucket.all_keys() == [f"prov/{RUN}.json", KEY]
    assert bucket.signature(RUN) == wanted
    (job,) = home.jobs()
    assert (job.state, job.reason) == ("done", "")
    assert decoded(home) == 1
    assert home.signature(RUN) == wanted
    assert home.select("SELECT remote FROM signatures") == [(f"s3://{bucket.name}/{KEY}",)]
    assert not home.leftovers()


def test_the_server_is_killed_in_the_midst_of_a_put(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    """It gets half of the body, and is gone until the job waits."""
    proxy.decide, proxy.on_half = first(Fate.LOSE_HALF), bucket.ceph.kill_gateway
    home("daemon", "start").expect(0)
    home("compute", RUN).expect(0)
    try:
        assert home.until_job(RUN, "waiting").reason == "storage-down"
    finally:
        bucket.ceph.start_gateway()
    home.until_job(RUN, "done")
    only_good(home, bucket, wanted)


@pytest.mark.parametrize("times", [1, 3])
def test_the_answer_is_lost_after_the_object_was_stored(
    home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes, times: int
) -> None:
    """Once, so that the next try meets our own object; or each time, so that nothing ever says it was stored."""
    proxy.decide = first(Fate.LOSE_ANSWER, times)
    home("compute", RUN, "--now").expect(0)
    only_good(home, bucket, wanted)
    assert home.job(RUN).attempt == 1


def test_requests_are_lost(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    proxy.decide = first(Fate.LOSE_REQUEST, 2)
    home("compute", RUN, "--now").expect(0)
    only_good(home, bucket, wanted)


def test_the_server_is_frozen_for_longer_than_we_wait(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    home.env["WORT_S3_TIMEOUT"] = "0.5"
    home("daemon", "start").expect(0)
    until_put = until_first_put(proxy)
    home("compute", RUN).expect(0)
    until_put()
    with bucket.ceph.frozen():
        proxy.decide = lambda method, path: Fate.PASS
        assert home.until_job(RUN, "waiting").reason == "storage-down"
    home.until_job(RUN, "done")
    only_good(home, bucket, wanted)


def until_first_put(proxy: Proxy) -> Callable[[], object]:
    """Have the proxy refuse puts; the function waits for the first one."""
    proxy.decide = lambda method, path: Fate.BUSY if method == "PUT" else Fate.PASS
    return lambda: until(lambda: proxy.sent("PUT", KEY), "the signature is put")


def test_the_server_is_busy_for_a_while(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    """503 to everything from the put on, until the job has waited twice."""
    home("daemon", "start").expect(0)
    proxy.decide = lambda method, path: Fate.BUSY if proxy.sent("PUT", KEY) else Fate.PASS
    home("compute", RUN).expect(0)
    until(lambda: home.events(RUN).count(("waiting", "storage-down")) == 2, "it has waited twice")
    assert decoded(home) == 1
    proxy.decide = lambda method, path: Fate.PASS
    home.until_job(RUN, "done")
    only_good(home, bucket, wanted)


def test_an_outage_of_now_is_taken_up_by_the_next_one(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    until_first_put(proxy)
    home("compute", RUN, "--now").expect(75, "storage-down", "503")
    proxy.decide = lambda method, path: Fate.PASS
    home("compute", RUN, "--now").expect(0)
    only_good(home, bucket, wanted)


def test_a_wrong_secret(home: Home, bucket: Bucket, wanted: bytes) -> None:
    wrong = {"AWS_SECRET_ACCESS_KEY": "this-is-not-the-secret"}
    done = home("compute", RUN, "--now", env=wrong).expect(1, "storage-denied", "SignatureDoesNotMatch", "secret key")
    assert "this-is-not" not in done.err + home("logs", RUN).out + str(home.select("SELECT * FROM events"))
    assert bucket.all_keys() == []
    home("retry", RUN).expect(0)
    home("compute", RUN, "--now").expect(0)
    only_good(home, bucket, wanted)


def test_the_bucket_is_missing(home: Home, bucket: Bucket, wanted: bytes) -> None:
    missing = {"WORT_S3_BUCKET": "no-such-bucket"}
    home("compute", RUN, "--now", env=missing).expect(1, "storage-denied", "there is no bucket no-such-bucket")
    assert decoded(home) == 0
    home("compute", RUN, "--now").expect(0)
    only_good(home, bucket, wanted)


def test_a_reader_may_not_publish_and_is_told_what_is_missing(
    home: Home, bucket: Bucket, ceph: Ceph, wanted: bytes
) -> None:
    """The permission is missed only after computing; what was computed is kept, and published by retry."""
    ceph.add_user("reader", READER, READER_SECRET)
    arn = f"arn:aws:s3:::{bucket.name}"
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam:::user/reader"},'
        f'"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["{arn}", "{arn}/*"]}}]}}'
    )
    bucket.client.put_bucket_policy(Bucket=bucket.name, Policy=policy)
    reader = {"AWS_ACCESS_KEY_ID": READER, "AWS_SECRET_ACCESS_KEY": READER_SECRET}
    home("compute", RUN, "--now", env=reader).expect(1, "storage-denied", "the permission s3:PutObject is missing", arn)
    assert bucket.all_keys() == []
    home("retry", RUN).expect(0)
    home("compute", RUN, "--now").expect(0)
    only_good(home, bucket, wanted)


def test_another_signature_comes_between(
    home: Home, bucket: Bucket, proxy: Proxy, shelf: Shelf, wanted: bytes, tmp_path: Path
) -> None:
    """It was not there before computing, and is there at the put: it stays, and a person is told of both."""
    other = other_home(home, shelf, tmp_path / "other", "paired_illumina")
    other.env["WORT_S3_ENDPOINT"] = bucket.ceph.endpoint
    home.env["WORT_S3_TIMEOUT"] = "60"  # our put is held up until theirs is done
    theirs: list[bytes] = []

    def decide(method: str, path: str) -> Fate:
        if method == "PUT" and KEY in path and not theirs:
            other("compute", RUN, "--now").expect(0)
            theirs.append(bucket.get(KEY))
        return Fate.PASS

    proxy.decide = decide
    home("compute", RUN, "--now").expect(1, "conflict", "has digest", "this one")
    assert [bucket.get(KEY)] == theirs
    proxy.decide = lambda method, path: Fate.PASS
    home("compute", RUN, "--now", "--force").expect(0)
    assert decoded(home) == 1
    assert bucket.signature(RUN) == wanted
    assert theirs == [bucket.get(key) for key in bucket.all_keys() if key.startswith("replaced/") and ".sig" in key]
    other.end()


def test_two_daemons_publish_the_same_run_at_once(
    home: Home, bucket: Bucket, proxy: Proxy, shelf: Shelf, wanted: bytes, tmp_path: Path
) -> None:
    """Neither put passes before both have come."""
    other = other_home(home, shelf, tmp_path / "other")

    def decide(method: str, path: str) -> Fate:
        if method == "PUT" and KEY in path:
            until(lambda: proxy.sent("PUT", KEY) >= 2, "both puts have come")
        return Fate.PASS

    for each in (home, other):
        each.env["WORT_S3_TIMEOUT"] = "30"
    proxy.decide = decide
    for each in (home, other):
        each("daemon", "start").expect(0)
        each("compute", RUN).expect(0)
    for each in (home, other):
        each.until_job(RUN, "done")
        only_good(each, bucket, wanted)
        assert each.job(RUN).attempt == 1
    other.end()


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_the_worker_is_killed(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes, when: str) -> None:
    """kill -9 before the server hears of the put, while it has half of it, and when it has stored it and says so."""
    fate = {"before": Fate.LOSE_REQUEST, "during": Fate.LOSE_HALF, "after": Fate.LOSE_ANSWER}[when]
    decide = first(fate)

    def kill_workers() -> None:
        daemon = home.daemon_pid()
        for process in home.processes():
            if process.pid != daemon and "daemon" in process.argv:
                process.kill(signal.SIGKILL)

    def kill_before(method: str, path: str) -> Fate:
        fate = decide(method, path)
        if fate is Fate.LOSE_REQUEST:
            kill_workers()
        return fate

    proxy.decide = kill_before
    proxy.on_half = proxy.on_answer = kill_workers
    home("daemon", "start").expect(0)
    home("compute", RUN).expect(0)
    home.until_job(RUN, "done")
    only_good(home, bucket, wanted)
    assert ("waiting", "interrupted") in home.events(RUN)


def test_a_damaged_sealed_file_is_computed_again(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    """What waits to be published is bound to its checksum."""
    until_first_put(proxy)
    home("compute", RUN, "--now").expect(75)
    (sealed,) = (home.path / "work").rglob("signature.sig")
    data = bytearray(sealed.read_bytes())
    data[len(data) // 2] ^= 1
    sealed.write_bytes(data)
    proxy.decide = lambda method, path: Fate.PASS
    home("compute", RUN, "--now").expect(0)
    assert decoded(home) == 2
    assert bucket.signature(RUN) == wanted


def test_a_job_that_waits_for_a_frozen_server_can_be_cancelled(
    home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes
) -> None:
    home.env["WORT_S3_TIMEOUT"] = "60"
    home("daemon", "start").expect(0)
    with bucket.ceph.frozen():
        home("compute", RUN).expect(0)
        until(lambda: proxy.requests, "the bucket is asked")
        home("cancel", RUN).expect(0)
        home.until_job(RUN, "cancelled")
        home("daemon", "stop").expect(0)
    assert bucket.all_keys() == []


def test_a_job_that_waits_leaves_nothing_when_it_is_cancelled(
    home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes
) -> None:
    until_first_put(proxy)
    home("compute", RUN, "--now").expect(75)
    assert home.leftovers()
    home("cancel", RUN).expect(0)
    assert not home.leftovers()


def test_without_credentials(home: Home, bucket: Bucket, wanted: bytes) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del home.env[variable]
    with socket.create_server(("127.0.0.1", 0)) as metadata:  # where a cloud's machines ask for credentials
        home.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = f"http://127.0.0.1:{metadata.getsockname()[1]}"
        home("compute", RUN, "--now").expect(1, "storage-denied", "there are no credentials")
        metadata.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody asked
            metadata.accept()
    assert decoded(home) == 0
