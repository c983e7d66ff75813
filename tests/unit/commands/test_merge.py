"""`wort merge` adds the runs of a sample up as sourmash does, and says which are missing."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sourmash

from tests.support.builders import MAX_HASH, provenance, request
from tests.support.copied_home import copied_home
from wort_cli import cli
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, LocalName
from wort_cli.model.job_result import Published
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.model.provenance import SketchSummary, Trust
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.model.signature_file import Sketch, digest
from wort_cli.pipeline.seal import write_signature
from wort_cli.settings import load_settings
from wort_cli.stores.local import LocalStore

ONE, TWO, OTHER, ABSENT = "SRR100001", "SRR100002", "SRR100003", "SRR100004"
SAMPLES = {ONE: "SRS1", TWO: "SRS1", OTHER: "SRS2", ABSENT: "SRS2"}
LARGE = 2**62


def sketches(seed: int, abundance: int = 3) -> list[Sketch]:
    """Return sketches that share half of their hashes with those of other seeds."""
    random = np.random.default_rng(seed)
    common = np.arange(1, 50, dtype=np.uint64)
    found = []
    for ksize in (21, 31, 51):
        hashes = np.union1d(common, random.integers(100, MAX_HASH, 50, dtype=np.uint64))
        found.append(Sketch(ksize, 42, MAX_HASH, hashes, np.full(len(hashes), abundance, np.uint64)))
    return found


def record(
    ledger: Ledger,
    home: Path,
    name: str,
    made: list[Sketch],
    trust: Trust = Trust.COMPUTED,
    store: LocalStore | None = None,
    profile: Profile = SRA_V1,
) -> None:
    """Write a signature into the store, and record it."""
    store, run = store or LocalStore(home / "signatures"), Accession(name)
    summaries = tuple(SketchSummary(s.k, len(s.hashes), 1, s.md5sum()) for s in made)
    document = replace(provenance(run), profile=profile.name, digest=digest(made), sketches=summaries, reads=7)
    store.path(run).parent.mkdir(parents=True, exist_ok=True)
    with store.path(run).open("wb") as file:
        write_signature(name, made, file)
    content = store.path(run).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    with ledger.transaction():
        ledger.catalog.record(Published(store.key(run), len(content), document, trust=trust, sha256=sha256), force=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a group of two samples; a run of the second has no signature."""
    home = tmp_path_factory.mktemp("merge")
    ledger = Ledger(home / "ledger.db")
    for seed, name in enumerate((ONE, TWO, OTHER)):
        record(ledger, home, name, sketches(seed))
    ledger.jobs.enqueue([request(name, group="gut") for name in SAMPLES])
    ledger.runs.record((RunMetadata(run, sample=sample, project="PRJ/1 é"), "ENA") for run, sample in SAMPLES.items())
    ledger.close()
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and its parent is the working directory."""
    return copied_home(made, tmp_path, monkeypatch)


def merged(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    """Return the result for each name."""
    assert cli.run(["merge", "-g", "gut", "--json", *words]) == code
    return {one["name"]: one for one in json.loads(capsys.readouterr().out)["signatures"]}


def test_sum_is_that_of_sourmash(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = merged(capsys, code=1)
    assert (found["SRS1"]["state"], found["SRS1"]["runs"], found["SRS1"]["absent"]) == ("merged", 2, [])
    assert (found["SRS2"]["state"], found["SRS2"]["path"]) == ("incomplete", None)
    assert [(one["name"], one["reason"]) for one in found["SRS2"]["absent"]] == [(ABSENT, "not-done")]
    store = LocalStore(home / "signatures")
    for k in (21, 31, 51):
        paths = [store.path(name) for name in (Accession(ONE), Accession(TWO), LocalName("SRS1"))]
        files = (sourmash.load_file_as_signatures(str(path), ksize=k) for path in paths)
        one, two, ours = (next(iter(file)).minhash for file in files)
        theirs = one.to_mutable()
        theirs.merge(two)
        assert dict(ours.hashes) == dict(theirs.hashes)
        assert ours.hashes[7] == 6


@pytest.mark.parametrize(
    ("definition", "option"),
    [
        ('k = [7, 10]\nscaled = 1000\nabund = true\nmoltype = "protein"', {"select_moltype": "protein"}),
        ('k = [7]\nscaled = 1000\nmoltype = "hp"', {"select_moltype": "hp"}),
        ("k = [19, 33]\nscaled = 1000\nabund = true\nseed = 7", {}),
    ],
    ids=["protein", "hp-without-abundances", "other-seed"],
)
def test_sum_of_another_profile_is_that_of_sourmash(
    home: Path, capsys: pytest.CaptureFixture[str], definition: str, option: dict[str, str]
) -> None:
    (home / "config.toml").write_text(f"[profiles.mine]\n{definition}\n")
    profile = load_settings().profiles["mine"]
    with_profile(home, profile)
    assert merged(capsys, "--by", "project", "--profile", "mine")["PRJ_1"]["runs"] == 2
    store, name = LocalStore(home / "signatures", "mine"), LocalName("PRJ_1")
    document = store.provenance(name)
    assert (document.profile, document.profile_sha256) == ("mine", profile.sha256)
    for number, summary in enumerate(document.sketches):
        paths = [store.path(run) for run in (Accession(ONE), Accession(TWO), name)]
        one, two, ours = (
            next(found.minhash for found in sourmash.load_file_as_signatures(str(path), ksize=summary.ksize, **option))
            for path in paths
        )
        theirs = one.to_mutable()
        theirs.merge(two)
        assert ours.hashes == theirs.hashes
        assert (ours.seed, ours.track_abundance) == (profile.seed, profile.abundance)
        assert summary.ksize == profile.ksizes[number]
    assert not LocalStore(home / "signatures").path(name).exists()
    assert cli.run(["export", "PRJ_1", "--profile", "mine", "-o", "x.zip"]) == 0
    assert {found.name for found in sourmash.load_file_as_signatures("x.zip")} == {"PRJ_1"}


def with_profile(home: Path, profile: Profile) -> None:
    """Record two runs of one project with a profile, in the group `gut`."""
    ledger = Ledger(home / "ledger.db")
    store = LocalStore(home / "signatures", profile.name)
    with ledger.transaction():
        ledger.profiles.use(profile)
    for seed, run in enumerate((Accession(ONE), Accession(TWO))):
        some = [
            replace(one, ksize=ksize, seed=profile.seed, moltype=profile.moltype,
                    abundances=one.abundances if profile.abundance else None)
            for one, ksize in zip(sketches(seed), profile.stored_ksizes, strict=False)
        ]  # fmt: skip
        record(ledger, home, run, some, store=store, profile=profile)
    ledger.jobs.enqueue([replace(request(name, group="gut"), profile=profile.name) for name in (ONE, TWO)])
    ledger.close()


def test_sketches_of_another_profile_are_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(home / "ledger.db")
    record(ledger, home, TWO, [replace(one, seed=7) for one in sketches(1)])
    ledger.close()
    found = merged(capsys, code=1)["SRS1"]
    assert (found["state"], "not those of the profile sra-v1" in found["message"]) == ("failed", True)


def test_provenance_has_all_parts_and_what_is_missing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    merged(capsys, "--partial")
    document = LocalStore(home / "signatures").provenance(LocalName("SRS2"))
    assert (list(document.parts), document.missing, document.reads) == ([OTHER], {ABSENT: "not-done"}, 7)
    assert cli.run(["view", "SRS2", "--json"]) == 0
    [shown] = json.loads(capsys.readouterr().out)["signatures"]
    assert (shown["trust"], shown["is_recorded"]) == ("computed", True)
    assert shown["provenance"]["parts"] == dict(document.parts)
    assert cli.run(["view", "SRS2", "--no-hist"]) == 0
    assert f"1 run: {OTHER}" in capsys.readouterr().out
    assert cli.run(["doctor", "--json"]) in (0, 1)
    assert "SRS2" not in capsys.readouterr().out


def test_repeated_merge_changes_nothing_until_a_part_changes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    merged(capsys, "--partial")
    path = LocalStore(home / "signatures").path(LocalName("SRS1"))
    before = path.stat().st_mtime_ns
    assert {one["state"] for one in merged(capsys, "--partial").values()} == {"already there"}
    assert path.stat().st_mtime_ns == before
    ledger = Ledger(home / "ledger.db")
    record(ledger, home, TWO, sketches(9))
    ledger.close()
    refused = merged(capsys, "--partial", code=1)["SRS1"]
    assert (refused["state"], "--force replaces it" in refused["message"]) == ("failed", True)
    assert merged(capsys, "--partial", "--force")["SRS1"]["state"] == "merged"
    assert path.stat().st_mtime_ns != before


def test_part_with_other_bytes_is_missing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    LocalStore(home / "signatures").path(Accession(TWO)).write_bytes(b"other")
    found = merged(capsys, code=1)["SRS1"]
    assert (found["state"], found["absent"]) == ("incomplete", [{"name": TWO, "reason": "not-the-recorded"}])
    assert not LocalStore(home / "signatures").path(LocalName("SRS1")).exists()


def test_sum_that_could_overflow_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(home / "ledger.db")
    record(ledger, home, TWO, sketches(1, LARGE))
    ledger.close()
    found = merged(capsys, code=1)["SRS1"]
    assert (found["state"], "more than 2^63" in found["message"]) == ("failed", True)
    assert not LocalStore(home / "signatures").path(LocalName("SRS1")).exists()


def test_trust_is_at_most_that_of_the_least_trusted_part(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(home / "ledger.db")
    ledger.storage.connection.execute("UPDATE signatures SET trust = 'published' WHERE name = ?", (ONE,))
    merged(capsys, code=1)
    record_ = ledger.catalog.get(LocalName("SRS1"), "sra-v1")
    assert record_ is not None and record_.trust is Trust.UNVERIFIED
    ledger.close()


def test_name_is_made_of_the_value(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(merged(capsys, "--by", "project", "--partial", "-n")) == {"PRJ_1"}


def test_dry_run_changes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = merged(capsys, "-n", code=1)
    assert [found["SRS1"]["state"], found["SRS2"]["state"]] == ["would be merged", "incomplete"]
    assert not (home / "signatures" / "local").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no group is named"),
        (("-g", "none"), "there is no group"),
        (("-g", "gut", "--by", "bases"), "can't be grouped by"),
        (("-g", "gut", "--by", "organism; DROP TABLE runs"), "can't be grouped by"),
        (("-g", "gut", "--by", "organism"), "the organism of SRR100001, SRR100002, SRR100003, and 1 other"),
    ],
)
def test_bad_input_is_refused(
    home: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["merge", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (home / "signatures" / "local").exists()
