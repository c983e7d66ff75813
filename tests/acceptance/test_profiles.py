"""Profiles of one's own: defined, sketched in one pass, verified, exported, submitted and synced; never changed."""

import gzip
import shlex
import subprocess
from pathlib import Path

from tests.support.archives import sourmash
from tests.support.bucket import Bucket
from tests.support.homes import Home
from tests.support.shelf import Shelf

RUN = "SRR000001"
LAYOUT = "one_read"
PROFILES = {
    "fine": "-k 31 -k 21 --scaled 20 --abund",
    "aa": "-k 7 --scaled 10 --moltype protein --abund",
    "skip": "-k 7 --scaled 5 --moltype skipm2n3 --seed 3",
}


def define(home: Home) -> None:
    """Define the profiles."""
    for name, options in PROFILES.items():
        home("profile", "add", name, *options.split()).expect(0)


def expected(home: Home, archive: Path, profile: str) -> bytes:
    """Return what the recipe of a profile makes of an archive, by the command that `wort profile show` prints."""
    recipe = (
        home("profile", "show", profile, "--json").json()["recipe"].replace("ACC.sig", "-").replace("ACC |", "IN |")
    )
    decode, sketch = recipe.replace("ACC", RUN).split(" | ")
    reads = subprocess.run([*shlex.split(decode)[:-1], archive], capture_output=True, check=True, cwd=home.cwd).stdout
    made = subprocess.run([sourmash(), *shlex.split(sketch)[1:]], input=reads, capture_output=True, check=True)
    return made.stdout.rstrip(b"\n")


def path_of(home: Home, profile: str) -> Path:
    """Return the file of the run's signature."""
    return home.path / "signatures" / "profiles" / profile / "sigs" / RUN[:6] / f"{RUN}.sig"


def test_profiles_of_one_pass_have_the_bytes_of_their_recipes(home: Home, shelf: Shelf, bucket: Bucket) -> None:
    archive = home.keep(RUN, shelf.archive(LAYOUT))
    define(home)
    options = [word for name in ("sra-v1", *PROFILES) for word in ("--profile", name)]
    done = home("compute", RUN, *options, "--now").expect(0)
    assert [row[:3] for row in done.rows()] == [[RUN, name, "done"] for name in ("sra-v1", *PROFILES)]
    assert gzip.decompress(home.signature_file(RUN).read_bytes()) == shelf.reference(archive, RUN)
    for name in PROFILES:
        assert gzip.decompress(path_of(home, name).read_bytes()) == expected(home, archive, name)
        provenance = home("view", RUN, "--profile", name, "--json").records()[0]["provenance"]
        assert provenance["profile_sha256"] == home("profile", "show", name, "--json").json()["sha256"]
    assert "profile_sha256" not in home("view", RUN, "--json").records()[0]["provenance"]
    log = home("logs", "1", "--all", "-n", "1000").out
    assert log.count("sealed the signature of the profile") == len(PROFILES)
    assert not any("--clip" in home("logs", str(job), "--all", "-n", "1000").out for job in (2, 3, 4))
    folders = {name: "" if name == "sra-v1" else f"profiles/{name}/" for name in ("sra-v1", *PROFILES)}
    keys = [f"{folder}{kind}" for folder in folders.values() for kind in (f"sigs/{RUN}.sig", f"prov/{RUN}.json")]
    assert bucket.all_keys() == sorted(keys)


def test_commands_know_profiles(home: Home, shelf: Shelf, bucket: Bucket) -> None:
    archive = home.keep(RUN, shelf.archive(LAYOUT))
    define(home)
    home("compute", RUN, "--profile", "aa", "--now", "--no-upload").expect(0)
    assert home("ls").rows() == []
    assert [row[0] for row in home("ls", "--profile", "aa").rows()] == [RUN]
    home("view", RUN).expect(2, "there is no signature of")
    assert home("view", RUN, "--profile", "aa", "--raw").out.encode() == expected(home, archive, "aa")
    home("sync", "push", "--profile", "aa").expect(0, "1 pushed")
    assert bucket.all_keys() == [f"profiles/aa/prov/{RUN}.json", f"profiles/aa/sigs/{RUN}.sig"]
    home("sync", "check", "--profile", "aa").expect(0)
    home("rm", RUN, "--profile", "aa", "--yes").expect(0)
    home("sync", "pull", "--profile", "aa").expect(0, "1 pulled")
    assert path_of(home, "aa").exists()
    verified = home("verify", RUN, "--profile", "aa", "--now").expect(0)
    assert verified.rows()[0][:2] == [RUN, "verified"]
    home("export", RUN, "--profile", "aa", "-o", "aa.sig.zip").expect(0)
    summary = subprocess.run(
        [sourmash(), "sig", "describe", "aa.sig.zip"], capture_output=True, check=True, cwd=home.cwd, text=True
    )
    assert "molecule=protein" in summary.stdout


