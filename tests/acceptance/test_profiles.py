"""Profiles of one's own: defined, sketched in one pass, verified, exported, submitted and synced; never changed."""

import gzip
import zipfile
from pathlib import Path

from tests.support.bucket import Bucket
from tests.support.homes import Home
from tests.support.shelf import Shelf
from tests.support.sourmash_sketch import recipe, sketch
from wort_cli.model.profile import Profile
from wort_cli.pipeline.sketching.known_input import known_letters
from wort_cli.system.config_file import with_profile

RUN = "SRR000001"
LAYOUT = "one_read"
DEFINITIONS = {
    "fine": {"k": [31, 21], "scaled": 20, "abund": True},
    "aa": {"k": [7], "scaled": 10, "abund": True, "moltype": "protein", "decode_flags": ["--clip"]},
    "skip": {"k": [7], "scaled": 5, "moltype": "skipm2n3", "seed": 3},
}
PROFILES = {name: Profile.from_json(name, definition) for name, definition in DEFINITIONS.items()}


def define(home: Home, *names: str) -> Path:
    """Define profiles; return the configuration file."""
    config = home.path / "config.toml"
    home.path.mkdir(mode=0o700, exist_ok=True)
    text = ""
    for name in names:
        text = with_profile(text, name, DEFINITIONS[name])
    config.write_text(text)
    return config


def expected(home: Home, archive: Path, profile: str) -> bytes:
    """Return what the recipe of a profile makes of an archive."""
    return recipe(PROFILES[profile], archive, RUN, home.env)


def path_of(home: Home, profile: str) -> Path:
    """Return the file of the run's signature."""
    return home.path / "signatures" / "profiles" / profile / "sigs" / RUN[:6] / f"{RUN}.sig"


def test_profiles_of_one_pass_have_the_bytes_of_their_recipes(home: Home, shelf: Shelf) -> None:
    archive = home.keep(RUN, shelf.archive(LAYOUT))
    define(home, *PROFILES)
    options = [word for name in ("sra-v1", *PROFILES) for word in ("--profile", name)]
    done = home("compute", RUN, *options, "--now").expect(0)
    assert [row[:3] for row in done.rows()] == [[RUN, name, "done"] for name in ("sra-v1", *PROFILES)]
    assert gzip.decompress(home.signature_file(RUN).read_bytes()) == shelf.reference(archive, RUN)
    for name, profile in PROFILES.items():
        assert gzip.decompress(path_of(home, name).read_bytes()) == expected(home, archive, name)
        assert profile.sha256 in path_of(home, name).with_name(f"{RUN}.prov.json").read_text()
    assert "profile_sha256" not in home.signature_file(RUN).with_name(f"{RUN}.prov.json").read_text()
    logs = [next(home.path.rglob(f"{job}.log")).read_text() for job in (1, 2, 3, 4)]
    assert [log.count("sealed the signature of the profile") for log in logs] == [2, 0, 0, 0]
    assert ["--clip" in log or "reading spots" in log for log in logs] == [True, False, True, False]


def test_commands_know_profiles(home: Home, shelf: Shelf, bucket: Bucket) -> None:
    archive = home.keep(RUN, shelf.archive(LAYOUT))
    define(home, "aa")
    home("compute", RUN, "--profile", "aa", "--now", "--no-upload").expect(0)
    assert home("ls").rows() == []
    assert [row[0] for row in home("ls", "--profile", "aa").rows()] == [RUN]
    home("view", RUN).expect(2, "there is no signature of")
    assert home("view", RUN, "--profile", "aa", "--raw").out.encode() == expected(home, archive, "aa")
    home("sync", "push", "--profile", "aa").expect(0, "1 pushed")
    assert all(key.startswith("profiles/aa/") for key in bucket.all_keys())
    assert {f"profiles/aa/prov/{RUN}.json", f"profiles/aa/sigs/{RUN}.sig"} < set(bucket.all_keys())
    home("sync", "check").expect(0, "0 in sync")
    home("rm", RUN, "--profile", "aa", "--yes").expect(0)
    home("sync", "pull", "--profile", "aa").expect(0, "1 pulled")
    verified = home("verify", RUN, "--profile", "aa", "--now").expect(0)
    assert verified.rows()[0][:2] == [RUN, "verified"]
    home("export", RUN, "--profile", "aa", "-o", "aa.sig.zip").expect(0)
    manifest = zipfile.ZipFile(home.cwd / "aa.sig.zip").read("SOURMASH-MANIFEST.csv").decode()
    assert ",7,protein,0,10," in manifest


