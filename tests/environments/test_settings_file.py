from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mop.environments import RuntimeSettings, read_settings
from mop.errors import SettingsFileError


@pytest.mark.parametrize(
    ("text", "python", "pip"),
    [
        ("env:\n  python: 3.10\n  pip: 24.0\n", "3.10", "24.0"),
        ("env: {python: 3.11.7, pip: 22.3.1}", "3.11.7", "22.3.1"),
        ("\ufeffenv:\r\n  python: '3.8'\r\n  pip: \"9.0\"\r\n", "3.8", "9.0"),
        ("---\n# why\nenv:\n  pip: 24\n  python: 3.12\n...\n", "3.12", "24"),
    ],
)
def test_versions_stay_the_text_that_was_written(text: str, python: str, pip: str) -> None:
    assert read_settings(text.encode()) == RuntimeSettings(python=python, pip=pip)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "empty"),
        ("# nothing\n", 1, "empty"),
        ("3.11", 1, "must be a mapping"),
        ("- env", 1, "a list"),
        ("env:\n", 1, "env must be a mapping"),
        ("env: []", 1, "a list"),
        ("name: x\nenv:\n  python: 3.11\n  pip: 24.0", 1, "'name' is not known"),
        ("env:\n  python: 3.11\n", 2, "env.pip is missing"),
        ("env:\n  pip: 24.0\n", 2, "env.python is missing"),
        ("env:\n  python: 3.11\n  pip: 24.0\n  conda: 4", 4, "'conda' is not known"),
        ("env:\n  python: 3.11\n  python: 3.12\n  pip: 24.0", 3, "stands twice, first in line 2"),
        ("env:\n  python:\n  pip: 24.0", 2, "env.python is empty"),
        ("env:\n  python: [3.11]\n  pip: 24.0", 2, "not a version"),
        ("env:\n  python: three\n  pip: 24.0", 2, "'three'"),
        ("env:\n  python: 3\n  pip: 24.0", 2, "'3'"),
        ("env:\n  python: '>=3.8'\n  pip: 24.0", 2, "'>=3.8'"),
        ("env:\n  python: 3.11\n  pip: latest", 3, "'latest'"),
        ("env:\n  python: 3.11\n  pip: 24.0; rm", 3, "'24.0; rm'"),
        ("env:\n  python: 3.11\n  pip: 24.0+local", 3, "no index offers"),
        ("env: &e\n  python: 3.11\n  pip: 24.0", 1, "anchors"),
        ("env:\n  python: &v 3.11\n  pip: *v", 2, "anchors"),
        ("env:\n  python: !!str 3.11\n  pip: 24.0", 2, "tags"),
        ("env: !!python/object/apply:os.system [ls]", 1, "tags"),
        ("env:\n  python: 3.11\n  pip: 24.0\n---\nenv: {}", 4, "more than one document"),
        ("env:\n\tpython: 3.11", 2, "not valid YAML"),
        ("env:\n  python: 3.11\n  pip: 'open", 3, "not valid YAML"),
        ("env:\n  ? {a: b}\n  : c", 2, "a key must be a word"),
        ("env:\n  python: " + "[" * 30 + "]" * 30, 2, "nested deeper"),
        ("env:\n  python: 3.\x00", 1, "not valid YAML"),
    ],
)
def test_another_shape_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(SettingsFileError) as caught:
        read_settings(text.encode())
    assert reason in caught.value.message
    assert caught.value.place == f"src/settings.yml:{line}"
    assert caught.value.hint


def test_a_file_that_is_not_utf8_names_the_byte() -> None:
    with pytest.raises(SettingsFileError, match=r"byte 13 \(0xfc\) is not UTF-8") as caught:
        read_settings(b"env:\n# Gew\xe4\xfcrz"[:10] + b"\n#\xfc")
    assert caught.value.place == "src/settings.yml:3"


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(SettingsFileError, match="at most"):
        read_settings(b"#" * 100_000)


@settings(max_examples=150)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_whatever_the_file_holds_the_answer_is_settings_or_a_typed_error(text: bytes) -> None:
    assert settings_or_place(text)


yaml_like = st.lists(
    st.sampled_from(
        ["env:", "  python: ", "3.11", "\n", "  pip: 24.0", "&a ", "*a", "[", "]", "{", "}", "- ", "? ", "!t "]
    ),
    max_size=20,
)


@settings(max_examples=200)
@given(yaml_like)
def test_pieces_of_yaml_in_any_order_never_crash_the_reader(pieces: list[str]) -> None:
    assert settings_or_place("".join(pieces).encode())


def settings_or_place(text: bytes) -> RuntimeSettings | str | None:
    try:
        return read_settings(text)
    except SettingsFileError as error:
        return error.place
