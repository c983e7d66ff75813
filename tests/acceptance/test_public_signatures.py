"""The daemon takes public signatures that a request accepts; other homes of the tests ask for none."""

from tests.support.homes import Home
from tests.support.public_twin import PublicTwin
from tests.support.small_world import reference
from wort_cli.settings import load_settings

RUN, UNKNOWN = "SRR000001", "SRR000009"


def test_daemon_takes_public_signatures_that_are_accepted(home: Home) -> None:
    with PublicTwin().serving() as twin:
        twin.put(RUN)
        home.env["WORT_S3_PRESET"] = twin.url
        home("daemon", "start")
        home("compute", RUN, "--accept-public", "--wait", "-o", "taken.sig.gz").expect(0)
        assert home.signature_file(RUN).read_bytes() == reference(RUN)
        assert "taken from the public signatures" in home("logs", RUN, "--all").out
        (row,) = home("ls", "--json").records()
        assert (row["name"], row["trust"]) == (RUN, "published")
        assert twin.asked_for() == {f"sigs/{RUN}.sig"}
        home("compute", RUN, "--accept-public", "--wait").expect(0)
        home("daemon", "stop")


def test_homes_of_tests_ask_nobody(home: Home) -> None:
    assert load_settings(home.env).public is None
    assert load_settings().public is None
    home("view", UNKNOWN).expect(2, "there is no signature")
