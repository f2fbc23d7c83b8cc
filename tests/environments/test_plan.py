from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from environments.conftest import MakeModel, Model
from environments.packages import wheel, write
from mop.environments.plan import make_plan
from mop.errors import RequirementsFileError, SettingsFileError


def key(model: Model, **changes: object) -> str:
    return make_plan(model.src, model.wheels, config=dataclasses.replace(model.config, **changes)).key


def test_the_key_is_the_same_for_the_same_content_wherever_it_lies(make_model: MakeModel) -> None:
    first, second = make_model("six\nmop-utils"), make_model("# same\nMOP_Utils\r\n\r\nSix  # later")
    for model in (first, second):
        write(model.wheels, wheel("tiny", "1.0"))
    assert key(first) == key(second)
    assert len(key(first)) == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda model: (model.src / "requirements.txt").write_text("six==1.0"),
        lambda model: (model.src / "requirements.txt").write_text("six[extra]"),
        lambda model: (model.src / "requirements.txt").write_text("six; python_version > '3'"),
        lambda model: (model.src / "requirements.txt").write_text(f"six --hash=sha256:{'0' * 64}"),
        lambda model: (model.src / "requirements.txt").write_text("six\nmop-utils==2.0"),
        lambda model: (model.src / "settings.yml").write_text(
            (model.src / "settings.yml").read_text().replace("24.0", "23.0")
        ),
        lambda model: write(model.wheels, wheel("tiny", "1.0")),
    ],
)
def test_whatever_changes_the_content_changes_the_key(make_model: MakeModel, change: Callable[[Model], object]) -> None:
    model = make_model("six")
    before = key(model)
    change(model)
    assert key(model) != before


def test_a_private_wheel_of_the_same_name_and_other_content_is_another_key(make_model: MakeModel) -> None:
    first, second = make_model("six"), make_model("six")
    write(first.wheels, wheel("tiny", "1.0"))
    write(second.wheels, wheel("tiny", "1.0", files={"tiny/__init__.py": "version = 'rebuilt'\n"}))
    assert key(first) != key(second)


def test_another_index_is_another_key_and_other_credentials_are_not(make_model: MakeModel) -> None:
    model = make_model("six")
    plain = key(model, index_url="https://packages.example/simple/")
    assert plain == key(model, index_url="https://user:secret@packages.example/simple")
    assert plain != key(model, index_url="https://other.example/simple")


def test_a_missing_or_linked_file_is_named(make_model: MakeModel) -> None:
    model = make_model("six")
    (model.src / "requirements.txt").unlink()
    with pytest.raises(RequirementsFileError, match=r"requirements\.txt is missing"):
        key(model)
    (model.src / "requirements.txt").symlink_to("/etc/passwd")
    with pytest.raises(RequirementsFileError, match="is a link"):
        key(model)
    (model.src / "settings.yml").unlink()
    (model.src / "settings.yml").mkdir()
    with pytest.raises(SettingsFileError, match="is a folder"):
        key(model)


def test_a_private_mop_utils_takes_the_place_of_ours(make_model: MakeModel) -> None:
    model = make_model("six")
    write(model.wheels, wheel("mop-utils", "2.9"))
    plan = make_plan(model.src, model.wheels, config=model.config)
    assert plan.sdk_wheel is None
    assert any("private wheel" in note for note in plan.notes)


def test_a_private_wheel_that_needs_an_old_mop_utils_gets_the_public_one(make_model: MakeModel) -> None:
    model = make_model("mop-utils>=2.0")
    write(model.wheels, wheel("needy", "1.0", requires=("mop_utils<3",)))
    assert make_plan(model.src, model.wheels, config=model.config).sdk_wheel is None
