"""docs/architecture.md names what exists: every path, every function in its file, every folder of src/mop."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "mop"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|html|js|toml))")
FLOW_ROW = re.compile(r"^\| \d+ \| `([^`]+)` \|([^|]*)\|", flags=re.MULTILINE)
# what files of several areas are called
FILES_OF_AN_AREA = re.compile(r"(area|models|services|selectors|rules|workflows|api|views)\.py")


def paths() -> set[str]:
    return {word for word in QUOTED.findall(PAGE) if PATH.fullmatch(word) and not FILES_OF_AN_AREA.fullmatch(word)}


def test_every_path_exists():
    assert len(paths()) > 100
    assert [path for path in sorted(paths()) if not ((SOURCE / path).exists() or (ROOT / path).exists())] == []


def test_every_linked_page_exists():
    links = re.findall(r"\]\(([^)#]+)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []


def test_every_folder_of_the_source_has_its_line():
    folders = {folder.parent.name for folder in SOURCE.glob("*/__init__.py")}
    described = set(re.findall(r"^\| `(\w+)/` \| \S", PAGE, flags=re.MULTILINE))
    assert described == folders


def test_the_functions_of_each_flow_stand_in_their_files():
    rows = FLOW_ROW.findall(PAGE)
    assert len(rows) > 100
    missing = []
    for path, functions in rows:
        text = (SOURCE / path).read_text(encoding="utf-8")
        names = [name for function in QUOTED.findall(functions) for name in function.split(".")]
        missing += [f"{path}: {name}" for name in names if not re.search(rf"\b{name}\b", text)]
    assert missing == []


def test_the_rows_of_each_flow_are_numbered():
    for flow in re.split(r"^## ", PAGE, flags=re.MULTILINE):
        numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", flow, flags=re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1))
