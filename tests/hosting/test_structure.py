from __future__ import annotations

from pathlib import Path

import pytest

from mop.errors import ModelStructureError
from mop.hosting.structure import REQUIRED_FILES, check_structure
from support.model_folders import write_model

WHEEL_MAX = 1000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "m")


def test_a_whole_folder_has_its_parts(folder: Path):
    model = check_structure(folder, wheel_bytes_max=WHEEL_MAX)
    assert (model.src, model.model, model.private_packages) == (folder / "src", folder / "model", None)
    assert model.warnings == ()


@pytest.mark.parametrize("name", REQUIRED_FILES)
def test_each_required_file_is_missed_by_name(folder: Path, name: str):
    (folder / name).unlink()
    with pytest.raises(ModelStructureError, match=f"{name} is missing. The folder holds model/, src/."):
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)


def test_a_folder_in_the_place_of_a_file_is_no_file(folder: Path):
    (folder / "src/settings.yml").unlink()
    (folder / "src/settings.yml").mkdir()
    with pytest.raises(ModelStructureError, match=r"src/settings\.yml is missing"):
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)


def test_a_model_folder_of_folders_alone_is_empty(folder: Path):
    (folder / "model/words.txt").unlink()
    (folder / "model/deep/er").mkdir(parents=True)
    with pytest.raises(ModelStructureError, match=r"^model/ is empty\.$"):
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)


def test_a_checkpoint_may_lie_deeper(folder: Path):
    (folder / "model/words.txt").unlink()
    (folder / "model/deep").mkdir()
    (folder / "model/deep/weights.bin").write_bytes(b"1")
    assert check_structure(folder, wheel_bytes_max=WHEEL_MAX).model == folder / "model"


def test_a_folder_one_level_too_high_says_what_it_holds(tmp_path: Path):
    write_model(tmp_path / "outer/m")
    with pytest.raises(ModelStructureError, match=r"model/ is missing\. The folder holds m/\.") as raised:
        check_structure(tmp_path / "outer", wheel_bytes_max=WHEEL_MAX)
    assert raised.value.also == tuple(f"{name} is missing" for name in REQUIRED_FILES)


def test_an_empty_folder_holds_nothing(tmp_path: Path):
    with pytest.raises(ModelStructureError, match="The folder holds nothing"):
        check_structure(tmp_path, wheel_bytes_max=WHEEL_MAX)


def test_a_private_wheel_over_the_limit_is_named_with_both_sizes(folder: Path):
    (folder / "privatepkgs").mkdir()
    (folder / "privatepkgs/big-1.0-py3-none-any.whl").write_bytes(b"x" * (WHEEL_MAX + 1))
    (folder / "privatepkgs/just-1.0-py3-none-any.whl").write_bytes(b"x" * WHEEL_MAX)
    with pytest.raises(ModelStructureError, match=r"big-1.0-py3-none-any.whl has 1,001 bytes; .* 1,000") as raised:
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)
    assert raised.value.also == ()


def test_what_is_not_a_wheel_in_privatepkgs_warns(folder: Path):
    for name in ("good-1.0-py3-none-any.whl", "deep/hidden-1.0-py3-none-any.whl", *(f"note{n}.txt" for n in range(6))):
        path = folder / "privatepkgs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    model = check_structure(folder, wheel_bytes_max=WHEEL_MAX)
    assert model.private_packages == folder / "privatepkgs"
    (warning,) = model.warnings
    assert "privatepkgs/deep/hidden-1.0-py3-none-any.whl" in warning
    assert "good-1.0" not in warning
    assert warning.endswith("...")


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 402653184\n"


@pytest.mark.parametrize("name", ["model/classifier.pkl", "model/words.txt", "src/lexicon.csv", "privatepkgs/a.whl"])
def test_a_pointer_of_git_lfs_names_the_command_that_fetches_the_file(folder: Path, name: str):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(POINTER)
    with pytest.raises(ModelStructureError, match=f"{name} is a Git LFS pointer") as raised:
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)
    assert "git lfs pull" in raised.value.hint
    assert raised.value.place == name


