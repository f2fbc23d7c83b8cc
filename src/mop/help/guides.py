"""The guides of docs/ as pages: read once, rendered by markdown-it, cut into sections for the search.

Raw HTML in a guide is shown as text, and links lead to pages of the portal where there is one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.safestring import SafeString

import mop
from mop.deferred import deferred
from mop.errors import NotFoundError
from mop.ui.search import Hit, Search

if TYPE_CHECKING:
    import markdown_it
    from markdown_it.token import Token
else:
    markdown_it = deferred("markdown_it")

PACKAGED = Path(__file__).parent / "guides"  # an installed MOP brings them along
IN_REPOSITORY = Path(mop.__file__).parents[2] / "docs"
GROUPS = (
    ("Write a model", ("getting-started", "model-contributor-guide", "errors")),
    ("Add datasets", ("datasets",)),
    (
        "Use MOP",
        (
            "onboarding",
            "lifecycle",
            "contract-runs",
            "try-it",
            "load-tests",
            "first-gate",
            "gates",
            "downstream-services",
            "releases",
            "model-cards",
            "bundles",
            "gateway",
            "evaluation",
            "reading-results",
            "dsat",
            "golden-sets",
            "regression",
            "scanning",
            "notifications",
            "sign-in",
            "tokens",
            "audit",
            "permissions",
        ),
    ),
    ("Scripts and the command line", ("api", "client", "cli")),
    (
        "How MOP works",
        (
            "environments",
            "hosting",
            "index-proxy",
            "sandbox",
            "serving",
            "storage",
            "engine",
            "metrics",
            "performance",
            "portal",
        ),
    ),
    ("Operate and develop MOP", ("operations", "architecture", "adding-an-area", "seed")),
)
SUMMARY_CHARACTERS = 160
_LOCAL_LINK = re.compile(r"^([a-z0-9-]+)\.md(#.*)?$")
_ELSEWHERE = re.compile(r"^(https?://|#)")


@dataclass(frozen=True)
class Section:
    """A part of a guide from one heading to the next: its text without marks."""

    title: str
    anchor: str
    level: int
    text: str


@dataclass(frozen=True)
class Guide:
    """One guide as a page.

    Attributes:
        group: the heading under which the help lists it.
        text: in Markdown.
    """

    name: str
    title: str
    group: str
    text: str
    html: SafeString
    sections: Sequence[Section]

    @property
    def url(self) -> str:
        """Its page."""
        return reverse("help:guide", args=[self.name])

    @property
    def contents(self) -> list[Section]:
        """What its table of contents lists."""
        return [section for section in self.sections if section.level == 2]  # noqa: PLR2004 - an h2 of the page


@functools.cache
def groups() -> Sequence[tuple[str, Sequence[Guide]]]:
    """All guides, in the order in which the help lists them; one that is not installed is left out."""
    return [(title, [guide for name in names if (guide := _read(name, title))]) for title, names in GROUPS]


def get_guide(name: str) -> Guide:
    """A guide by name.

    Raises:
        NotFoundError: there is none of this name.
    """
    for _, guides in groups():
        for guide in guides:
            if guide.name == name:
                return guide
    raise NotFoundError(f"There is no guide {name!r}.")


def find_sections(text: str, limit: int) -> list[Hit]:
    """Sections with every word, or a word that begins so; those with one in their heading come first."""
    words = [re.compile(rf"(?<![a-z0-9]){re.escape(word)}") for word in text.lower().split()]
    found = []
    for _, guides in groups():
        for guide in guides:
            for section in guide.sections:
                heading = section.title.lower()
                whole = f"{heading} {section.text.lower()}"
                if words and all(word.search(whole) for word in words):
                    rank = -sum(bool(word.search(heading)) for word in words)
                    note = f"{guide.title}: {_around(section.text, words)}"
                    found.append((rank, Hit(section.title, f"{guide.url}#{section.anchor}", note)))
    return [hit for _, hit in sorted(found, key=lambda pair: pair[0])[:limit]]


def _find(_user: Any, text: str, limit: int) -> Sequence[Hit]:
    return find_sections(text, limit)


HELP = Search("Help", "info", _find)


def _read(name: str, group: str) -> Guide | None:
    folder = PACKAGED if PACKAGED.is_dir() else IN_REPOSITORY
    path = folder / f"{name}.md"
    if not path.is_file():
        return None
    markdown = markdown_it.MarkdownIt("commonmark", {"html": False}).enable("table")
    text = path.read_text(encoding="utf-8")
    tokens = markdown.parse(text)
    sections = _sections(tokens)
    if not sections:
        return None
    title = sections[0].title
    body = tokens[3:] if tokens[0].type == "heading_open" else tokens  # the page has its title already
    _prepare(body)
    html = SafeString(markdown.renderer.render(body, markdown.options, {}))
    return Guide(name, title, group, text, html, sections)


def _sections(tokens: Sequence[Token]) -> list[Section]:
    """One for each heading; sets the ids of the headings."""
    sections: list[Section] = []
    texts: list[str] = []
    used: dict[str, int] = {}
    heading: tuple[str, str, int] | None = None
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            if heading:
                sections.append(Section(*heading, " ".join(texts)))
            title = _plain(tokens[place + 1])
            anchor = slug(title)
            used[anchor] = used.get(anchor, 0) + 1
            anchor = anchor if used[anchor] == 1 else f"{anchor}-{used[anchor] - 1}"
            token.attrSet("id", anchor)
            heading, texts = (title, anchor, int(token.tag[1])), []
        elif token.type == "inline" and tokens[place - 1].type != "heading_open":
            texts.append(_plain(token))
        elif token.type == "fence":
            texts.append(token.content)
    return [*sections, Section(*heading, " ".join(texts))] if heading else sections


def slug(title: str) -> str:
    """The anchor of a heading, as the repository's own pages name it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _prepare(tokens: Sequence[Token]) -> None:
    """Links lead to pages of the portal; one that leads to a file of the repository is shown as its text."""
    first = min((int(token.tag[1]) for token in tokens if token.type == "heading_open"), default=2)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:  # the highest heading of the body is an h2
            token.tag = f"h{min(int(token.tag[1]) - first + 2, 4)}"
        if token.type in {"fence", "code_block"}:
            token.attrSet("tabindex", "0")
        for child in token.children or ():
            if child.type != "link_open":
                continue
            address = str(child.attrGet("href") or "")
            local = _LOCAL_LINK.match(address)
            if local and any(local[1] in names for _, names in GROUPS):
                child.attrSet("href", f"/help/{local[1]}/{local[2] or ''}")
            elif not _ELSEWHERE.match(address):
                child.tag, child.attrs = "span", {}
                _close(token.children or [], child)


def _close(children: Sequence[Token], opening: Token) -> None:
    """Give the closing token of a link the tag of its opening one."""
    after = children[list(children).index(opening) + 1 :]
    next(child for child in after if child.type == "link_close").tag = opening.tag


def _plain(inline: Token) -> str:
    return "".join(" " if child.type == "softbreak" else child.content for child in inline.children or ())


def _around(text: str, words: Sequence[re.Pattern[str]]) -> str:
    at = max(0, min((found.start() for word in words if (found := word.search(text.lower()))), default=0) - 40)
    piece = " ".join(text[at : at + SUMMARY_CHARACTERS].split())
    return f"{'…' if at else ''}{piece}{'…' if len(text) > at + SUMMARY_CHARACTERS else ''}"
