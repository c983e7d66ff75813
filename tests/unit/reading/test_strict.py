"""The strict grammar accepts what sourmash writes, and refuses deviations with their place and a hint."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile_signatures import zip_of
from tests.support.submissions import KSIZES, MAX_HASH, Document, document, first, sketch, text, valid_signature
from wort_cli.model.profile import SRA_V1
from wort_cli.model.signature_file import parse_signature
from wort_cli.reading.joined import write_joined
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.strict import Checked, check_signature, recipe


def read(data: bytes, **options: Any) -> Checked:
    return check_signature(io.BytesIO(data), **{"max_unpacked": 10**8, **options})


def refusal(data: bytes, **options: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(data, **options)
    return caught.value


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(valid_signature(), id="as sourmash writes it"),
        pytest.param(gzip.compress(valid_signature()), id="gzip"),
        pytest.param(json.dumps(document(), indent=2).encode(), id="indented"),
        pytest.param(json.dumps(document(), sort_keys=True).encode(), id="keys in another order"),
        pytest.param(b"\n " + valid_signature() + b"\n", id="blanks around"),
        pytest.param(text(document(hashes=60_000)), id="several pieces"),
        pytest.param(json.dumps(document(hashes=60_000), indent=1).encode(), id="several pieces, indented"),
        pytest.param(valid_signature().replace(b'"filename":""', b'"filename":null'), id="no filename"),
        pytest.param(valid_signature().replace(b'"DNA"', b'"dna"'), id="as older versions of sourmash 4 write it"),
        pytest.param(valid_signature().replace(b"SRR000001", b"\\u0053RR000001"), id="an escape in the name"),
    ],
)
def test_valid_signature_is_accepted(data: bytes) -> None:
    found = read(data)
    lenient = parse_signature(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
    assert found.document.digest == lenient.digest
    assert found.document.name == lenient.name == "SRR000001"
    assert found.profile is SRA_V1


def test_output_of_the_installed_sourmash_is_accepted() -> None:
    from sourmash import MinHash, SourmashSignature
    from sourmash.signature import save_signatures_to_json

    sketches = []
    for ksize in SRA_V1.ksizes:
        minhash = MinHash(n=0, ksize=ksize, scaled=1000, track_abundance=True)
        minhash.set_abundances({17 * ksize: 3, MAX_HASH: 2**40, 5: 1})
        written = json.loads(save_signatures_to_json([SourmashSignature(minhash, name="SRR000001")]))
        sketches += written[0]["signatures"]
    written[0]["signatures"] = sketches
    found = read(text(written)).document
    assert [sketch.ksize for sketch in found.sketches] == [21, 31, 51]
    assert found.sketches[0].hashes.tolist() == [5, 357, MAX_HASH]
    assert found.sketches[0].abundances is not None
    assert found.sketches[0].abundances.tolist() == [1, 3, 2**40]


def split(data: Document) -> Document:
    """Return one signature for each sketch, as `sourmash sig cat` and `sketch -p k=21 -p k=31` write them."""
    return [{**data[0], "signatures": [sketch]} for sketch in reversed(data[0]["signatures"])]


def in_zip(*documents: Document) -> bytes:
    return zip_of(*((f"signatures/{n}.sig.gz", gzip.compress(text(data))) for n, data in enumerate(documents)))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(text(split(document())), id="one signature for each sketch"),
        pytest.param(in_zip(document()), id="zip"),
        pytest.param(in_zip(*([one] for one in split(document()))), id="zip of one signature for each sketch"),
    ],
)
def test_signature_in_several_parts_is_joined(data: bytes) -> None:
    found = read(data)
    assert found.is_joined
    assert found.document.digest == read(valid_signature()).document.digest
    assert [sketch.ksize for sketch in found.document.sketches] == [21, 31, 51]
    file = io.BytesIO()
    write_joined(found.document, file)
    again = read(file.getvalue())
    assert again.document.digest == found.document.digest
    assert not again.is_joined


def test_zip_file_of_the_installed_sourmash_is_accepted(tmp_path: Path) -> None:
    from sourmash import load_file_as_signatures
    from sourmash.sourmash_args import SaveSignaturesToLocation

    (tmp_path / "x.sig").write_bytes(valid_signature())
    with SaveSignaturesToLocation(str(tmp_path / "x.zip")) as target:
        for signature in load_file_as_signatures(str(tmp_path / "x.sig")):
            target.add(signature)
    found = read((tmp_path / "x.zip").read_bytes()).document
    assert found.digest == read(valid_signature()).document.digest
    with (tmp_path / "y.sig").open("wb") as file:
        write_joined(found, file)
    names = {(one.name, one.minhash.ksize) for one in load_file_as_signatures(str(tmp_path / "y.sig"))}
    assert names == {("SRR000001", 21), ("SRR000001", 31), ("SRR000001", 51)}


def test_parts_of_other_signatures_are_not_joined() -> None:
    one, two, three = split(document())
    other = split(document("SRR000002"))[2]
    assert refusal(text([one, two, other])).why == "it contains signatures of 'SRR000001' and of 'SRR000002'"
    assert "two sketches of k=51" in refusal(text([one, two, three, one])).why
    assert "it contains 2 sketches" in refusal(text([one, two])).why


def test_empty_sketch_of_short_reads_is_accepted() -> None:
    data = document()
    data[0]["signatures"][2] = sketch(51, [])
    assert len(read(text(data)).document.sketches[2].hashes) == 0
    for ksize in (21, 31):
        data[0]["signatures"][KSIZES.index(ksize)] = sketch(ksize, [])
    assert refusal(text(data)).why == "it is empty: it has no hashes"


@pytest.mark.parametrize("cut", [1, 7, 100, 1000, 2000])
def test_sizes_of_the_pieces_do_not_matter(cut: int) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(cut)

    assert (
        check_signature(Slow(valid_signature()), max_unpacked=10**8).document.digest
        == read(valid_signature()).document.digest
    )


def test_empty_sketches_are_accepted_only_on_request() -> None:
    data = text(document(hashes=0))
    assert "it is empty" in refusal(data).why
    assert [len(sketch.hashes) for sketch in read(data, allow_empty=True).document.sketches] == [0, 0, 0]


def test_refusal_names_the_place() -> None:
    wrong = document()
    wrong[0]["signatures"][1]["mins"][7] = 3
    found = refusal(text(wrong))
    assert found.where.startswith("signature, sketch 2, k=31, byte ")
    assert found.why.startswith("mins[7] is 3, not above the number before it, ")


def test_refusal_of_another_profile_shows_the_command() -> None:
    wrong = document()
    first(wrong)["seed"] = 1
    found = refusal(text(wrong))
    assert found.hint == f"make it with: {recipe(SRA_V1)}"
    assert recipe(SRA_V1, "SRR1").endswith(
        "-Z SRR1 | sourmash sketch dna -p k=21,k=31,k=51,scaled=1000,abund --name SRR1 -o SRR1.sig -"
    )


def test_decompressed_size_is_limited() -> None:
    data = text(document(hashes=10_000))
    assert "decompressed size exceeds 100,000 bytes" in refusal(gzip.compress(data), max_unpacked=100_000).why
    assert "decompressed size exceeds 100,000 bytes" in refusal(data, max_unpacked=100_000).why