def test_submitted_signature_of_a_profile_is_verified(home: Home, shelf: Shelf) -> None:
    archive = home.keep(RUN, shelf.archive(LAYOUT))
    define(home)
    (home.cwd / "mine.sig").write_bytes(expected(home, archive, "fine"))
    home("submit", "mine.sig").expect(6, "sra-v1")
    home("submit", "mine.sig", "--profile", "fine").expect(0)
    assert home("verify", RUN, "--profile", "fine", "--now").expect(0).rows()[0][:2] == [RUN, "verified"]
    assert path_of(home, "fine").exists()
    (home.cwd / "other.sig").write_bytes(expected(home, archive, "aa"))
    home("import", "other.sig").expect(1, "are not those of the profile sra-v1")
    home("import", "other.sig", "--profile", "aa").expect(0)


def test_profile_that_changed_after_its_use_is_refused(home: Home, shelf: Shelf) -> None:
    home.keep(RUN, shelf.archive(LAYOUT))
    define(home)
    home("profile", "add", "fine", "-k", "5", "--scaled", "1").expect(2, "is defined in")
    home("profile", "add", "sra-v1", "-k", "5", "--scaled", "1").expect(2, "is built in")
    home("compute", RUN, "--profile", "none").expect(2, "there is no profile 'none'")
    home("compute", RUN, "--profile", "fine", "--now").expect(0)
    config = home.path / "config.toml"
    text = config.read_text()
    config.write_text(text.replace("scaled = 20", "scaled = 30"))
    home("compute", RUN, "--profile", "fine", "--now").expect(2, "scaled was 20, and is 30")
    home("view", RUN, "--profile", "fine").expect(2, "scaled was 20, and is 30")
    config.write_text("")
    home("view", RUN, "--profile", "fine").expect(0)
    assert [row[6] for row in home("profile", "ls").rows()] == ["built in", "ledger"]
    config.write_text("[profiles.fine]\nk = 'x'\n")
    home("compute", RUN).expect(2, "profiles.fine")


def test_daemon_sketches_profiles_in_one_pass(home: Home, shelf: Shelf) -> None:
    archive = home.keep(RUN, shelf.archive(LAYOUT))
    define(home)
    home("daemon", "start").expect(0)
    try:
        home("compute", RUN, "--profile", "fine", "--profile", "aa", "--wait").expect(0)
    finally:
        home("daemon", "stop").expect(0)
    for name in ("fine", "aa"):
        assert gzip.decompress(path_of(home, name).read_bytes()) == expected(home, archive, name)
    assert "sealed the signature of the profile aa, too" in home("logs", "1", "--all", "-n", "1000").out


def test_files_of_reads_have_profiles(home: Home) -> None:
    from wort_cli.pipeline.sketching.known_input import known_letters

    letters = known_letters(400_000)
    lines = [b">long", letters[:300_000], b">short", letters[300_000:], b">tiny", b"AC", b""]
    (home.cwd / "genome.fa").write_bytes(b"\n".join(lines))
    define(home)
    options = [word for name in PROFILES for word in ("--profile", name)]
    home("compute", "genome.fa", *options, "--now").expect(0)
    for name in PROFILES:
        sketch = home("profile", "show", name, "--json").json()["recipe"].split(" | ")[1]
        arguments = shlex.split(sketch.replace("ACC.sig -", "- genome.fa").replace("ACC", "genome"))
        made = subprocess.run([sourmash(), *arguments[1:]], capture_output=True, check=True, cwd=home.cwd).stdout
        found = home("view", "genome", "--profile", name, "--raw").expect(0).out
        assert found.encode() == made.rstrip(b"\n"), name
