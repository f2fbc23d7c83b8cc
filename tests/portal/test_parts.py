"""Small parts of ui: times, durations, sizes, navigation, static files."""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

import mop
from mop.areas.area import Area
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.cli.static_files import STAMP
from mop.ui.extensions import Sections, Tab, Tabs, extensions_at
from mop.ui.fragments import etag_of
from mop.ui.joined_files import ALL_SCRIPTS, ALL_STYLES, SCRIPT_FILES, SHEETS, STYLE_FILES
from mop.ui.storage import StaticStorage
from mop.ui.templatetags.mop_ui import duration, size, when
from support.areas import also_registered
from support.forked import run_python

STATIC = Path(mop.__file__).parent / "ui/static"
FIRST_VISIT_BYTES_MAX, PAGE_BYTES = 40_000, 8_500
SPARED_BY_BROTLI = 2_500


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.97, "10 s"),
        (59.4, "59 s"),
        (59.7, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_written_as_people_say_them(seconds: float | None, text: str):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(None, ""), (0, "0 B"), (512, "512 B"), (1536, "1.5 KiB"), (8 * 1024**3, "8 GiB")]
)
def test_sizes_are_written_in_binary_units(count: int | None, text: str):
    assert size(count) == text


def test_times_are_utc_with_the_exact_one_for_machines():
    moment = dt.datetime(2026, 8, 16, 17, 43, 5, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    html = when(moment)
    assert ">16 Aug 2026, 15:43 UTC<" in html
    assert 'datetime="2026-08-16T15:43:05+00:00"' in html


def test_an_etag_tells_states_apart_and_is_stable():
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert etag_of([1, "a", now]) == etag_of([1, "a", now])
    assert etag_of([1, "a"]) != etag_of([1, "b"])


def test_tabs_stand_in_their_order_and_mark_the_current_one():
    tabs = Tabs(lambda: [Tab("Later", "registry:upgrade", order=20), Tab("First", "registry:model", order=10)])
    shown = tabs.shown("registry:model", name="toxicity")
    assert [(tab.label, tab.url, tab.is_current) for tab in shown] == [
        ("First", "/models/toxicity/", True),
        ("Later", "/models/toxicity/upgrade/", False),
    ]


def test_sections_are_those_that_areas_show_in_the_place():
    elsewhere = PortalExtension(ExtensionPoint.TASK_SECTIONS, Ref(f"{__name__}:_echo"))
    here = PortalExtension(ExtensionPoint.REVISION_SECTIONS, Ref(f"{__name__}:_echo"))
    sections = Sections(extensions_at(ExtensionPoint.REVISION_SECTIONS))
    before = len(sections.found())
    with also_registered(Area(name="above", portal_extensions=(elsewhere, here))):
        assert sections.found()[before:] == [_echo]
        assert Sections(lambda: sections.found()[before:]).shown(None, "x") == ["x"]  # type: ignore[arg-type]
    assert len(sections.found()) == before


def _echo(_request: object, thing: str) -> str:
    return thing


def test_static_files_have_plain_names_before_they_are_gathered_and_hashed_ones_after(tmp_path: Path, settings: object):
    settings.STATIC_ROOT = tmp_path  # type: ignore[attr-defined] # pytest-django's settings
    assert StaticStorage().url("mop/css/tokens.css") == "/static/mop/css/tokens.css"
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin", "ninja*", "*.map", "ext"])
    url = StaticStorage().url("mop/css/tokens.css")
    assert url.startswith("/static/mop/css/tokens.")
    assert url != "/static/mop/css/tokens.css"
    assert (tmp_path / url.removeprefix("/static/")).is_file()
    assert (tmp_path / (url.removeprefix("/static/") + ".gz")).is_file()


@pytest.mark.django_db
def test_every_page_has_one_style_sheet_and_one_script_and_a_first_visit_takes_little(
    tmp_path: Path, settings: Any, client: Client
):
    settings.STATIC_ROOT = tmp_path
    address = "/errors/"
    names = re.compile(r'(?:href|src)="/static/([^"]+\.(?:css|js))"')
    before = names.findall(client.get(address).content.decode())
    assert before == [*STYLE_FILES, *SCRIPT_FILES]
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin", "ninja*", "*.map", "ext"])
    settings.STATIC_ROOT = str(tmp_path)  # set anew, it is read anew
    after = names.findall(client.get(address).content.decode())
    assert [re.sub(r"\.[0-9a-f]{12}\.", ".", name) for name in after] == [ALL_STYLES, ALL_SCRIPTS]
    joined = [tmp_path / name for name in after]
    styles, scripts = (path.read_text(encoding="utf-8") for path in joined)
    for name in SHEETS:  # nothing of a sheet is lost but comments, blanks and the last semicolon of a block
        sheet = (STATIC / f"mop/css/{name}.css").read_text(encoding="utf-8")
        assert re.sub(r"/\*.*?\*/|\s|;(?=\s*\})", "", sheet, flags=re.DOTALL) in re.sub(r"\s", "", styles)
    assert scripts.count('"use strict"') >= len(SCRIPT_FILES)
    assert "\n//" not in scripts
    icons, mark = tmp_path / "mop/icons.svg.gz", tmp_path / "mop/favicon.svg"
    for ending, most in (("gz", FIRST_VISIT_BYTES_MAX), ("br", FIRST_VISIT_BYTES_MAX - SPARED_BY_BROTLI)):
        compressed = [*(path.with_name(f"{path.name}.{ending}") for path in joined), icons, mark]
        assert sum(path.stat().st_size for path in compressed) < most - PAGE_BYTES
    assert {path.name.removesuffix(".br") for path in tmp_path.rglob("*.br")} >= {path.name for path in joined}
    assert not icons.with_name("icons.svg.br").exists()  # costly, and nothing is spared


OWN_PACKAGE = """
import sys
from pathlib import Path
from mop.cli import static_files
static_files.OF_PACKAGE = Path(sys.argv[1])
static_files.main(sys.argv[2:])
"""


def test_an_installation_copies_what_was_gathered_for_the_package_unless_the_sources_are_others(tmp_path: Path):
    package = tmp_path / "package"

    def gathered(home: str, *arguments: str) -> dict[str, int]:
        """Files with their times, which a copy keeps."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
        environment |= {"MOP_HOME": str(tmp_path / home), "DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
        done = run_python([sys.executable, "-c", OWN_PACKAGE, str(package), *arguments], env=environment)
        assert done.returncode == 0, done.stderr
        return times(package if arguments else tmp_path / home / "static")

    def times(root: Path) -> dict[str, int]:
        files = (path for path in root.rglob("*") if path.is_file() and path.name != STAMP)
        return {str(path.relative_to(root)): path.stat().st_mtime_ns for path in files}

    built = gathered("builder", "--for-package")
    assert any(name.endswith(".css.gz") for name in built)
    assert gathered("first") == built
    (package / STAMP).write_text("of other sources")
    anew = gathered("second")
    assert anew.keys() == built.keys()
    assert anew != built
