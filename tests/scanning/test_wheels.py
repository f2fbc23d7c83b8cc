"""Private wheels and built environments: what runs at every start, what hides, what was changed."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from environments.packages import wheel
from mop.scanning.findings import ScanReport, Severity, Verdict
from mop.scanning.limits import ScanLimits
from mop.scanning.run import run_scanners
from mop.scanning.scanner import Subject
from mop.scanning.scanners.model_files import ModelFiles
from mop.scanning.scanners.wheels import Wheels
from scanning.looking import caged, only, rules, scanned, write

MARKER = "import os; os.mkdir('fired')\n"
SETUPTOOLS = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
    "enabled and __import__('_distutils_hack').add_shim(); \n"
)

NAMESPACE = (
    "import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1).f_locals"
    "['sitedir'], *('zope',));importlib = has_mfs and __import__('importlib.util');has_mfs and __import__"
    "('importlib.machinery');m = has_mfs and sys.modules.setdefault('zope', importlib.util.module_from_sp"
    "ec(importlib.machinery.PathFinder.find_spec('zope', [os.path.dirname(p)])));m = m or sys.modules.set"
    "default('zope', types.ModuleType('zope'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p"
    " not in mp) and mp.append(p)"
)
COVERAGE = (
    'import sys; exec(\'import os\\n\\nif os.getenv("COVERAGE_PROCESS_START") or os.getenv("COVERAGE_PROCESS'
    '_CONFIG"):\\n try:\\n  import coverage\\n except:\\n  pass\\n else:\\n  coverage.process_startup(slug="pth'
    "\")')"
)


def _scan(folder: Path, *wheels: tuple[str, bytes], **files: str) -> ScanReport:
    write(folder, {f"privatepkgs/{name}": content for name, content in wheels})
    write(folder, {f"src/{name}": content for name, content in files.items()})
    return scanned(Wheels(), folder)


def _with(*members: tuple[str | zipfile.ZipInfo, bytes], name: str = "own_words") -> tuple[str, bytes]:
    """A wheel to which members were added after it was built."""
    file, content = wheel(name, "1.0")
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        for member, data in members:
            archive.writestr(member, data)
    return file, buffer.getvalue()


def test_an_ordinary_wheel_is_clean(tmp_path: Path):
    entry = {"own_words-1.0.dist-info/entry_points.txt": "[console_scripts]\nown-words = own_words:main\n"}
    made = wheel("own-words", "1.0", files={"own_words/__init__.py": "", "own_words.pth": "own_words/more\n", **entry})
    report = _scan(tmp_path, made)
    assert report.findings == ()
    assert [file.verdict for file in report.files] == [Verdict.CLEAN]


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"a.pth": MARKER}, "start-up-code"),
        ({"a.pth": "\n" * 50 + "import\tevil"}, "start-up-code"),
        ({"sitecustomize.py": MARKER}, "start-up-code"),
        ({"sitecustomize/__init__.py": MARKER}, "start-up-code"),
        ({"usercustomize.py": ""}, "start-up-code"),
        ({"own_words-1.0.data/purelib/b.pth": MARKER}, "start-up-code"),
        ({"own_words-1.0.data/platlib/sitecustomize.py": MARKER}, "start-up-code"),
        ({"own_words-1.0.data/data/lib/python3.11/site-packages/c.pth": MARKER}, "start-up-code"),
        ({"sitecustomize.cpython-311-x86_64-linux-gnu.so": ""}, "start-up-code"),
        ({"a.pth": "\ufeffimport evil"}, "start-up-code"),
        ({"own_words-1.0.data/scripts/python": "#!/bin/sh"}, "shadows-program"),
        ({"own_words-1.0.data/scripts/python3.11": "#!/bin/sh"}, "shadows-program"),
        ({"own_words-1.0.data/scripts/pip3": "#!/bin/sh"}, "shadows-program"),
        ({"own_words-1.0.data/scripts/sh": "#!/bin/sh"}, "shadows-program"),
        ({"own_words-1.0.data/data/bin/gunicorn": "#!/bin/sh"}, "shadows-program"),
        ({"own_words-1.0.dist-info/entry_points.txt": "[console_scripts]\ngunicorn = a:b\n"}, "shadows-program"),
        ({"own_words-1.0.dist-info/entry_points.txt": "[gui_scripts]\npip = a:b [x]\n"}, "shadows-program"),
        ({"own_words-1.0.dist-info/entry_points.txt": "[console_scripts]\npip: a:b\n"}, "shadows-program"),
        ({"../../evil.py": ""}, "path-escape"),
        ({"/etc/cron.d/evil": ""}, "path-escape"),
        ({"..\\evil.py": ""}, "path-escape"),
    ],
)
def test_what_runs_unasked_or_leads_out_is_critical(tmp_path: Path, files: dict[str, str], rule: str):
    report = _scan(tmp_path, wheel("own-words", "1.0", files=files))
    worst = report.findings[0]
    assert (worst.rule, worst.severity) == (rule, Severity.CRITICAL)
    assert worst.path == "privatepkgs/own_words-1.0-py3-none-any.whl"
    assert report.files[0].verdict == Verdict.INFECTED


def test_entry_points_that_can_not_be_read_are_not_passed_over(tmp_path: Path):
    files = {"own_words-1.0.dist-info/entry_points.txt": "pip = a:b\n"}
    assert rules(_scan(tmp_path, wheel("own-words", "1.0", files=files))).popitem()[1] == ["not-fully-scanned"]


def test_a_pickle_deep_in_a_wheel_is_for_the_scanner_of_model_files(tmp_path: Path):
    inner = _with(("data/weights.pkl", b"cos\nsystem\n(S'true'\ntR."), name="inner")
    made = _with(("own_words/inner.whl", inner[1]))
    report = scanned(ModelFiles(), write(tmp_path, {f"privatepkgs/{made[0]}": made[1]}))
    assert report.files[0].verdict == Verdict.INFECTED
    assert report.findings[0].path.endswith("!own_words/inner.whl!data/weights.pkl")


@pytest.mark.parametrize("line", [SETUPTOOLS, NAMESPACE, COVERAGE], ids=["setuptools", "namespace", "coverage"])
def test_what_public_tools_put_into_a_pth_is_known(tmp_path: Path, line: str):
    assert _scan(tmp_path, wheel("own-words", "1.0", files={"hack.pth": line})).findings == ()


@pytest.mark.parametrize("line", [SETUPTOOLS, NAMESPACE, COVERAGE], ids=["setuptools", "namespace", "coverage"])
def test_a_line_that_only_begins_as_a_known_one_is_not(tmp_path: Path, line: str):
    files = {"hack.pth": line.strip() + "; __import__('evil')\n"}
    assert "start-up-code" in rules(_scan(tmp_path, wheel("own-words", "1.0", files=files))).popitem()[1]


def test_a_link_in_a_wheel_is_critical(tmp_path: Path):
    link = zipfile.ZipInfo("own_words/passwd")
    link.external_attr = 0o120777 << 16
    report = _scan(tmp_path, _with((link, b"/etc/passwd")))
    assert report.findings[0].rule == "path-escape"


@pytest.mark.parametrize("name", ["own_words/a\u202eyp.py", "own_words/\n.py", "own_words//a.py"])
def test_a_member_whose_name_misleads(tmp_path: Path, name: str):
    report = _scan(tmp_path, wheel("own-words", "1.0", files={name: ""}))
    assert "strange-name" in [finding.rule for finding in report.findings]


def test_a_name_that_a_zero_byte_hides(tmp_path: Path):
    file, content = wheel("own-words", "1.0", files={"own_words/XX..|..|..|evil.py": ""})
    hidden = content.replace(b"own_words/XX..|..|..|evil.py", b"own_words/\0/../../../evil.py")
    assert "path-escape" in [finding.rule for finding in _scan(tmp_path, (file, hidden)).findings]


@pytest.mark.parametrize("tag", ["cp38-cp38-manylinux_2_17_x86_64", "py3-none-win_amd64", "py2-none-any"])
def test_a_wheel_for_something_else(tmp_path: Path, tag: str):
    report = _scan(tmp_path, wheel("own-words", "1.0", tag=tag), **{"settings.yml": "env:\n  python: '3.11'\n"})
    assert rules(report).popitem()[1] == ["wrong-platform"]


def test_without_settings_only_the_platform_counts(tmp_path: Path):
    fitting = wheel("own-words", "1.0", tag="cp38-cp38-manylinux_2_17_x86_64")
    report = _scan(tmp_path, fitting, wheel("other", "1.0", tag="py3-none-macosx_11_0_arm64"))
    assert rules(report) == {"privatepkgs/other-1.0-py3-none-macosx_11_0_arm64.whl": ["wrong-platform"]}


@pytest.mark.parametrize(
    ("name", "requirements"), [("numpy", ""), ("scikit_learn", ""), ("own-words", "Own_Words==1\n")]
)
def test_the_name_of_another_package(tmp_path: Path, name: str, requirements: str):
    report = _scan(tmp_path, wheel(name, "1.0"), **{"requirements.txt": requirements})
    assert [finding.rule for finding in report.findings] == ["shadows-package"]
    assert report.findings[0].severity == Severity.MEDIUM


@pytest.mark.parametrize("module", ["numpy/__init__.py", "yaml.py", "mop_utils/__init__.py", "sklearn/base.py"])
def test_the_module_of_another_package(tmp_path: Path, module: str):
    report = _scan(tmp_path, wheel("own-words", "1.0", files={module: ""}))
    assert [finding.rule for finding in report.findings] == ["shadows-module"]


def test_native_code_is_listed(tmp_path: Path):
    tag = "cp311-cp311-manylinux_2_17_x86_64"
    fitting = wheel("own-words", "1.0", tag=tag, files={"own_words/a.so": "x", "own_words.libs/b.so.1": "x"})
    report = _scan(tmp_path, fitting)
    assert [(finding.rule, finding.severity) for finding in report.findings] == [("native-code", Severity.LOW)]
    assert report.files[0].verdict == Verdict.CLEAN


def test_native_code_in_a_wheel_for_every_platform(tmp_path: Path):
    report = _scan(tmp_path, wheel("own-words", "1.0", files={"own_words/a.so": "x"}))
    assert [finding.rule for finding in report.findings] == ["native-code-in-pure-wheel", "native-code"]


def test_members_that_record_does_not_know(tmp_path: Path):
    report = _scan(tmp_path, _with(("own_words/more.py", b"a = 1")))
    assert [finding.rule for finding in report.findings] == ["not-in-record"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_given_twice_and_changed(tmp_path: Path):
    report = _scan(tmp_path, _with(("own_words/__init__.py", b"a = 1")))
    assert sorted(finding.rule for finding in report.findings) == ["differs-from-record", "duplicate-member"]


def _recording(record: str, **members: str) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("own_words-1.0.dist-info/METADATA", "Name: own-words\nVersion: 1.0\n")
        for name, content in members.items():
            archive.writestr(name, content)
        if record:
            archive.writestr("own_words-1.0.dist-info/RECORD", record)
    return "own_words-1.0-py3-none-any.whl", buffer.getvalue()


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        ("", "no-record"),
        ("own_words-1.0.dist-info/METADATA,,\n../../../bin/evil,,\n", "path-escape"),
        ("own_words-1.0.dist-info/METADATA,,\ngone.py,,\n", "missing-file"),
        ("own_words-1.0.dist-info/METADATA,md5=abc,\n", "not-fully-scanned"),
        ("a\n" * 200_001, "not-fully-scanned"),
        ("a" * 200_000, "not-fully-scanned"),
        ("own_words-1.0.dist-info/METADATA,sha256=abc,\n", "differs-from-record"),
    ],
    ids=["none", "escape", "missing", "algorithm", "lines", "field", "digest"],
)
def test_records_that_lie(tmp_path: Path, record: str, rule: str):
    assert rule in [finding.rule for finding in _scan(tmp_path, _recording(record)).findings]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("own_words-1.0-py3-none-any.whl", b"PK\x03\x04broken"),
        ("own_words-1.0-py3-none-any.whl", b""),
        ("own.whl", b""),
        ("own_words-1.0-py3-none-any.whl", wheel("own-words", "1.0")[1][:-30]),
    ],
)
def test_what_is_no_wheel_is_not_fully_scanned(tmp_path: Path, name: str, content: bytes):
    report = _scan(tmp_path, (name, content))
    assert [finding.rule for finding in report.findings] == ["not-fully-scanned"]
    assert report.files[0].verdict == Verdict.NOT_FULLY_SCANNED


def test_a_bomb_is_given_up(tmp_path: Path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bin", b"\0" * 20_000_000)
        archive.writestr("own_words-1.0.dist-info/RECORD", "a.bin,sha256=abc,\n")
    write(tmp_path, {"privatepkgs/own_words-1.0-py3-none-any.whl": buffer.getvalue()})
    limits = ScanLimits(expansion=10, expansion_floor_bytes=1_000_000)
    report = scanned(Wheels(), Subject(tmp_path, limits=limits))
    assert (only(report).rule, only(report).severity) == ("costly-structure", Severity.CRITICAL)
    assert "bomb" in report.findings[0].message
    assert report.files[0].verdict == Verdict.NOT_FULLY_SCANNED


def test_too_many_members(tmp_path: Path):
    write(tmp_path, {"privatepkgs/own_words-1.0-py3-none-any.whl": wheel("own-words", "1.0")[1]})
    report = scanned(Wheels(), Subject(tmp_path, limits=ScanLimits(members=2)))
    assert (only(report).rule, only(report).severity) == ("costly-structure", Severity.CRITICAL)


# Environments ----------------------------------------------------------------------------------------------------


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment as an installer leaves it."""
    root = tmp_path / "venv"
    _install(root, wheel("own-words", "1.0", files={"own_words/__init__.py": "", "hack.pth": SETUPTOOLS}))
    _install(root, wheel("pip", "24.0"), programs={"pip": "#!python", "pip3": "#!python"})
    (root / "bin" / "python").symlink_to("/usr/bin/python3")
    (root / "bin" / "activate").write_text("export PATH")
    (_site(root) / "own_words" / "__pycache__").mkdir()
    (_site(root) / "own_words" / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"x")
    return root


