"""The style sheets: every class that they name is used, and every file that stands there is loaded."""

from __future__ import annotations

import re
from pathlib import Path

import mop
from mop.ui import joined_files

ROOT = Path(mop.__file__).parent
SHEETS = ROOT / "ui/static/mop/css"
STATIC = ROOT / "ui/static"
# pages put these together from a tone, a number or a place
MADE = re.compile(r"(t|st|tag|note|is|c|h|span|l)-{1,2}[a-z0-9-]+|c[1-6]|h[0-9]|chart__(line|mark)--(dash-)?[0-9]")
# components of the design that areas to come draw with
TO_COME = {
    *("seg", "card-side", "heat", "band", "chart--scroll", "charts--3", "select--s", "input--bad", "field__error"),
    *("ci__axis", "ci__bar", "ci__dot", "ci__ref", "ci__thr"),
    *("g-axis", "g-end", "g-label", "g-line", "g-mid", "g-on", "g-ref", "g-strong", "g-text"),
}

FORMER = {
    "button": "btn",
    "button--primary": "btn--primary",
    "button--danger": "btn--danger",
    "icon-button": "ib",
    "grid": "tbl",
    "grid--lines": "tbl--lines",
    "wraps": "wrap",
    "chips": "wrap",
    "chip": "tag",
    "badge": "tag",
    "quiet": "q",
    "visually-hidden": "vh",
    "columns": "cols",
    "filters": "bar",
    "field--grow": "grow",
    "notice": "note",
    "notice--warning": "note--warn",
    "notice--error": "note--bad",
    "notice--success": "note--ok",
    "head__actions": "head__end",
    "sort__mark": "q",
    "is-selected": "is-on",
    "timeline": "line",
}


def classes(sheet: Path) -> set[str]:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {
        name for selector in re.findall(r"([^{}]+)\{", text) for name in re.findall(r"\.([A-Za-z][\w-]*)", selector)
    }


def test_every_class_of_a_style_sheet_is_used():
    used: set[str] = set()
    for kind in ("html", "py", "js"):
        for path in ROOT.rglob(f"*.{kind}"):
            used |= set(re.findall(r"[A-Za-z][\w-]*", path.read_text(encoding="utf-8")))
    dead = {
        f"{sheet.name}: {name}"
        for sheet in SHEETS.glob("*.css")
        for name in classes(sheet) - used - TO_COME
        if not MADE.fullmatch(name)
    }
    assert not dead


def test_every_style_sheet_is_loaded_and_short_enough_to_read():
    assert {f"{name}.css" for name in joined_files.SHEETS} == {sheet.name for sheet in SHEETS.glob("*.css")}
    for sheet in SHEETS.glob("*.css"):
        assert len(sheet.read_text(encoding="utf-8").splitlines()) <= 500, sheet.name


def test_templates_name_components_and_no_former_class():
    found = {
        f"{path.relative_to(ROOT)}: write {FORMER[name]} for {name}"
        for path in ROOT.rglob("*.html")
        for given in re.findall(r'class="([^"]*)"', path.read_text(encoding="utf-8"))
        for name in re.findall(r"(?<![\w-])[a-z][\w-]*", re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", given))
        if name in FORMER
    }
    assert not found
