from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mop.environments import check_requirements
from mop.environments.requirements_file import Requirement, read_requirements
from mop.errors import RequirementsFileError

SHA = "a" * 64


def test_ordinary_files_are_read_with_their_line_numbers() -> None:
    text = (
        "\ufeff# tools\r\n"
        "Scikit_Learn == 1.5.0  # pinned\r\n"
        "\r\n"
        "numpy>=1.24,<2; python_version < '3.12'\r\n"
        "requests[socks, security]==2.32.0 \\\r\n"
        "    ; sys_platform == 'linux'\r\n"
        "six"
    )
    read = check_requirements(text.encode())
    assert [(one.name, one.line, one.text) for one in read] == [
        ("scikit-learn", 2, "scikit-learn==1.5.0"),
        ("numpy", 4, 'numpy<2,>=1.24; python_version < "3.12"'),
        ("requests", 5, 'requests[security,socks]==2.32.0; sys_platform == "linux"'),
        ("six", 7, "six"),
    ]


def test_an_empty_file_asks_for_nothing() -> None:
    assert check_requirements(b"") == []
    assert check_requirements(b"# later\n\n") == []


def test_hashes_are_kept() -> None:
    (one,) = check_requirements(f"six==1.16.0 \\\n  --hash=sha256:{SHA} \\\n  --hash sha256:{'B' * 64}\n".encode())
    assert one.line_text() == f"six==1.16.0 --hash=sha256:{SHA} --hash=sha256:{'b' * 64}"


def test_an_allowed_extra_index_is_taken_and_another_is_not() -> None:
    text = b"--extra-index-url https://Packages.example/simple/\nsix"
    read = read_requirements(text, allowed_indexes=("https://packages.example/simple",))
    assert read.extra_indexes == ("https://packages.example/simple",)
    with pytest.raises(
        RequirementsFileError, match=r"requirements\.txt:1: the index https://Packages\.example/simple/"
    ):
        check_requirements(text)


def test_the_operators_credentials_of_an_extra_index_need_not_be_written_and_are_not_kept() -> None:
    allowed = ["https://reader:secret@Extra.example/simple/"]
    for line in ("https://extra.example/simple", "https://reader:secret@extra.example/simple/"):
        read = read_requirements(f"--extra-index-url {line}\n".encode(), allowed_indexes=allowed)
        assert read.extra_indexes == ("https://extra.example/simple",)
    with pytest.raises(RequirementsFileError):
        read_requirements(b"--extra-index-url https://other:x@extra.example/simple", allowed_indexes=allowed)


def test_credentials_of_a_refused_index_are_not_repeated() -> None:
    with pytest.raises(RequirementsFileError) as caught:
        check_requirements(b"--extra-index-url=https://user:hunter2@evil.example/simple?token=hunter2")
    assert "hunter2" not in caught.value.message


def test_the_same_requirement_twice_is_one_and_markers_may_split_a_package() -> None:
    assert len(check_requirements(b"six==1.16.0\nSix == 1.16.0\n")) == 1
    assert len(check_requirements(b"six<2; python_version<'3.9'\nsix>1; python_version>='3.9'\n")) == 2


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("six\n-r other.txt", 2, "reads another file"),
        ("-c limits.txt", 1, "reads another file"),
        ("--requirement=../../secret", 1, "reads another file"),
        ("-e .", 1, "editable"),
        ("--editable=git+https://x/y", 1, "editable"),
        ("--index-url https://evil.example/simple", 1, "option --index-url"),
        ("-i https://evil.example/simple", 1, "option -i"),
        ("--find-links /opt", 1, "option --find-links"),
        ("--no-binary :all:", 1, "option --no-binary"),
        ("--trusted-host evil", 1, "option --trusted-host"),
        ("--pre", 1, "option --pre"),
        ("six --install-option=x", 1, "option --install-option"),
        ("six --hash=md5:00", 1, "option --hash"),
        ("six --config-settings a=b", 1, "option --config-settings"),
        ("https://evil.example/x.whl", 1, "address"),
        ("git+ssh://host/repo", 1, "address"),
        ("six @ https://evil.example/six.whl", 1, "address"),
        ("six@file:///etc/passwd", 1, "address"),
        ("./local", 1, "a file"),
        ("/abs/olute", 1, "a file"),
        ("folder/package", 1, "a file"),
        ("six-1.16.0-py3-none-any.whl", 1, "a file"),
        ("six-1.16.0.tar.gz", 1, "a file"),
        ("..", 1, "a file"),
        ("six==1.0\n\nSIX==2.0", 3, "listed twice with different versions, first in line 1"),
        ("six=1.0", 1, "not a requirement"),
        ("numpy 1.26", 1, "not a requirement"),
        ("import os", 1, "not a requirement"),
        ("six==", 1, "not a requirement"),
        ("six; python_versoin<'3'", 1, "not a requirement"),
        ("six\n\x00", 2, "control character 0x00"),
        ("six\x1b[31m", 1, "control character 0x1b"),
    ],
)
def test_what_is_not_a_package_of_the_index_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(RequirementsFileError) as caught:
        check_requirements(text.encode())
    assert reason in caught.value.message
    assert caught.value.place == f"src/requirements.txt:{line}"
    assert caught.value.message.startswith(f"src/requirements.txt:{line}: ")
    assert caught.value.hint