def _site(root: Path) -> Path:
    return root / "lib" / "python3.11" / "site-packages"


def _install(root: Path, made: tuple[str, bytes], programs: dict[str, str] | None = None) -> None:
    with zipfile.ZipFile(io.BytesIO(made[1])) as archive:
        archive.extractall(_site(root))
        (record,) = [name for name in archive.namelist() if name.endswith("/RECORD")]
    for name, content in (programs or {}).items():
        write(root, {f"bin/{name}": content})
        with (_site(root) / record).open("a") as file:
            file.write(f"../../../bin/{name},,\n")


def _look(root: Path) -> ScanReport:
    (root.parent / "model").mkdir(exist_ok=True)
    return scanned(Wheels(), Subject(root.parent / "model", root))


def test_an_ordinary_environment_gives_nothing(environment: Path):
    assert _look(environment).findings == ()


@pytest.mark.parametrize(
    ("files", "severity"),
    [
        ({"evil.pth": "import own_words\n"}, Severity.HIGH),
        ({"evil.pth": "import os; exec(open('/tmp/x').read())\n"}, Severity.CRITICAL),
        ({"sitecustomize.py": ""}, Severity.CRITICAL),
        ({"usercustomize/__init__.py": ""}, Severity.CRITICAL),
    ],
)
def test_a_build_that_left_something_that_runs_at_every_start(
    environment: Path, files: dict[str, str], severity: Severity
):
    write(_site(environment), dict(files))
    found = {finding.rule: finding.severity for finding in _look(environment).findings}
    assert found == {"start-up-code": severity, "not-in-record": Severity.MEDIUM}


