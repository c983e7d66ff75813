"""The pictures of the documents are small, and each is shown."""

from tests.support.documents import DOCUMENTS, ROOT

PICTURES = sorted((ROOT / "docs" / "images").iterdir())
MOST = 200_000
"""Bytes of a picture."""


def test_pictures_are_small() -> None:
    assert PICTURES
    for path in PICTURES:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG") and len(content) < MOST, path


def test_every_picture_is_shown_in_a_document() -> None:
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    assert [path.name for path in PICTURES if not any(f"images/{path.name})" in text for text in texts)] == []