def test_addresses_are_sent_to_privatepkgs() -> None:
    with pytest.raises(RequirementsFileError) as caught:
        check_requirements(b"torch @ https://download.example/torch.whl")
    assert "privatepkgs/" in caught.value.hint


def test_a_latin_1_file_names_line_and_byte() -> None:
    with pytest.raises(RequirementsFileError, match=r"txt:2: byte 9 of the line \(0xe4\) is not UTF-8"):
        check_requirements("six\n# f\u00fcr Pr\u00e4zision".encode("latin-1").replace(b"\xfc", b"u"))


def test_a_huge_file_and_a_huge_line_are_refused() -> None:
    with pytest.raises(RequirementsFileError, match="at most"):
        check_requirements(b"six\n" * 500_000)
    with pytest.raises(RequirementsFileError, match="longer than"):
        check_requirements(b"six==" + b"1" * 30_000)


def test_deep_markers_do_not_exhaust_the_stack() -> None:
    with pytest.raises(RequirementsFileError):
        check_requirements(b"six; " + b"(" * 9_000 + b"python_version<'3'" + b")" * 9_000)


def test_a_marker_is_asked_about_the_models_python() -> None:
    (one,) = check_requirements(b"tomli; python_full_version < '3.11.0'")
    assert one.applies_to("3.10.13")
    assert not one.applies_to("3.11.7")


requirement_like = st.lists(
    st.sampled_from(
        [
            "six",
            "==",
            "1.0",
            " ",
            "\n",
            "\\\n",
            "#",
            "-r x",
            "--hash=sha256:",
            SHA,
            "@",
            "://",
            ";",
            "[",
            "]",
            "os_name",
            "<",
            "'",
        ]
    ),
    max_size=15,
)


@settings(max_examples=300)
@given(st.one_of(requirement_like.map("".join).map(str.encode), st.binary(max_size=120)))
def test_whatever_the_file_holds_the_answer_is_requirements_or_a_typed_error(text: bytes) -> None:
    read = requirements_or_place(text)
    assert read is not None
    if isinstance(read, list):
        again = check_requirements("\n".join(one.line_text() for one in read).encode())
        assert [plain(one) for one in again] == [plain(one) for one in read]


def requirements_or_place(text: bytes) -> list[Requirement] | str | None:
    try:
        return check_requirements(text)
    except RequirementsFileError as error:
        return error.place


def plain(one: Requirement) -> tuple[str, str, tuple[str, ...]]:
    return one.name, one.text, one.hashes


FREEZE = b"""certifi @ file:///opt/conda-bld/certifi_1700000000001/build
charset-normalizer @ file:///tmp/build/80754af9/charset-normalizer_1630003229654/work
idna==3.4
-e git+https://git.example/team/words@0f1e2d#egg=words
numpy=1.26.4=py311h64a7726_0
"""


def test_all_bad_lines_of_a_freeze_are_told_at_once_with_the_command_that_writes_good_ones() -> None:
    with pytest.raises(RequirementsFileError, match=r"txt:1: 'certifi @ file:.* another computer's disk") as raised:
        check_requirements(FREEZE)
    assert "`pip list --format=freeze`" in raised.value.hint
    assert [one.split(": ")[0] for one in raised.value.also] == [f"src/requirements.txt:{line}" for line in (2, 4, 5)]
    assert "`conda list --export`" in raised.value.also[2]


def test_a_bad_line_alone_has_no_others_and_many_are_bounded() -> None:
    with pytest.raises(RequirementsFileError) as raised:
        check_requirements(b"six\nnumpy=1.26.4=py311_0\n")
    assert (raised.value.place, raised.value.also) == ("src/requirements.txt:2", ())
    assert "`pip list --format=freeze`" in raised.value.hint
    with pytest.raises(RequirementsFileError) as raised:
        check_requirements(b"a @ file:///b\n" * 500)
    assert len(raised.value.also) == 20


@pytest.mark.parametrize(("name", "meant"), [("sklearn==0.0.post12", "scikit-learn"), ("Pytorch>=2", "torch")])
def test_a_deprecated_name_is_told_with_the_one_that_is_meant(name: str, meant: str) -> None:
    with pytest.raises(RequirementsFileError, match=f"deprecated name of the package {meant}") as raised:
        check_requirements(f"six\n{name}\n".encode())
    assert (raised.value.place, raised.value.hint) == ("src/requirements.txt:2", f"Write {meant} instead.")
