from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from environments.packages import wheel, write
from mop.environments.private_wheels import PrivateWheel, check_private_wheels, read_private_wheels
from mop.environments.requirements_file import check_requirements
from mop.errors import EnvironmentBuildError, ModelStructureError, RequirementsFileError

LIMIT = 1_000_000


def read(folder: Path) -> list[PrivateWheel]:
    return read_private_wheels(folder, bytes_max=LIMIT)


def test_no_folder_is_no_wheels(tmp_path: Path) -> None:
    assert read(tmp_path / "missing") == []
    assert read_private_wheels(None, bytes_max=LIMIT) == []


def test_files_that_are_no_wheels_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("hello")
    write(tmp_path / "deeper", wheel("tiny", "1.0"))
    assert read(tmp_path) == []


def test_name_version_requirements_and_start_up_hooks_are_read(tmp_path: Path) -> None:
    files = {
        "a.py": "",
        "a.pth": "import os",
        "sitecustomize.py": "",
        "deep/b.pth": "",
        "A_B-1.0.data/purelib/c.pth": "",
    }
    write(tmp_path, wheel("A_B", "1.0", requires=("numpy>=1",), headers="Requires-Python: >=3.8\n", files=files))
    (one,) = read(tmp_path)
    assert (one.name, one.version, one.requires_python) == ("a-b", "1.0", ">=3.8")
    assert [str(requirement) for requirement in one.requires] == ["numpy>=1"]
    assert one.start_up_hooks == ("a.pth", "sitecustomize.py", "A_B-1.0.data/purelib/c.pth")


@pytest.mark.parametrize(
    ("tag", "python", "fits"),
    [
        ("py3-none-any", "3.8.18", True),
        ("py2.py3-none-any", "3.13.0", True),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "3.11.7", True),
        ("cp38-abi3-manylinux_2_17_x86_64", "3.11.7", True),
        ("cp39-cp39-manylinux_2_17_x86_64", "3.11.7", False),
        ("cp312-abi3-manylinux_2_17_x86_64", "3.11.7", False),
        ("cp311-cp311-win_amd64", "3.11.7", False),
        ("cp311-cp311-macosx_11_0_arm64", "3.11.7", False),
        ("pp311-pypy311_pp73-manylinux_2_17_x86_64", "3.11.7", False),
    ],
)
def test_a_wheel_must_fit_the_chosen_python(tmp_path: Path, tag: str, python: str, *, fits: bool) -> None:
    write(tmp_path, wheel("tiny", "1.0", tag=tag))
    wheels = read(tmp_path)
    if fits:
        check_private_wheels(wheels, [], python_version=python)
        return
    with pytest.raises(EnvironmentBuildError, match=f"does not fit Python {python}") as caught:
        check_private_wheels(wheels, [], python_version=python)
    assert caught.value.place == f"privatepkgs/tiny-1.0-{tag}.whl"


def test_a_wheel_that_requires_another_python_is_refused(tmp_path: Path) -> None:
    write(tmp_path, wheel("tiny", "1.0", headers="Requires-Python: >=3.12\n"))
    with pytest.raises(EnvironmentBuildError, match=r"requires Python >=3\.12, settings\.yml gives 3\.11\.7"):
        check_private_wheels(read(tmp_path), [], python_version="3.11.7")


def test_a_wheel_that_requirements_list_too_names_the_line(tmp_path: Path) -> None:
    write(tmp_path, wheel("tiny_thing", "1.0"))
    with pytest.raises(RequirementsFileError) as caught:
        check_private_wheels(read(tmp_path), check_requirements(b"six\nTiny.Thing==1.0"), python_version="3.11.7")
    assert caught.value.place == "src/requirements.txt:2"