def test_submitted_signature_of_a_profile_is_verified(home: Home, shelf: Shelf) -> None:
    archive = home.keep(RUN, shelf.archive(LAYOUT))
    define(home, "fine", "aa")
    (home.cwd / "mine.sig").write_bytes(expected(home, archive, "fine"))
    home("submit", "mine.sig").expect(6, "sra-v1")
    home("submit", "mine.sig", "--profile", "fine").expect(0)
    assert home("verify", RUN, "--profile", "fine", "--now").expect(0).rows()[0][:2] == [RUN, "verified"]
    assert path_of(home, "fine").exists()
    (home.cwd / "other.sig").write_bytes(expected(home, archive, "aa"))
    assert "are not those of the profile sra-v1" in home("import", "other.sig").expect(1).out
    home("import", "other.sig", "--profile", "aa").expect(0)


def test_profile_that_changed_after_its_use_is_refused(home: Home, shelf: Shelf) -> None:
    home.keep(RUN, shelf.archive(LAYOUT))
    config = define(home, "fine")
    home("profile", "add", "fine", "-k", "5", "--scaled", "1").expect(2, "is defined in")
    home("compute", RUN, "--profile", "none").expect(2, "there is no profile 'none'")
    home("compute", RUN, "--profile", "fine", "--now").expect(0)
    text = config.read_text()
    config.write_text(text.replace("scaled = 20", "scaled = 30"))
    home("compute", RUN, "--profile", "fine", "--now").expect(2, "scaled was 20, and is 30")
    home("view", RUN, "--profile", "fine").expect(2, "scaled was 20, and is 30")
    config.write_text("")
    home("view", RUN, "--profile", "fine").expect(0)
    assert [row[6] for row in home("profile", "ls").rows()] == ["built in", "built in", "ledger"]
    home("profile", "add", "fine", "-k", "5", "--scaled", "1").expect(2, "was used")
    added = home("profile", "add", "aa.1", "-k", "7", "--scaled", "9", "--moltype", "hp", "--json").expect(0).json()
    assert (added["recipe"].split(" | ")[1].split()[4], added["used_at"]) == ("hp,k=7,scaled=9", None)
    assert home("profile", "show", "aa.1", "--json").json()["sha256"] == added["sha256"]
    config.write_text("[profiles.fine]\nk = 'x'\n")
    home("compute", RUN).expect(2, "profiles.fine")


def test_daemon_sketches_profiles_in_one_pass(home: Home, shelf: Shelf) -> None:
    archive = home.keep(RUN, shelf.archive(LAYOUT))
    define(home, "fine", "skip")
    home("daemon", "start").expect(0)
    try:
        home("compute", RUN, "--profile", "fine", "--profile", "skip", "--wait").expect(0)
    finally:
        home("daemon", "stop").expect(0)
    for name in ("fine", "skip"):
        assert gzip.decompress(path_of(home, name).read_bytes()) == expected(home, archive, name)
    assert "sealed the signature of the profile skip, too" in next(home.path.rglob("1.log")).read_text()


def test_files_of_reads_have_profiles(home: Home) -> None:
    letters = known_letters(300_000)
    genome = home.cwd / "genome.fa"
    genome.write_bytes(b"\n".join([b">long", letters[:200_000], b">short", letters[200_000:], b">tiny", b"AC", b""]))
    define(home, "fine", "aa")
    home("compute", "genome.fa", "--profile", "fine", "--profile", "aa", "--now").expect(0)
    for name in ("fine", "aa"):
        made = home.path / "signatures" / "profiles" / name / "local" / "genome.sig"
        assert gzip.decompress(made.read_bytes()) == sketch(PROFILES[name], genome, "genome", "genome.fa"), name