def test_every_pointer_is_named_and_a_text_about_pointers_is_none(folder: Path):
    for name in ("a.bin", "b.bin", "c.safetensors"):
        (folder / "model" / name).write_text(POINTER)
    (folder / "model/about.md").write_text(POINTER + "x" * 1024)
    (folder / "model/short.md").write_text("version https://git-lfs")
    with pytest.raises(ModelStructureError, match=r"model/a\.bin") as raised:
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)
    assert [one.split()[0] for one in raised.value.also] == ["model/b.bin", "model/c.safetensors"]


@pytest.mark.parametrize("name", ["classifier.pkl", "deep/model.SAFETENSORS", "weights.h5"])
def test_an_empty_checkpoint_is_told(folder: Path, name: str):
    (folder / "model" / name).parent.mkdir(exist_ok=True)
    (folder / "model" / name).touch()
    with pytest.raises(ModelStructureError, match=rf"^model/{name} is empty\.$") as raised:
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)
    assert "upload it again" in raised.value.hint


def test_empty_files_that_are_no_checkpoints_are_fine(folder: Path):
    for name in ("model/.gitkeep", "model/special_tokens.txt", "src/__init__.py", "src/data.bin"):
        (folder / name).touch()
    check_structure(folder, wheel_bytes_max=WHEEL_MAX)


@pytest.mark.parametrize(
    ("wanted", "there", "hint"),
    [
        ("src/settings.yml", "src/settings.yaml", "Rename src/settings.yaml to src/settings.yml."),
        ("src/settings.yml", "src/Settings.YML", "Rename src/Settings.YML to src/settings.yml."),
        ("src/settings.yml", "src/settings.yml.txt", "Rename src/settings.yml.txt to src/settings.yml."),
        ("src/settings.yml", "src/setting.yml", "Rename src/setting.yml to src/settings.yml."),
        ("src/settings.yml", "settings.yml", "Move settings.yml to src/settings.yml."),
        ("src/requirements.txt", "src/requirement.txt", "Rename src/requirement.txt to src/requirements.txt."),
        ("src/requirements.txt", "model/requirements.txt", "Move model/requirements.txt to src/requirements.txt."),
        ("src/inference.py", "src/Inference.py", "Rename src/Inference.py to src/inference.py."),
        ("model", "models", "Rename models to model."),
        ("model", "Model", "Rename Model to model."),
        ("model", "checkpoints", "Rename checkpoints to model."),
    ],
)
def test_a_near_name_in_the_place_of_a_missing_part_is_to_be_renamed(folder: Path, wanted: str, there: str, hint: str):
    (folder / wanted).rename(folder / there)
    with pytest.raises(ModelStructureError, match=f"{wanted}/? is missing, but there is {there}") as raised:
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)
    assert raised.value.hint == hint


def test_a_folder_src_of_other_capitals_is_to_be_renamed(folder: Path):
    (folder / "src").rename(folder / "Src")
    with pytest.raises(ModelStructureError) as raised:
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)
    assert raised.value.hint == "Rename Src to src."


@pytest.mark.parametrize("there", ["src/inference.ipynb", "src/inference.pyc", "src/readme.md"])
def test_what_is_something_else_is_no_near_name(folder: Path, there: str):
    (folder / "src/inference.py").rename(folder / there)
    with pytest.raises(ModelStructureError, match=r"src/inference\.py is missing\. ") as raised:
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)
    assert raised.value.hint == ModelStructureError.default_hint


@pytest.mark.parametrize("name", ["mop_utils", "mop_utils.py"])
def test_a_copy_of_the_sdk_is_to_be_removed(folder: Path, name: str):
    (folder / "src" / name).touch() if name.endswith(".py") else (folder / "src" / name).mkdir()
    with pytest.raises(ModelStructureError, match=f"src/{name} hides the package mop-utils") as raised:
        check_structure(folder, wheel_bytes_max=WHEEL_MAX)
    assert raised.value.hint.startswith(f"Remove src/{name};")
