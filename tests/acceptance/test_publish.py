"""Publishing to a real S3 server: other tools can read the signatures, and published runs are not computed again."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bucket import Bucket
from tests.support.ceph import ACCESS_KEY, SECRET_KEY
from tests.support.homes import Home
from tests.support.shelf import Shelf

RUN = "SRR000001"
KEY = f"sigs/{RUN}.sig"
LAYOUT = "one_read"


@pytest.fixture
def wanted(home: Home, shelf: Shelf) -> bytes:
    """Put the archive of RUN into the repository; return its expected signature."""
    home.keep(RUN, shelf.archive(LAYOUT))
    return shelf.reference(shelf.archive(LAYOUT), RUN)


def other_home(home: Home, shelf: Shelf, path: Path, layout: str = LAYOUT) -> Home:
    """Return another home with the same bucket, in which RUN may have another archive."""
    other = Home(path)
    other.keep(RUN, shelf.archive(layout))
    other.env |= {key: value for key, value in home.env.items() if key.startswith(("WORT_S3", "AWS_", "WORT_RETRY"))}
    return other


def decode_count(home: Home) -> int:
    """Return how often the job of RUN decoded the run, which has one slice."""
    log = home("logs", RUN, "-n", "10000", "--all").out
    return sum("--clip" in line or "reading spots" in line for line in log.splitlines())


def test_published_signature_has_the_expected_headers(
    home: Home, bucket: Bucket, wanted: bytes, tmp_path: Path
) -> None:
    home("compute", RUN, "--now").expect(0)
    assert bucket.all_keys() == [f"prov/{RUN}.json", KEY]
    assert bucket.signature(RUN) == wanted
    head = bucket.head(KEY)
    assert (head["ContentType"], head["ContentEncoding"]) == ("application/json", "gzip")
    shown = home("view", RUN, "--json").expect(0).records()[0]
    metadata = head["Metadata"]
    assert (metadata["digest"], metadata["profile"], metadata["name"]) == (shown["digest"], "sra-v1", RUN)
    assert all(tool in metadata["tools"] for tool in ("wort ", "sourmash ", "libncbi-vdb "))
    assert json.loads(bucket.get(f"prov/{RUN}.json"))["digest"] == shown["digest"]
    assert home.select("SELECT path, remote FROM signatures") == [
        (f"sigs/{RUN[:6]}/{RUN}.sig", f"s3://{bucket.name}/{KEY}")
    ]
    url = home("view", RUN, "--url", "--expires", "5m").expect(0).out.strip()
    body = subprocess.run(["curl", "-sSf", "--compressed", "-D", "-", url], capture_output=True, check=True).stdout
    headers, _, content = body.partition(b"\r\n\r\n")
    assert content == wanted
    assert f'filename="{RUN}.sig"'.encode() in headers
    file = tmp_path / "downloaded.sig"
    file.write_bytes(bucket.get(KEY))
    sourmash = Path(sys.executable).with_name("sourmash")
    described = subprocess.run([sourmash, "sig", "describe", file], capture_output=True, text=True, check=True)
    assert RUN in described.stdout


def test_bucket_is_used_with_tls(home: Home, bucket: Bucket, wanted: bytes) -> None:
    """Ceph 16 rejects, over https, the checksums that AWS clients send by default."""
    trusted = {"WORT_S3_ENDPOINT": bucket.ceph.secure_endpoint, "AWS_CA_BUNDLE": str(bucket.ceph.certificate)}
    home("compute", RUN, "--now", env=trusted).expect(0)
    assert bucket.signature(RUN) == wanted
    home("sync", "check", env=trusted).expect(0)
    home("doctor", env=trusted).expect(0)
    home.signature_file(RUN).unlink()
    assert home("view", RUN, "--raw", env=trusted).expect(0).out.encode() == wanted


def test_server_with_an_untrusted_certificate_gets_nothing(home: Home, bucket: Bucket, wanted: bytes) -> None:
    untrusted = {"WORT_S3_ENDPOINT": bucket.ceph.secure_endpoint}
    home("compute", RUN, "--now", env=untrusted).expect(75, "the TLS connection failed", "AWS_CA_BUNDLE")
    assert bucket.all_keys() == []
    home("sync", "push", env=untrusted).expect(75, "the TLS connection failed")


def test_published_run_is_not_computed(home: Home, bucket: Bucket, shelf: Shelf, wanted: bytes, tmp_path: Path) -> None:
    home("compute", RUN, "--now").expect(0)
    other = other_home(home, shelf, tmp_path / "other")
    (row,) = other("compute", RUN, "--now", "--json", "-o", str(tmp_path / "out.sig.gz")).expect(0).records()
    assert (row["state"], row["where"], row["path"]) == ("done", "bucket", f"s3://{bucket.name}/{KEY}")
    assert gzip.decompress((tmp_path / "out.sig.gz").read_bytes()) == wanted
    assert decode_count(other) == 0
    assert not other.signature_files()
    assert home.select("SELECT trust FROM signatures") == [("computed",)]
    assert other.select("SELECT trust FROM signatures") == [("published",)]
    assert other.select("SELECT digest, provenance, sha256 FROM signatures") == home.select(
        "SELECT digest, provenance, sha256 FROM signatures"
    )
    assert other("view", RUN, "--raw").expect(0).out.encode() == wanted
    assert other("view", RUN, "--json").expect(0).records()[0]["path"] == f"s3://{bucket.name}/{KEY}"
    (again,) = other("compute", RUN, "--json").expect(0).records()
    assert again["state"] == "already there"
    other.end()


def test_no_upload_does_not_use_the_bucket(home: Home, bucket: Bucket, wanted: bytes) -> None:
    home("compute", RUN, "--now", "--no-upload", env={"AWS_SECRET_ACCESS_KEY": "wrong"}).expect(0)
    assert home.signature(RUN) == wanted
    assert bucket.all_keys() == []


def test_local_files_are_never_published(home: Home, bucket: Bucket, shelf: Shelf) -> None:
    home("compute", str(shelf.archive(LAYOUT)), "--name", "mine", "--now").expect(0)
    assert bucket.all_keys() == []


def test_force_replaces_a_different_signature_and_preserves_it(
    home: Home, bucket: Bucket, shelf: Shelf, wanted: bytes, tmp_path: Path
) -> None:
    other = other_home(home, shelf, tmp_path / "other", "paired_illumina")
    other("compute", RUN, "--now").expect(0)
    old, digest = bucket.get(KEY), bucket.head(KEY)["Metadata"]["digest"]
    home("compute", RUN, "--now", "--force").expect(0)
    assert bucket.signature(RUN) == wanted
    assert bucket.get(f"replaced/{RUN}/{digest}.sig") == old
    assert json.loads(bucket.get(f"replaced/{RUN}/{digest}.json"))["digest"] == digest
    assert json.loads(bucket.get(f"prov/{RUN}.json"))["digest"] == bucket.head(KEY)["Metadata"]["digest"]
    written = bucket.head(KEY)["LastModified"], bucket.all_keys()
    home("compute", RUN, "--now", "--force").expect(0)
    assert (bucket.head(KEY)["LastModified"], bucket.all_keys()) == written
    other.end()


@pytest.mark.parametrize("content", [b"<html>", b"[]"])
def test_garbage_is_replaced_and_preserved(home: Home, bucket: Bucket, wanted: bytes, content: bytes) -> None:
    bucket.put(KEY, content, ContentEncoding="gzip", Metadata={"digest": "a" * 64, "profile": "sra-v1", "name": RUN})
    home("compute", RUN, "--now").expect(0)
    assert bucket.signature(RUN) == wanted == home.signature(RUN)
    assert home.select("SELECT trust FROM signatures") == [("computed",)]
    assert "is not a signature of" in home("logs", RUN).expect(0).out
    assert [bucket.get(key) for key in bucket.all_keys() if key.startswith("replaced/")] == [content]


def test_another_signature_of_the_run_is_a_conflict_and_is_not_replaced(
    home: Home, bucket: Bucket, wanted: bytes
) -> None:
    """It is announced with another digest, so it is not taken either."""
    other = gzip.compress(wanted.replace(b'"abundances":[1', b'"abundances":[2'))
    bucket.put(KEY, other, Metadata={"digest": "a" * 64})
    home("compute", RUN, "--now").expect(1, "conflict", "--force")
    assert bucket.get(KEY) == other
    assert home.job(RUN).reason == "conflict"
    home("compute", RUN, "--now", "--force").expect(0)
    assert bucket.signature(RUN) == wanted
    assert [bucket.get(key) for key in bucket.all_keys() if key.startswith("replaced/")] == [other]


def test_empty_object_is_replaced(home: Home, bucket: Bucket, wanted: bytes) -> None:
    bucket.put(KEY, b"")
    home("compute", RUN, "--now").expect(0)
    assert bucket.signature(RUN) == wanted
    assert bucket.all_keys() == [f"prov/{RUN}.json", KEY]


def test_signature_of_another_profile_is_reported_before_computing(home: Home, bucket: Bucket, wanted: bytes) -> None:
    document = json.loads(wanted)
    document[0]["signatures"] = document[0]["signatures"][:1]
    bucket.put(KEY, json.dumps(document).encode())
    home("compute", RUN, "--now").expect(1, "params-mismatch", "profile unknown")
    assert decode_count(home) == 0


def test_signature_of_the_public_service_is_published_by_others(home: Home, bucket: Bucket, wanted: bytes) -> None:
    """It has neither our metadata nor provenance; the bucket is read without credentials."""
    bucket.put(KEY, gzip.compress(wanted), ContentType="application/json", ContentEncoding="gzip", ACL="public-read")
    bucket.client.put_bucket_acl(Bucket=bucket.name, ACL="public-read")
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del home.env[variable]
    home.env["WORT_S3_UNSIGNED"] = "true"
    assert home("view", RUN, "--raw").expect(0).out.encode() == wanted
    assert home("view", RUN).expect(0).out
    home("compute", RUN, "--now").expect(0)
    assert decode_count(home) == 0
    assert home.select("SELECT trust FROM signatures") == [("published",)]
    assert home("view", RUN, "--json").expect(0).records()[0]["trust"] == "published"
    url = home("view", RUN, "--url").expect(0).out.strip()
    assert "?" not in url
    assert subprocess.run(["curl", "-sSf", "--compressed", url], capture_output=True, check=True).stdout == wanted
    home.keep("SRR000002", Path(home.repository / "sra" / f"{RUN}.sra"))
    home("compute", "SRR000002", "--now").expect(0)
    assert home.signature_file("SRR000002").exists()
    home("sync", "push").expect(2, "uploads need credentials")
    home("doctor").out.index("only read")
    assert bucket.all_keys() == [KEY]


def test_no_secret_is_stored_or_printed(home: Home, bucket: Bucket, wanted: bytes) -> None:
    home("daemon", "start").expect(0)
    home("compute", RUN, "--wait").expect(0)
    home("view", RUN, "--url").expect(0)
    bad = home("sync", "check", env={"AWS_SECRET_ACCESS_KEY": "another-wrong-secret"})
    home("daemon", "stop").expect(0)
    secrets = (SECRET_KEY, ACCESS_KEY, "X-Amz-Signature", "another-wrong-secret", "X-Amz-Credential")
    assert not [secret for secret in secrets if secret in bad.err + bad.out]
    for path in home.path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in data], path


def test_doctor_checks_the_bucket(home: Home, bucket: Bucket) -> None:
    found = {row["what"]: row for row in home("doctor", "--json").records()}
    assert found["conditional put"]["state"] == "ok"
    assert found["clock"]["state"] == "ok"
    assert bucket.all_keys() == ["doctor/conditional-put"]
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    found = {row["what"]: row for row in home("doctor", "--json").records()}
    assert found["conditional put"]["state"] == "problem"  # Ceph overwrites there
    findings = home("doctor", "--json", env={"AWS_SECRET_ACCESS_KEY": "wrong"}).expect(1).records()
    assert any("SignatureDoesNotMatch" in row["message"] for row in findings)
    findings = home("doctor", "--json", env={"WORT_S3_BUCKET": "no-such-bucket"}).expect(1).records()
    assert any("there is no bucket" in row["message"] for row in findings)


def test_verification_reads_the_object_in_the_bucket(home: Home, bucket: Bucket, wanted: bytes) -> None:
    home("compute", RUN, "--now").expect(0)
    home("verify", RUN, "--now").expect(0)
    right = bucket.get(KEY)
    for content in (gzip.compress(wanted.replace(b'"abundances":[1', b'"abundances":[2')), right[:-9], b""):
        bucket.put(KEY, content)
        done = home("verify", RUN, "--now", "--json").expect(
            5, "the object in the bucket is not the recorded signature"
        )
        assert done.records()[0]["trust"] == "mismatch"
    bucket.put(KEY, right)
    home("verify", RUN, "--now").expect(0)
    assert home("view", RUN, "--json").expect(0).records()[0]["trust"] == "verified"


def test_signature_in_the_bucket_only_is_downloaded_to_be_verified(
    home: Home, bucket: Bucket, shelf: Shelf, wanted: bytes, tmp_path: Path
) -> None:
    assert wanted
    home("compute", RUN, "--now").expect(0)
    other = other_home(home, shelf, tmp_path / "other")
    other("compute", RUN, "--now").expect(0)
    other("verify", RUN, "--now").expect(0, "downloaded ", f"{bucket.name}/sigs/{RUN}.sig")
