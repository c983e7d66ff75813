"""A hint that names a command has the option `--profile` where the signature is of another profile than the default."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import published
from wort_cli import cli
from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.errors import UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.absence import Absence, AbsenceReason
from wort_cli.model.accession import Accession
from wort_cli.model.profile import SRA_V1, profile_option
from wort_cli.model.provenance import Trust
from wort_cli.settings import load_settings

RUN, REFUTED = "SRR000001", "SRR000002"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with a profile `mine`, of which it has one signature, a refuted one without a file."""
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text("[profiles.mine]\nk = 7\nscaled = 10\n")
    ledger = Ledger(tmp_path / "ledger.db")
    with ledger.transaction():
        ledger.profiles.use(load_settings().profiles["mine"])
        ledger.catalog.record(replace(published(REFUTED, profile="mine"), trust=Trust.MISMATCH))
    ledger.close()
    yield tmp_path


@pytest.mark.parametrize(
    "words", [("view", RUN), ("export", RUN, "-o", "x.zip"), ("view", REFUTED), ("export", REFUTED, "-o", "x.zip")]
)
def test_hint_names_the_profile(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    assert cli.run([*words, "--profile", "mine"]) in (1, 2)
    shown = "".join(capsys.readouterr())
    assert f"`wort compute {words[1]} --profile mine`" in " ".join(shown.split())
    monkeypatch.setenv("WORT_PROFILE", "mine")
    if words[0] == "view":
        assert cli.run([*words]) == 2
        assert f"`wort compute {words[1]}`" in " ".join("".join(capsys.readouterr()).split())


def test_hint_of_the_python_interface_names_the_profile(home: Path) -> None:
    settings = load_settings()
    ledger = Ledger(settings.ledger_file)
    finder = SignatureFinder(settings, ledger, settings.profiles["mine"])
    with pytest.raises(UsageError) as error, finder.open(Accession(RUN)):
        pass
    assert error.value.hint == f"compute it with `wort compute {RUN} --profile mine`"
    ledger.close()


def test_default_profile_is_not_named() -> None:
    assert profile_option(SRA_V1.name) == profile_option("mine", "mine") == ""
    assert Absence.of(RUN, AbsenceReason.NOT_REQUESTED, SRA_V1.name).sentence.endswith(f"`wort compute {RUN}`")
