from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.errors import ModelStructureError
from mop.file_names import name_fault
from mop.storage.names import check_names


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("..", "segment '..'"),
        ("a/../b", "segment '..'"),
        ("./a", "segment '.'"),
        ("a//b", "empty segment"),
        ("a/", "empty segment"),
        ("a\\b", "backslash"),
        ("a\nb", "control character (U+000A)"),
        ("a\x00b", "control character (U+0000)"),
        ("a\x7f", "control character (U+007F)"),
        ("a\x9b", "control character (U+009B)"),
        ("a\u2028b", "line separator"),
        ("model\u202egpj.exe", "reorders text"),
        ("é" * 128, "255 bytes"),
        ("/".join(["a" * 200] * 6), "1024 bytes"),
        ("bad\udcff", "UTF-8"),
    ],
)
def test_a_hostile_name_is_refused_with_its_fault(path: str, fault: str) -> None:
    with pytest.raises(ModelStructureError) as caught:
        check_names(["src/inference.py", path])
    assert fault in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("path", ["a", "..a", "a..", "...", "model/weights (1).bin", "модель/ö.txt", "é" * 127, "a%2e"])
def test_an_ordinary_name_is_accepted(path: str) -> None:
    check_names([path])


def test_a_name_that_is_both_file_and_folder_is_refused_naming_both() -> None:
    with pytest.raises(
        ModelStructureError, match=r"'model/a': the name is both a file and a folder \(of 'model/a/b/c'\)"
    ):
        check_names(["model/a/b/c", "model/a"])


def test_a_name_listed_twice_is_refused() -> None:
    with pytest.raises(ModelStructureError, match="listed twice"):
        check_names(["a", "b", "a"])


def test_the_further_faults_are_listed_but_bounded() -> None:
    with pytest.raises(ModelStructureError) as caught:
        check_names([f"../{number}" for number in range(1000)])
    assert "'../0'" in caught.value.message
    assert len(caught.value.also) == 19
    assert "'../1'" in caught.value.also[0]


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_an_accepted_name_stays_inside_its_folder_and_on_one_line(path: str) -> None:
    if name_fault(path) is not None:
        return
    segments = path.split("/")
    assert all(segment not in {"", ".", ".."} for segment in segments)
    assert all(0 < len(segment.encode()) <= 255 for segment in segments)
    assert len(path.splitlines()) == 1
    assert "\\" not in path
    assert "\0" not in path


@given(st.lists(st.sampled_from([".", "..", "", "a", "b\\", "c\x01", "d" * 256]), min_size=1, max_size=6))
def test_any_hostile_segment_anywhere_refuses_the_path(segments: list[str]) -> None:
    accepted = name_fault("/".join(segments)) is None
    assert accepted == (set(segments) == {"a"})
