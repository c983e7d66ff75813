"""Tests of S3 targets: valid names, prefixes and endpoints; no secrets."""

from pathlib import Path

import pytest

from wort_cli.errors import SettingsError
from wort_cli.model.s3_target import S3Target, bucket_name, endpoint_url, key_prefix, preset_name, public_target
from wort_cli.settings import load_settings


@pytest.mark.parametrize("name", ["wort-sra", "a.b.c", "123", "x" * 63, ""])
def test_valid_bucket_name_is_accepted(name: str) -> None:
    assert bucket_name(name) == name


@pytest.mark.parametrize("name", ["AB", "ab", "-abc", "abc-", "a/b", "x" * 64, "a b", None, 3])
def test_invalid_bucket_name_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match="bucket"):
        bucket_name(name)


@pytest.mark.parametrize(("typed", "prefix"), [("", ""), ("a", "a/"), ("a/b/", "a/b/"), ("x=1/y", "x=1/y/")])
def test_prefix_gets_a_slash_at_its_end(typed: str, prefix: str) -> None:
    assert key_prefix(typed) == prefix


@pytest.mark.parametrize("prefix", ["/a", "a//b", "../a", "a b", "a\n", "ä", None, "a" * 501])
def test_invalid_prefix_is_refused(prefix: object) -> None:
    with pytest.raises(ValueError, match="prefix"):
        key_prefix(prefix)


@pytest.mark.parametrize("address", ["ftp://host", "host:9000", "https://", "http://host?x=1", "http://host#x", 1])
def test_invalid_endpoint_is_refused(address: object) -> None:
    with pytest.raises(ValueError, match="URL"):
        endpoint_url(address)


def test_password_in_the_endpoint_is_refused_and_not_repeated() -> None:
    environ = {"WORT_HOME": "/nowhere", "WORT_S3_ENDPOINT": "https://me:hunter2@host"}
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    assert "hunter2" not in f"{caught.value.sentence} {caught.value.hint}"


def test_target_is_restored_from_json_and_checked_again() -> None:
    target = S3Target("wort-sra", "a/", "http://127.0.0.1:1", "us-east-1", "path", True, 2.5)
    assert S3Target.from_json(target.to_json()) == target
    with pytest.raises(ValueError, match="bucket"):
        S3Target.from_json(target.to_json() | {"bucket": "../x"})


def test_settings_of_the_s3_table_are_loaded(tmp_path: Path) -> None:
    home = tmp_path
    (home / "config.toml").write_text('[s3]\nbucket = "wort-sra"\nprefix = "mine"\nunsigned = true\n')
    settings = load_settings({"WORT_HOME": str(home), "WORT_S3_PREFIX": "yours"})
    assert settings.s3 == S3Target("wort-sra", "yours/", unsigned=True)
    assert settings.origins["s3_bucket"] == str(home / "config.toml")
    assert load_settings({"WORT_HOME": str(home), "WORT_S3_UNSIGNED": "no"}).s3_unsigned is False
    (home / "config.toml").write_text('[s3]\nbuckets = "x"\n')
    with pytest.raises(SettingsError, match="s3_buckets"):
        load_settings({"WORT_HOME": str(home)})
    (home / "config.toml").write_text('s3 = "x"\n')
    with pytest.raises(SettingsError, match="table"):
        load_settings({"WORT_HOME": str(home)})


def test_no_bucket_is_set_by_default() -> None:
    assert load_settings({"WORT_HOME": "/nowhere"}).s3 is None


def test_public_signatures_are_read_without_credentials() -> None:
    found = public_target("wort-public")
    assert found is not None
    assert (found.root, found.unsigned, found.public) == ("https://s3.bi.denbi.de/wort-sra/", True, True)
    assert public_target("off") is None
    mirror = public_target("http://127.0.0.1:8080/b-x/a/b", 3.0)
    assert mirror == S3Target(
        "b-x", "a/b/", "http://127.0.0.1:8080", "us-east-1", "path", unsigned=True, timeout=3.0, public=True
    )
    assert S3Target.from_json(mirror.to_json()) == mirror


@pytest.mark.parametrize(
    "preset",
    ["wort", "https://host", "https://host/", "https://host/AB", "https://host:99999/abc", "https://h/a//b", 1],
)
def test_invalid_preset_is_refused(preset: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        preset_name(preset)


def test_preset_of_the_s3_table_is_loaded_beside_a_bucket(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[s3]\npreset = "https://s3.example.org/wort-sra"\n')
    settings = load_settings({"WORT_HOME": str(tmp_path), "WORT_S3_BUCKET": "mine"})
    assert settings.s3 == S3Target("mine")
    assert settings.public is not None
    assert settings.public.url("x") == "https://s3.example.org/wort-sra/x"
