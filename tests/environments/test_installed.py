"""What an environment holds, by its metadata files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop.environments.installed import Installed, read_installed


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    return folder


def add(site: Path, name: str, metadata: str | None) -> Path:
    folder = site / f"{name}.dist-info"
    folder.mkdir()
    if metadata is not None:
        (folder / "METADATA").write_text(metadata)
    return folder


def test_a_distribution_has_name_version_and_what_it_asks_for(site: Path, tmp_path: Path):
    add(site, "Zope.Interface-7.0", "Name: Zope.Interface\nVersion: 7.0\nRequires-Dist: Six>=1; extra == 'x'\n")
    assert read_installed(tmp_path) == [Installed("zope-interface", "7.0", frozenset({"six"}))]


@pytest.mark.parametrize("metadata", [None, "", "Name: other\n", "\x00\xff", "Version: 1\n"])
def test_a_distribution_without_readable_metadata_is_there_under_its_folders_name(
    metadata: str | None, site: Path, tmp_path: Path
):
    add(site, "Odd_one-1.2", metadata)
    assert read_installed(tmp_path) == [Installed("odd-one", "1.2", frozenset())]


def test_metadata_that_is_a_link_is_not_followed(site: Path, tmp_path: Path):
    (tmp_path / "elsewhere").write_text("Name: secret\nVersion: 9\n")
    (add(site, "linked-1.0", None) / "METADATA").symlink_to(tmp_path / "elsewhere")
    (site / "gone-1.0.dist-info").symlink_to(tmp_path)
    (site / "file-1.0.dist-info").write_text("no folder")
    assert read_installed(tmp_path) == [Installed("linked", "1.0", frozenset())]