def test_a_package_with_a_hook_is_named(environment: Path):
    _install(environment, wheel("watcher", "2.0", files={"watcher.pth": MARKER, "watcher.py": ""}))
    (finding,) = _look(environment).findings
    assert (finding.rule, finding.path, finding.position) == (
        "start-up-code",
        "environment:files",
        "line 1 of 'watcher.pth'",
    )
    assert "watcher put" in finding.message


@pytest.mark.parametrize("program", ["python", "python3.11", "pip", "gunicorn", "bash"])
def test_a_package_that_takes_the_place_of_a_program(environment: Path, program: str):
    (environment / "bin" / program).unlink(missing_ok=True)
    _install(environment, wheel("watcher", "2.0"), programs={program: "#!/bin/sh"})
    if program == "pip":
        shutil.rmtree(_site(environment) / "pip-24.0.dist-info")
    assert "shadows-program" in [finding.rule for finding in _look(environment).findings]


def test_an_interpreter_that_is_a_script(environment: Path):
    (environment / "bin" / "python").unlink()
    (environment / "bin" / "python").write_text("#!/bin/sh\n")
    assert [finding.rule for finding in _look(environment).findings] == ["shadows-program"]


def test_files_changed_removed_and_added_after_the_installation(environment: Path):
    (_site(environment) / "own_words" / "__init__.py").write_text("evil = 1")
    (_site(environment) / "pip" / "__init__.py").unlink()
    write(_site(environment), {"numpy/core.py": "", "a.pyc": ""})
    found = [(finding.path, finding.rule) for finding in _look(environment).findings]
    assert sorted(found) == [
        ("environment:files", "not-in-record"),
        ("environment:own-words-1.0", "differs-from-record"),
        ("environment:pip-24.0", "missing-file"),
    ]


