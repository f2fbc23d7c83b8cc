"""The gallery's folders that Git cannot hold: links, pipes, other encodings, wheels, very many files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from environments.packages import wheel, write

GOOD = Path(__file__).parents[2] / "samples" / "variants" / "helper-modules"


@dataclass(frozen=True)
class MadeFolder:
    """A way to break a good model folder, and what MOP says about it.

    Attributes:
        did: what the contributor did, for the guide's table.
        spoil: does it to a copy of a good folder.
        error: catalogue name.
        contains: a part of the message.
        hint: the whole hint.
        place: the whole place.
    """

    did: str
    spoil: Callable[[Path], object]
    error: str
    contains: str
    hint: str
    place: str | None

    def make(self, folder: Path) -> Path:
        """The spoilt folder, at `folder`."""
        shutil.copytree(GOOD, folder)
        self.spoil(folder)
        return folder


def _latin_1(name: str, line: str) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = folder / "src" / name
        path.write_bytes(line.encode("latin-1") + path.read_bytes())

    return spoil


def _private_wheel(*, tag: str = "py3-none-any") -> Callable[[Path], object]:
    return lambda folder: write(folder / "privatepkgs", wheel("gallery-words", "1.0", tag=tag))


def _copied_wheel(folder: Path) -> None:
    name, content = wheel("gallery-words", "1.0")
    write(folder / "privatepkgs", (name.replace(".whl", " (1).whl"), content))


def _also_required(folder: Path) -> None:
    _private_wheel()(folder)
    with (folder / "src" / "requirements.txt").open("a", encoding="utf-8") as file:
        file.write("gallery-words==1.0\n")


def _damaged_wheel(folder: Path) -> None:
    name, content = wheel("gallery-words", "1.0")
    write(folder / "privatepkgs", (name, content[: len(content) // 2]))


def _many_files(folder: Path) -> None:
    files = sum(path.is_file() for path in folder.rglob("*"))
    for number in range(10_001 - files):
        (folder / "model" / f"{number}.bin").touch()


MADE = {
    "inference-in-latin-1": MadeFolder(
        did="saved inference.py as Latin-1 without saying so",
        spoil=_latin_1("inference.py", "LANGUAGE = 'français'\n"),
        error="UserScriptException",
        contains="src/inference.py line 1 raised SyntaxError: (unicode error) 'utf-8' codec can't decode byte 0xe7",
        hint="Save the file as UTF-8, or name its encoding in the first line: `# -*- coding: latin-1 -*-`.",
        place="src/inference.py:1",
    ),
    "requirements-in-latin-1": MadeFolder(
        did="saved requirements.txt as Latin-1",
        spoil=_latin_1("requirements.txt", "# für Wörter\n"),
        error="RequirementsFileError",
        contains="byte 4 of the line (0xfc) is not UTF-8",
        hint="Save the file as UTF-8.",
        place="src/requirements.txt:1",
    ),
    "settings-in-latin-1": MadeFolder(
        did="saved settings.yml as Latin-1",
        spoil=_latin_1("settings.yml", "# für Wörter\n"),
        error="SettingsFileError",
        contains="byte 4 (0xfc) is not UTF-8",
        hint="Save the file as UTF-8.",
        place="src/settings.yml:1",
    ),
    "wheel-of-another-python": MadeFolder(
        did="put a wheel for another Python into privatepkgs/",
        spoil=_private_wheel(tag="cp38-cp38-manylinux_2_17_x86_64"),
        error="EnvironmentBuildError",
        contains="it is made for cp38-cp38-manylinux_2_17_x86_64 and does not fit Python 3.11",
        hint="Build the wheel for this Python, or change env.python in src/settings.yml.",
        place="privatepkgs/gallery_words-1.0-cp38-cp38-manylinux_2_17_x86_64.whl",
    ),
    "wheel-of-another-platform": MadeFolder(
        did="put a wheel for Windows into privatepkgs/",
        spoil=_private_wheel(tag="py3-none-win_amd64"),
        error="EnvironmentBuildError",
        contains="it is made for py3-none-win_amd64 and does not fit",
        hint="Build the wheel for Linux on this kind of processor, or upload one of any platform (py3-none-any).",
        place="privatepkgs/gallery_words-1.0-py3-none-win_amd64.whl",
    ),
    "wheel-copied-by-a-browser": MadeFolder(
        did="uploaded a private wheel under the name that a browser gave to its second download",
        spoil=_copied_wheel,
        error="EnvironmentBuildError",
        contains="'(1)' in its name is from a browser",
        hint="Rename it to gallery_words-1.0-py3-none-any.whl.",
        place="privatepkgs/gallery_words-1.0-py3-none-any (1).whl",
    ),
    "wheel-damaged": MadeFolder(
        did="uploaded half of a private wheel",
        spoil=_damaged_wheel,
        error="EnvironmentBuildError",
        contains="it is no readable wheel",
        hint="Upload the wheel again.",
        place="privatepkgs/gallery_words-1.0-py3-none-any.whl",
    ),
    "private-wheel-also-required": MadeFolder(
        did="listed a private wheel in requirements.txt too",
        spoil=_also_required,
        error="RequirementsFileError",
        contains="gallery-words is also the private wheel privatepkgs/gallery_words-1.0-py3-none-any.whl",
        hint="Remove the line, or the wheel: a private wheel is not listed in requirements.txt.",
        place="src/requirements.txt:2",
    ),
    "link-out-of-the-folder": MadeFolder(
        did="left a symbolic link in the folder",
        spoil=lambda folder: (folder / "model" / "more.txt").symlink_to("/etc/hostname"),
        error="ModelStructureError",
        contains="'model/more.txt' is a symbolic link",
        hint="Replace it by a regular file, or delete it.",
        place="'model/more.txt'",
    ),
    "linked-folder": MadeFolder(
        did="put a symbolic link to another folder in place of model/",
        spoil=lambda folder: (shutil.rmtree(folder / "model"), (folder / "model").symlink_to("/etc")),
        error="ModelStructureError",
        contains="'model' is a symbolic link",
        hint="Replace it by a regular file, or delete it.",
        place="'model'",
    ),
    "pipe-in-the-folder": MadeFolder(
        did="left a named pipe in the folder",
        spoil=lambda folder: os.mkfifo(folder / "model" / "words.pipe"),
        error="ModelStructureError",
        contains="'model/words.pipe' is a named pipe",
        hint="Replace it by a regular file, or delete it.",
        place="'model/words.pipe'",
    ),
    "too-many-files": MadeFolder(
        did="uploaded 10,001 files",
        spoil=_many_files,
        error="ModelStructureError",
        contains="10,000 files",
        hint="Keep the model folder to at most 10,000 files, for example by packing data files together.",
        place=None,
    ),
    "name-with-a-backslash": MadeFolder(
        did="uploaded a file whose name has a backslash",
        spoil=lambda folder: (folder / "model" / "de\\words.txt").touch(),
        error="ModelStructureError",
        contains="a backslash",
        hint="Rename or delete the file in the model folder and onboard it again.",
        place="'model/de\\\\words.txt': the name holds a backslash (U+005C)",
    ),
}
