"""`wort view` shows any signature file, plots its histograms, and compares several signatures."""

import gzip
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.schemas import validated
from tests.support.submissions import MAX_HASH, document, md5_of, sketch, text
from wort_cli import cli
from wort_cli.reading import collection

SVG_TEXT = re.compile(r"<text[^>]*>([^<]*)</text>")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and a directory of files."""
    monkeypatch.setenv("WORT_HOME", str(tmp_path / "home"))
    (tmp_path / "files").mkdir()
    monkeypatch.chdir(tmp_path / "files")
    return tmp_path / "files"


def view(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert cli.run(["view", *words]) == code, capsys.readouterr()
    out, err = capsys.readouterr()
    return out if code == 0 else err


def view_json(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return validated(view(capsys, "--json", *words))


def write(path: Path, *signatures: Any) -> str:
    path.write_bytes(gzip.compress(text([part for each in signatures for part in each])))
    return path.name


def genome(name: str = "SRR000001", seed: int = 1, depth: int = 30) -> Any:
    """A signature with a genome of 2000 hashes and 4000 hashes with errors, of k=21 and k=31."""
    rng = np.random.default_rng(seed)
    sketches = []
    for ksize in (21, 31):
        hashes = np.unique(rng.integers(1, MAX_HASH, 6000, dtype=np.uint64)).tolist()
        abundances = [1] * (len(hashes) - 2000) + rng.poisson(depth, 2000).clip(1).tolist()
        sketches.append(sketch(ksize, hashes, abundances))
    return document(name, signatures=sketches)


def flat(ksize: int, hashes: Sequence[int], **changes: Any) -> dict[str, Any]:
    found = sketch(ksize, list(hashes), **changes)
    del found["abundances"]
    return found


def test_json_has_the_bins_and_the_peaks(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    found = view_json(capsys, write(here / "a.sig", genome()))
    first = found["signatures"][0]["sketches"][0]
    assert sum(part["hashes"] for part in first["histogram"]) == first["hashes"]
    assert first["histogram"][0] == {"low": 1, "high": 1, "hashes": first["singletons"]}
    assert [round(peak["abundance"] / 3) for peak in first["peaks"]] == [10]


def test_plot_has_titles_axes_and_peaks_and_the_same_bytes_each_time(
    capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    name = write(here / "a.sig", genome("SRR000001 $x$ 日本"))
    view(capsys, name, "--plot", "a.svg")
    first = (here / "a.svg").read_bytes()
    words = SVG_TEXT.findall(first.decode())
    assert {"k=21", "k=31", "Hashes per abundance", "Abundance in the run", "10", "100", "1k"} <= set(words)
    assert "SRR000001 $x$ 日本" in words
    assert any(word.startswith("seen once: 4,0") or word.startswith("seen once: 3,9") for word in words)
    assert [word for word in words if word in {"28", "29", "30", "31"}]
    assert "exists" in view(capsys, name, "--plot", "a.svg", code=2)
    view(capsys, name, "--plot", "a.svg", "--force")
    assert (here / "a.svg").read_bytes() == first


def test_plot_of_one_k_is_a_picture(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    name = write(here / "a.sig", genome())
    view(capsys, name, "-k", "31", "--plot", "a.png")
    assert (here / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("plot", "message"), [("a.gif", "the suffix"), ("no/a.svg", "no directory"), ("x.svg", "no abundances")]
)
def test_plot_that_cannot_be_drawn_is_refused(
    plot: str, message: str, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    name = write(here / "a.sig", document(signatures=[flat(21, [1, 2])]))
    assert message in view(capsys, name, "--plot", plot, code=2)
    assert sorted(path.name for path in here.iterdir()) == ["a.sig"]


def test_signatures_are_compared_sketch_by_sketch(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    hashes = list(range(1, 301))
    a = write(here / "a.sig", document("A", signatures=[flat(21, hashes), flat(31, hashes)]))
    b = write(here / "b.sig", document("B", signatures=[flat(21, hashes[150:] + list(range(1000, 1050)))]))
    (found,) = view_json(capsys, a, b)["comparisons"]
    assert (found["a"], found["b"], found["k"], found["common"]) == ("A", "B", 21, 150)
    assert (found["jaccard"], found["a_in_b"], found["b_in_a"]) == (150 / 350, 0.5, 0.75)
    assert found["ani"] == pytest.approx((0.5 ** (1 / 21) + 0.75 ** (1 / 21)) / 2)
    lines = [line.split("\t") for line in view(capsys, a, b).splitlines()]
    assert lines[-1] == ["A", "B", "21", "DNA", "1000", "150", str(150 / 350), "0.5", "0.75", str(found["ani"])]
    assert view_json(capsys, a, b, "-k", "31")["comparisons"] == []
    assert "21, 31" in view(capsys, a, b, "-k", "51", code=2)


def test_signatures_that_cannot_be_compared_are_named(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    a = write(here / "a.sig", document("A", signatures=[flat(21, [1, 2])]))
    b = write(here / "b.sig", document("B", signatures=[flat(30, [1, 2], molecule="protein", max_hash=0, num=500)]))
    assert cli.run(["view", a, b]) == 0
    out, err = capsys.readouterr()
    assert "DNA k=21 scaled=1000; protein k=10 num=500" in err
    assert [line.split("\t")[:6] for line in out.splitlines()[1:]] == [
        ["A", "21", "DNA", "1000", "0", "2"],
        ["B", "10", "protein", "0", "500", "2"],
    ]


def test_minhash_and_protein_are_shown_for_what_they_are(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    sketches = [flat(30, [1, 2, 3], molecule="protein"), flat(21, [1, 2], max_hash=0, num=500)]
    name = write(here / "a.sig", document("A", signatures=sketches))
    minhash, protein = view_json(capsys, name)["signatures"][0]["sketches"]
    assert (minhash["molecule"], minhash["k"], minhash["num"], minhash["scaled"]) == ("DNA", 21, 500, 0)
    assert (protein["molecule"], protein["k"], protein["num"], protein["scaled"]) == ("protein", 10, 0, 1000)
    assert protein["histogram"] == []
    view(capsys, name, "-k", "10", "-o", "one.sig")
    assert [s["molecule"] for s in json.loads((here / "one.sig").read_text())[0]["signatures"]] == ["protein"]


def collection_of(path: Path, *signatures: Any) -> str:
    """A collection as sourmash writes it: a file for each sketch, and a manifest."""
    with zipfile.ZipFile(path, "w") as archive:
        for signature in signatures:
            for part in signature[0]["signatures"]:
                single = text([{**signature[0], "signatures": [part]}])
                archive.writestr(f"signatures/{md5_of(part['ksize'], part['mins'])}.sig.gz", gzip.compress(single))
        archive.writestr("SOURMASH-MANIFEST.csv", "# SOURMASH-MANIFEST-VERSION: 1.0\n")
    return path.name


@pytest.mark.parametrize("in_child", [False, True])
def test_collection_and_file_of_several_signatures_are_listed_and_compared(
    in_child: bool, capsys: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_child:
        monkeypatch.setattr(collection, "SMALL", 0)
    signatures = [document(name, seed=seed) for seed, name in enumerate(("SRR000001", "SRR000002"))]
    for name in (write(here / "a.sig", *signatures), collection_of(here / "a.zip", *signatures)):
        found = view_json(capsys, name)
        assert [(s["name"], [t["k"] for t in s["sketches"]]) for s in found["signatures"]] == [
            ("SRR000001", [21, 31, 51]),
            ("SRR000002", [21, 31, 51]),
        ]
        assert [(c["k"], c["common"]) for c in found["comparisons"]] == [(21, 0), (31, 0), (51, 0)]
    found = view_json(capsys, "a.zip", "a.sig", "-k", "31")
    assert len(found["comparisons"]) == 6
    assert ("SRR000001 (a.zip)", "SRR000001 (a.sig)", 1.0) in [
        (c["a"], c["b"], c["jaccard"]) for c in found["comparisons"]
    ]
    single = view_json(capsys, collection_of(here / "one.zip", signatures[0]))
    (only,) = single["signatures"]
    assert (only["name"], len(only["sketches"])) == ("SRR000001", 3)


@pytest.mark.parametrize("in_child", [False, True])
def test_damaged_file_of_several_signatures_is_refused(
    in_child: bool, capsys: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_child:
        monkeypatch.setattr(collection, "SMALL", 0)
    good, bad = document("A"), document("B")
    bad[0]["signatures"][1]["md5sum"] = "0" * 32
    name = write(here / "a.sig", good, bad)
    assert "the md5 of its hashes is" in view(capsys, name, code=6)
    assert "the md5 of its hashes is" in view(capsys, name, write(here / "b.sig", good), code=6)


def test_too_many_signatures_are_listed_but_not_compared(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    many = [document(f"S{number}", signatures=[flat(21, [number + 1])]) for number in range(51)]
    name = write(here / "many.sig", *many)
    assert cli.run(["view", name]) == 0
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), "not compared" in err) == (52, True)
    assert "sourmash compare" in view(capsys, name, name, code=2)


@pytest.mark.parametrize("option", [["-o", "x.sig"], ["--raw"], ["--url"], ["--plot", "x.svg"], ["--provenance"]])
def test_options_for_one_signature_refuse_several(
    option: list[str], capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    name = write(here / "a.sig", document())
    assert "one signature" in view(capsys, name, name, *option, code=2)
    assert [path.name for path in here.iterdir()] == ["a.sig"]
