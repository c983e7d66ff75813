"""`wort doctor` says whether the public signatures can be read; that they cannot is no problem."""

from tests.support.public_twin import PublicTwin, PublicWorld
from wort_cli.commands.shared.checking.bucket_check import check_bucket
from wort_cli.settings import load_settings


def test_server_that_answers_is_ok(home: PublicWorld, twin: PublicTwin) -> None:
    bucket, public = check_bucket(home.settings)
    assert (bucket.state, public.state, twin.url in public.detail) == ("ok", "ok", True)


def test_server_that_does_not_answer_is_a_warning(home: PublicWorld, twin: PublicTwin) -> None:
    settings = load_settings({**home.env, "WORT_S3_PRESET": "http://127.0.0.1:9/wort-sra"})
    _, public = check_bucket(settings)
    assert (public.state, "cannot be reached" in public.detail) == ("warning", True)


def test_nobody_is_asked_where_it_is_switched_off(home: PublicWorld, twin: PublicTwin) -> None:
    _, public = check_bucket(load_settings({**home.env, "WORT_S3_PRESET": "off"}))
    assert (public.state, public.detail) == ("ok", "switched off (s3_preset)")
