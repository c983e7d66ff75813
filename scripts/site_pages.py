"""A hook of MkDocs: adds the documents of the repository's root to the site, with links that fit their new place.

README.md becomes the first page; the others keep their names.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "LICENSE": "license.md",
}
LINK = re.compile(r"\]\(((?:\.\./)*)([^)#:]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the root's documents, and point links of all pages at them."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        content = f"# License\n\n```text\n{text}```\n" if name == "LICENSE" else linked(text)
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Point links such as `../CONTRIBUTING.md` at the pages that `on_files` adds."""
    for name, page in PAGES.items():
        markdown = markdown.replace(f"(../{name}", f"({page}").replace(f"(../../{name}", f"(../{page}")
    return markdown


def linked(text: str) -> str:
    """Return a document of the root with its links relative to `docs/`."""

    def target(found: "re.Match[str]") -> str:
        path, anchor = found[2], found[3] or ""
        return f"]({PAGES.get(path, path.removeprefix('docs/'))}{anchor})"

    return LINK.sub(target, text)