def test_links_folders_and_too_large_wheels_break_the_structure(tmp_path: Path) -> None:
    for name, make in {
        "folder": lambda path: (path / "x-1.0-py3-none-any.whl").mkdir(),
        "link": lambda path: (path / "x-1.0-py3-none-any.whl").symlink_to("/etc/passwd"),
        "large": lambda path: (path / "x-1.0-py3-none-any.whl").write_bytes(b"0" * (LIMIT + 1)),
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        make(folder)
        with pytest.raises(ModelStructureError):
            read(folder)


def test_damaged_and_renamed_wheels_are_refused_by_name(tmp_path: Path) -> None:
    _, content = wheel("tiny", "1.0")
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    for name, data, reason in [
        ("tiny-1.0-py3-none-any.whl", b"not a zip", "no readable wheel"),
        ("tiny-1.0-py3-none-any.whl", content[: len(content) // 2], "no readable wheel"),
        ("tiny-1.0-py3-none-any.whl", empty.getvalue(), "0 .*METADATA"),
        ("tiny-2.0-py3-none-any.whl", content, "file name says tiny 2.0, its METADATA tiny 1.0"),
        ("other-1.0-py3-none-any.whl", content, "file name says other"),
        ("tiny.whl", content, "Invalid wheel filename"),
    ]:
        path = write(tmp_path, (name, data))
        with pytest.raises(EnvironmentBuildError, match=reason) as caught:
            read(tmp_path)
        assert caught.value.place == f"privatepkgs/{name}"
        path.unlink()


def test_two_wheels_of_one_package_are_refused(tmp_path: Path) -> None:
    write(tmp_path, wheel("tiny", "1.0"))
    write(tmp_path, wheel("tiny", "2.0"))
    with pytest.raises(EnvironmentBuildError, match="holds tiny twice"):
        read(tmp_path)


def test_metadata_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb-1.0.dist-info/METADATA", b"Name: bomb\n" + b"#" * 50_000_000)
    with pytest.raises(EnvironmentBuildError, match="METADATA is larger"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("../outside.py", "'..'"),
        ("tiny/../../outside.py", "'..'"),
        ("/etc/outside", "absolute"),
        ("tiny\\..\\outside.py", "backslash"),
        ("tiny-1.0.data/data/../../../outside", "'..'"),
        ("tiny-1.0.data/scripts/./python", "'.'"),
        ("tiny//outside.py", "empty segment"),
        ("tiny/a\nb.py", "control character"),
        ("tiny/a.py\0.txt", "control character"),
    ],
)
def test_a_wheel_with_a_file_outside_the_environment_is_refused_by_its_listing(
    tmp_path: Path, member: str, reason: str
) -> None:
    name, content = wheel("tiny", "1.0")
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = info.orig_filename = member  # as it is: the constructor would tidy it
        archive.writestr(info, "was here")
    write(tmp_path, (name, buffer.getvalue()))
    with pytest.raises(EnvironmentBuildError, match=r"tiny-1\.0-py3-none-any\.whl: it holds ") as caught:
        read(tmp_path)
    assert reason in caught.value.message


def test_a_wheel_with_a_link_is_refused(tmp_path: Path) -> None:
    name, content = wheel("tiny", "1.0")
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo("tiny/link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    write(tmp_path, (name, buffer.getvalue()))
    with pytest.raises(EnvironmentBuildError, match="tiny/link': it is a link or a device"):
        read(tmp_path)


@pytest.mark.parametrize("mark", [" (1)", "(2)", " - Copy", " - Copy (3)", " copy", " copy 2"])
@pytest.mark.parametrize("tag", ["py3-none-any", "cp311-cp311-manylinux_2_17_x86_64"])
def test_a_copy_that_a_browser_named_is_to_be_renamed(tmp_path: Path, mark: str, tag: str) -> None:
    name, content = wheel("tonewords", "1.0", tag=tag)
    write(tmp_path, (name.replace(".whl", f"{mark}.whl"), content))
    with pytest.raises(EnvironmentBuildError, match="browser or file manager") as raised:
        read(tmp_path)
    assert raised.value.hint == f"Rename it to {name}."
