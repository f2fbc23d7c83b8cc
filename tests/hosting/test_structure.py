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