def test_a_file_that_two_packages_bring_is_right_as_either_has_it(environment: Path):
    for name, content in (("first", "a = 1"), ("second", "a = 2")):
        _install(environment, wheel(name, "1.0", files={"shared/__init__.py": content}))
    assert _look(environment).findings == ()


def test_records_and_links_that_lead_out(environment: Path):
    with (_site(environment) / "pip-24.0.dist-info" / "RECORD").open("a") as file:
        file.write("../../../../outside,sha256=abc,1\n/etc/passwd,,\n")
    (_site(environment) / "link.py").symlink_to("/etc/passwd")
    found = [(finding.path, finding.rule) for finding in _look(environment).findings if finding.rule == "path-escape"]
    assert sorted(found) == [("environment:files", "path-escape")] + [("environment:pip-24.0", "path-escape")] * 2


def test_a_pipe_in_the_place_of_a_file_does_not_hold_it_up(environment: Path):
    (_site(environment) / "own_words" / "__init__.py").unlink()
    os.mkfifo(_site(environment) / "own_words" / "__init__.py")
    assert [finding.rule for finding in _look(environment).findings] == ["not-fully-scanned"]


def test_a_record_beyond_all_length_is_not_read(environment: Path):
    (_site(environment) / "pip-24.0.dist-info" / "RECORD").write_text("a\n" * 200_001)
    assert ("environment:pip-24.0", "no-record") in [(one.path, one.rule) for one in _look(environment).findings]


