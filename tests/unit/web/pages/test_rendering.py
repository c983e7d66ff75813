"""Templates write what comes from outside as text, never as HTML or as control characters."""

import re
from pathlib import Path

import pytest
from markupsafe import Markup

from tests.support.served_home import ESCAPE, HOSTILE, HTML
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.provenance import Trust
from wort_cli.web.headers import CONTENT_SECURITY_POLICY
from wort_cli.web.pages.rendering import TEMPLATES, environment, moment, ticks, visible
from wort_cli.web.pages.static_files import DIRECTORY
from wort_cli.web.pages.words import HEADINGS, OF_STATE, PROMISES, Standing

SOURCES = sorted(TEMPLATES.glob("*.html"))
STYLES = (DIRECTORY / "style.css").read_text(encoding="utf-8")
SCRIPT = (DIRECTORY / "page.js").read_text(encoding="utf-8")


def test_values_are_escaped_and_control_characters_shown() -> None:
    text = environment().from_string("<p title='{{ it }}'>{{ it }}</p>").render(it=HOSTILE)
    assert HTML not in text and ESCAPE not in text and "\u202e" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;\\x1b[31mred" in text
    assert text.count("\\u202e&amp;amp;") == 2


def test_lines_of_a_text_stay() -> None:
    assert visible("a\nb\x00\x85") == "a\nb\\x00\\x85"
    assert visible(None) == ""
    assert visible(5) == 5


def test_commands_between_backticks_are_elements() -> None:
    assert ticks("see `wort <x>`, or <b>") == Markup("see <code>wort &lt;x&gt;</code>, or &lt;b&gt;")
    assert ticks(f"one ` {ESCAPE}") == Markup("one ` \\x1b[31mred\\x1b]0;owned\\x07")


def test_moments_are_for_people_and_programs() -> None:
    assert moment("2026-11-27T12:00:01.500Z") == (
        '<time datetime="2026-11-27T12:00:01.500Z" title="2026-11-27T12:00:01.500Z">2026-11-27 12:00 UTC</time>'
    )
    assert moment(None) == ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_template_has_no_inline_script_or_style(path: Path) -> None:
    """The policy of the server forbids them: a browser would ignore them."""
    text = path.read_text(encoding="utf-8")
    assert "'unsafe-inline'" not in CONTENT_SECURITY_POLICY
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_template_escapes_everything(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "autoescape false" not in text
    assert re.findall(r"\|\s*safe", text) == ["|safe"] * text.count('("<span class=\\"quiet\\">starting</span>"|safe)')


def test_nothing_is_loaded_from_other_hosts() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for address in re.findall(r"(?:src|href|action)=\"(https?:[^\"]*)", text):
            assert address == "https://sourmash.readthedocs.io", path  # a link that a person may follow
    assert not re.search(r"https?:|@import|url\((?!\"spectrum\.svg\"\))", STYLES)
    assert "http" not in SCRIPT


def test_every_level_of_trust_says_what_it_promises() -> None:
    assert set(PROMISES) == set(Trust)


def test_every_state_has_a_standing() -> None:
    assert set(OF_STATE) == set(JobState)
    assert set(HEADINGS) == set(Standing)


def test_every_reason_can_be_a_sentence() -> None:
    filters = environment().filters
    assert all(filters["sentence"](reason) for reason in Reason)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(scheme: str) -> None:
    """WCAG 2 asks for 4.5 to 1."""
    blocks = re.findall(r":root \{(.*?)\}", STYLES, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[0]))
    if scheme == "dark":
        colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[1]))
    words = ("text", "quiet", "accent", "good", "busy", "wait", "bad", "idle")
    for word in words:
        for back in ("page", "card", "tint"):
            assert contrast(colours[word], colours[back]) >= 4.5, (word, back)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG 2 defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
