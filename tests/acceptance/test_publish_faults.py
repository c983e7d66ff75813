"""Faults while publishing: nothing is lost or overwritten, and the bucket gets one valid object, computed once."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.test_publish import KEY, LAYOUT, RUN, decode_count, other_home
from tests.support.bucket import Bucket
from tests.support.ceph import Ceph
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.proxy import Fate, Proxy
from tests.support.shelf import Shelf

READER, READER_SECRET = "reader-access", "reader-secret-012345"


@pytest.fixture
def wanted(home: Home, shelf: Shelf) -> bytes:
    """Put the archive of RUN into the repository; return its expected signature."""
    home.keep(RUN, shelf.archive(LAYOUT))
    return shelf.reference(shelf.archive(LAYOUT), RUN)


def first_puts(fate: Fate, times: int = 1) -> Callable[[str, str], Fate]:
    """Return a decision: `fate` for the first puts of the signature; later requests pass."""
    left = times

    def decide(method: str, path: str) -> Fate:
        nonlocal left
        if method == "PUT" and KEY in path and left:
            left -= 1
            return fate
        return Fate.PASS

    return decide


def check_published_once(home: Home, bucket: Bucket, wanted: bytes) -> None:
    """Check that there is one valid object with its provenance, and one finished job that computed once."""
    assert bucket.all_keys() == [f"prov/{RUN}.json", KEY]
    assert bucket.signature(RUN) == wanted
    (job,) = home.jobs()
    assert (job.state, job.reason) == ("done", "")
    assert decode_count(home) == 1
    assert home.signature(RUN) == wanted
    assert home.select("SELECT remote FROM signatures") == [(f"s3://{bucket.name}/{KEY}",)]
    home.until_nothing_left()


def test_server_is_killed_during_a_put(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    """It gets half of the body, and restarts when the job waits."""
    proxy.decide, proxy.on_half = first_puts(Fate.LOSE_HALF), bucket.ceph.kill_gateway
    home("daemon", "start").expect(0)
    home("compute", RUN).expect(0)
    try:
        assert home.until_job(RUN, "waiting").reason == "storage-down"
    finally:
        bucket.ceph.start_gateway()
    home.until_job(RUN, "done")
    check_published_once(home, bucket, wanted)


@pytest.mark.parametrize("times", [1, 3])
def test_response_is_lost_after_the_object_was_stored(
    home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes, times: int
) -> None:
    """Lost once, the next try finds our own object; lost each time, no response ever confirms the put."""
    proxy.decide = first_puts(Fate.LOSE_ANSWER, times)
    home("compute", RUN, "--now").expect(0)
    check_published_once(home, bucket, wanted)
    assert home.job(RUN).attempt == 1


def test_request_is_lost(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    proxy.decide = first_puts(Fate.LOSE_REQUEST, 2)
    home("compute", RUN, "--now").expect(0)
    check_published_once(home, bucket, wanted)


def test_server_is_stopped_for_longer_than_the_timeout(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    home.env["WORT_S3_TIMEOUT"] = "0.5"
    home("daemon", "start").expect(0)
    until_put = until_first_put(proxy)
    home("compute", RUN).expect(0)
    until_put()
    with bucket.ceph.frozen():
        proxy.decide = lambda method, path: Fate.PASS
        assert home.until_job(RUN, "waiting").reason == "storage-down"
    home.until_job(RUN, "done")
    check_published_once(home, bucket, wanted)


def until_first_put(proxy: Proxy) -> Callable[[], object]:
    """Make the proxy answer puts with 503; the returned function waits for the first one."""
    proxy.decide = lambda method, path: Fate.BUSY if method == "PUT" else Fate.PASS
    return lambda: until(lambda: proxy.sent("PUT", KEY), "the signature is put")


def test_server_is_busy_for_a_while(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    """From the put on, everything is answered with 503, until the job has waited twice."""
    home("daemon", "start").expect(0)
    proxy.decide = lambda method, path: Fate.BUSY if proxy.sent("PUT", KEY) else Fate.PASS
    home("compute", RUN).expect(0)
    until(lambda: home.events(RUN).count(("waiting", "storage-down")) == 2, "it has waited twice")
    assert decode_count(home) == 1
    proxy.decide = lambda method, path: Fate.PASS
    home.until_job(RUN, "done")
    check_published_once(home, bucket, wanted)


def test_next_compute_publishes_after_an_outage(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    until_first_put(proxy)
    home("compute", RUN, "--now").expect(75, "storage-down", "503")
    proxy.decide = lambda method, path: Fate.PASS
    home("compute", RUN, "--now").expect(0)
    check_published_once(home, bucket, wanted)


def test_wrong_secret_is_storage_denied(home: Home, bucket: Bucket, wanted: bytes) -> None:
    wrong = {"AWS_SECRET_ACCESS_KEY": "this-is-not-the-secret"}
    done = home("compute", RUN, "--now", env=wrong).expect(1, "storage-denied", "SignatureDoesNotMatch", "secret key")
    assert "this-is-not" not in done.err + home("logs", RUN).out + str(home.select("SELECT * FROM events"))
    assert bucket.all_keys() == []
    home("retry", RUN).expect(0)
    home("compute", RUN, "--now").expect(0)
    check_published_once(home, bucket, wanted)


def test_missing_bucket_is_storage_denied(home: Home, bucket: Bucket, wanted: bytes) -> None:
    missing = {"WORT_S3_BUCKET": "no-such-bucket"}
    home("compute", RUN, "--now", env=missing).expect(1, "storage-denied", "there is no bucket no-such-bucket")
    assert decode_count(home) == 0
    home("compute", RUN, "--now").expect(0)
    check_published_once(home, bucket, wanted)


def test_missing_write_permission_is_named(home: Home, bucket: Bucket, ceph: Ceph, wanted: bytes) -> None:
    """The put fails after computing; the signature is preserved, and `wort retry` publishes it."""
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
    check_published_once(home, bucket, wanted)


def test_another_signature_is_published_while_computing(
    home: Home, bucket: Bucket, proxy: Proxy, shelf: Shelf, wanted: bytes, tmp_path: Path
) -> None:
    """It appears between the lookup and the put: it is not replaced, and the message names both digests."""
    other = other_home(home, shelf, tmp_path / "other", "paired_illumina")
    other.env["WORT_S3_ENDPOINT"] = bucket.ceph.endpoint
    home.env["WORT_S3_TIMEOUT"] = "60"  # our put waits until theirs is done
    theirs: list[bytes] = []

    def decide(method: str, path: str) -> Fate:
        if method == "PUT" and KEY in path and not theirs:
            other("compute", RUN, "--now").expect(0)
            theirs.append(bucket.get(KEY))
        return Fate.PASS

    proxy.decide = decide
    home("compute", RUN, "--now").expect(1, "conflict", "has digest", ", not ")
    assert [bucket.get(KEY)] == theirs
    proxy.decide = lambda method, path: Fate.PASS
    home("compute", RUN, "--now", "--force").expect(0)
    assert decode_count(home) == 1
    assert bucket.signature(RUN) == wanted
    assert theirs == [bucket.get(key) for key in bucket.all_keys() if key.startswith("replaced/") and ".sig" in key]
    other.end()


def test_two_daemons_publish_the_same_run_at_once(
    home: Home, bucket: Bucket, proxy: Proxy, shelf: Shelf, wanted: bytes, tmp_path: Path
) -> None:
    """The proxy forwards neither put before both have arrived."""
    other = other_home(home, shelf, tmp_path / "other")

    def decide(method: str, path: str) -> Fate:
        if method == "PUT" and KEY in path:
            until(lambda: proxy.sent("PUT", KEY) >= 2, "both puts have arrived")
        return Fate.PASS

    for each in (home, other):
        each.env["WORT_S3_TIMEOUT"] = "30"
    proxy.decide = decide
    for each in (home, other):
        each("daemon", "start").expect(0)
        each("compute", RUN).expect(0)
    for each in (home, other):
        each.until_job(RUN, "done")
        check_published_once(each, bucket, wanted)
        assert each.job(RUN).attempt == 1
    other.end()


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_worker_is_killed_while_publishing(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes, when: str) -> None:
    """SIGKILL before the server gets the put, after half of the body, and after it stored the object."""
    fate = {"before": Fate.LOSE_REQUEST, "during": Fate.LOSE_HALF, "after": Fate.LOSE_ANSWER}[when]
    decide = first_puts(fate)
    home.env["WORT_S3_TIMEOUT"] = "60"  # the client waits until its worker is killed

    def kill_workers() -> None:
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
    daemon = home.daemon_pid()
    home("compute", RUN).expect(0)
    home.until_job(RUN, "done")
    check_published_once(home, bucket, wanted)
    assert "interrupted" in [reason for _, reason in home.events(RUN)]


def test_damaged_sealed_file_is_computed_again(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    """A sealed signature that waits to be published must match its recorded checksum."""
    until_first_put(proxy)
    home("compute", RUN, "--now").expect(75)
    (sealed,) = (home.path / "work").rglob("signature.sig")
    data = bytearray(sealed.read_bytes())
    data[len(data) // 2] ^= 1
    sealed.write_bytes(data)
    proxy.decide = lambda method, path: Fate.PASS
    home("compute", RUN, "--now").expect(0)
    assert decode_count(home) == 2
    assert bucket.signature(RUN) == wanted


def test_job_that_waits_for_a_stopped_server_can_be_cancelled(
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


def test_cancelled_waiting_job_leaves_nothing(home: Home, bucket: Bucket, proxy: Proxy, wanted: bytes) -> None:
    until_first_put(proxy)
    home("compute", RUN, "--now").expect(75)
    assert home.leftovers()
    home("cancel", RUN).expect(0)
    assert not home.leftovers()


def test_missing_credentials_make_the_job_wait(home: Home, bucket: Bucket, wanted: bytes) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del home.env[variable]
    with socket.create_server(("127.0.0.1", 0)) as metadata:  # stands in for the metadata service of a cloud
        home.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = f"http://127.0.0.1:{metadata.getsockname()[1]}"
        home("compute", RUN, "--now").expect(75, "storage-credentials", "no usable credentials")
        metadata.setblocking(False)
        with pytest.raises(BlockingIOError):  # no request arrived
            metadata.accept()
    assert decode_count(home) == 0


def test_queue_waits_while_the_credentials_have_expired(home: Home, bucket: Bucket, shelf: Shelf) -> None:
    """The server no longer knows the key; a new one is put into ~/.aws while the daemon runs."""
    runs = [f"SRR00000{number}" for number in range(1, 6)]
    for run in runs:
        home.keep(run, shelf.archive("one_read"))
    key, secret = home.env.pop("AWS_ACCESS_KEY_ID"), home.env.pop("AWS_SECRET_ACCESS_KEY")
    write_credentials(home, "AKIAEXPIRED", secret)
    home("daemon", "start", env={"WORT_RETRY_DELAY": "1"}).expect(0)
    home("compute", *runs).expect(0)
    for run in runs:
        assert home.until_job(run, "waiting", "failed", "done").reason == "storage-credentials"
    (problem,) = until(lambda: home.problems_with("no signature can be published"), "it is unhealthy")
    assert "the server does not know the access key" in problem
    write_credentials(home, key, secret)
    for run in runs:
        home.until_job(run, "done")
    until(lambda: home("daemon", "status").code == 0, "it is healthy")
    assert {key for key in bucket.all_keys() if key.startswith("sigs/")} == {f"sigs/{run}.sig" for run in runs}


def write_credentials(home: Home, key: str, secret: str) -> None:
    """Write ~/.aws/credentials of a home."""
    file = home.root / "home" / ".aws" / "credentials"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