def test_what_is_no_environment_is_not_fully_scanned(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    assert [finding.rule for finding in _look(tmp_path / "empty").findings] == ["not-fully-scanned"]


@pytest.mark.sandbox
def test_in_the_cage_nothing_of_it_runs(environment: Path, tmp_path: Path):
    marker = tmp_path / "fired"
    hook = f"import os; os.mkdir({str(marker)!r})\n"
    write(_site(environment), {"evil.pth": hook, "sitecustomize.py": hook})
    made = wheel("own-words", "1.0", files={"a.pth": hook})
    folder = write(tmp_path / "folder", {f"privatepkgs/{made[0]}": made[1]})
    report = caged(Subject(folder, environment), "wheels")
    assert report.incomplete == {}
    assert [finding.rule for finding in report.findings].count("start-up-code") == 3
    assert not marker.exists()


@pytest.mark.sandbox
def test_an_environment_alone_is_looked_at_as_with_its_model(environment: Path, tmp_path: Path):
    write(_site(environment), {"evil.pth": "import own_words\n"})
    folder = write(tmp_path / "folder", {"src/inference.py": "x = 1\n"})
    alone = caged(Subject(environment=environment))
    assert alone.scanners == ("wheels",)
    assert alone.files == ()
    assert rules(alone) == {"environment:files": ["start-up-code", "not-in-record"]}
    assert alone.findings == caged(Subject(folder, environment)).findings


async def test_an_environment_whose_scanner_ended_is_not_called_clean(environment: Path):
    report = await run_scanners(
        Subject(environment=environment), cage=lambda _argv: ["sh", "-c", "exit 3"], log=lambda _line: None
    )
    assert report.incomplete == {"wheels": "it ended with status 3"}
    assert {(file.path, file.verdict) for file in report.files} == {("environment:files", Verdict.NOT_FULLY_SCANNED)}
