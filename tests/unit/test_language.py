"""Code, tests and documents are written in plain technical English: words that were a private dialect stay out."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTEAD = {
    "anew": "again, new",
    "nobody's": "unowned, abandoned",
    "somebody's": "another user's, another process's",
    "by itself": "automatically, on its own",
    "by themselves": "automatically, on their own",
    "call(?:s|ed|ing)? off": "cancel",
    "signs? of life": "heartbeat",
    "mend(?:s|ed|ing)?": "repair, fix",
    "told": "reports, logs, shows, distinguishes",
    "at work": "running",
    "for good": "permanently",
    "(?:give[sn]?|gave) back": "return, requeue",
    "begun": "started",
    "in vain": "without effect",
    "hand(?:s|ed|ing)? in": "submit",
    "lest": "so that ... not",
    "beforehand": "first, before",
    "the like": "similar, for example",
    "whoever": "the caller, another process",
    "in the midst": "while, halfway",
    "com(?:es|e|ing) to be": "was made",
    "came to be": "was made",
    "who asks": "the caller",
    "vouch(?:es|ed|ing)?": "prove, confirm",
    "(?:becomes?|became|came) of": "result, outcome, fate",
    "how it is with": "state, standing",
    "(?:be|is|are) (?:to be )?had": "available, be fetched",
    "for want of": "without, because ... ran out",
    "to be called": "call it",
    "go(?:es)? on": "continue",
    "pass(?:es|ed)? over": "skip, ignore",
    "hand(?:s|ed|ing)? out": "serve, send",
    "anybody": "any user, any process",
    "but for": "except for",
    "for ever": "forever",
    "(?:it|that|text|value) is (?-i:none)": "is invalid, is not one",
    "selects alone": "excludes other selections",
    "what came": "the answer, the received bytes",
}
BREAK = r"(?:\s+(?:#\s*|--\s*)?)"
"""Words may be on two lines, of a comment too."""
DIALECT = re.compile(
    r"(?<![a-z])(?:" + "|".join(words.replace(" ", BREAK) for words in INSTEAD) + r")(?![a-z])", re.IGNORECASE
)
HEADLESS = re.compile(r'"""(?:Of|As|To|That|Those|Such|Who|Which|Also|By|For (?:which|whom)|Until|Since|What|How) ')
"""Docstrings without a subject.  They begin with an imperative or with the thing that they describe."""
JSON_KEY = '"mend"'
"""A key in the output of `wort doctor --json`, which scripts read."""
SUFFIXES = {".py", ".md", ".sql", ".sh", ".toml", ".yml", ".yaml", ".c", ".cff", ".html", ".js", ".css", ".xml", ""}
PLACES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CITATION.cff",
    "Makefile",
    "pyproject.toml",
    "docs",
    "wort_cli",
    "benchmarks",
    "scripts",
    "demo",
    "packaging",
    "tests",
)


def files(place: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", place], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    return [path for path in paths if path.suffix in SUFFIXES and path.is_file() and path != Path(__file__)]


@pytest.mark.parametrize("place", PLACES)
def test_text_avoids_the_dialect(place: str) -> None:
    found = []
    for path in files(place):
        text = path.read_text(encoding="utf-8").replace(JSON_KEY, "")
        for match in DIALECT.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{line}: {' '.join(match[0].split())}")
    assert not found, "\n".join(["say it plainly (see INSTEAD):", *found])


@pytest.mark.parametrize("place", ["wort_cli", "benchmarks", "scripts", "tests"])
def test_docstrings_have_a_subject(place: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files(place)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if path.suffix == ".py" and HEADLESS.search(line)
    ]
    assert not found, "\n".join(["name what the docstring describes:", *found])


@pytest.mark.parametrize(
    "text",
    ["read it anew", "the job is called\n    # off", "it runs by\nitself", "nobody's lease", "mend_rows", "Handed in."],
)
def test_dialect_is_found(text: str) -> None:
    assert DIALECT.search(text)


@pytest.mark.parametrize("text", ["recommend", "at least", "commended", "amended"])
def test_other_words_are_not(text: str) -> None:
    assert not DIALECT.search(text)
