"""Python in an archive: judged as beside the weights where a loader imports it, told where nothing does."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mop.scanning.findings import Severity, Verdict
from mop.scanning.formats import archived_python
from scanning.formats.reading import looked_at, rules
from security.hostile import tarred, zipped

RUNS = b"import os\nos.system('true')\n"
HARMLESS = b"import torch\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x.relu()\n"
LOADED = {
    "torch.package": ("pkg/.data/extern_modules", "pkg/model/net.py"),
    "TorchServe": ("MAR-INF/MANIFEST.json", "handler.py"),
    "SageMaker": ("code/inference.py", "code/util.py"),
    "SageMaker, as tar writes names": ("./code/inference.py", "./code/util.py"),
    "BentoML": ("bento.yaml", "src/service.py"),
    "Python": ("__main__.py", "other.py"),
}
BY_LOADER = pytest.mark.parametrize(("mark", "place"), LOADED.values(), ids=LOADED)
BY_KIND = pytest.mark.parametrize(
    "pack", [zipped, tarred, lambda some: gzip.compress(tarred(some))], ids=("zip", "tar", "tgz")
)


@BY_LOADER
@BY_KIND
def test_what_a_loader_imports_is_infected_wherever_it_lies(tmp_path: Path, pack, mark: str, place: str):
    for name in ("m.bin", "src/m.bin"):
        (tmp_path / "src").mkdir(exist_ok=True)
        look = looked_at(tmp_path, pack({place: RUNS, mark: b""}), name)  # the mark may come behind the code
        (finding,) = look.findings
        assert (finding.rule, finding.severity) == ("code-in-archive", Severity.CRITICAL)
        assert finding.message.endswith("line 2: starts a program (os.system) when " + _loader(mark) + " imports it.")
        assert look.verdict().verdict == Verdict.INFECTED


def _loader(mark: str) -> str:
    return next(name for name, is_known in archived_python._LOADERS.items() if is_known(mark.removeprefix("./")))


@BY_LOADER
@BY_KIND
def test_harmless_code_is_clean(tmp_path: Path, pack, mark: str, place: str):
    assert looked_at(tmp_path, pack({mark: b"", place: HARMLESS})).verdict().verdict == Verdict.CLEAN


@BY_KIND
def test_code_that_nothing_imports_by_itself_warns(tmp_path: Path, pack):
    (finding,) = looked_at(tmp_path, pack({"train.py": RUNS, "a.txt": b"os.system('true')"})).findings
    assert (finding.rule, finding.severity) == ("code-in-archive", Severity.HIGH)


@BY_KIND
def test_code_in_an_archive_of_the_models_own_is_as_code_beside_it(tmp_path: Path, pack):
    (tmp_path / "src").mkdir()
    assert looked_at(tmp_path, pack({"train.py": RUNS}), "src/old.zip").verdict().verdict == Verdict.CLEAN


@pytest.mark.parametrize("code", [RUNS + b"# words\n" * 40_000, RUNS + b"x = " + b"-" * 20_000 + b"1\n"])
def test_what_cannot_be_looked_at_blocks_where_it_is_imported(tmp_path: Path, code: bytes):
    look = looked_at(tmp_path, zipped({".data/extern_modules": b"", "net.py": code}))
    assert [(finding.rule, finding.severity) for finding in look.findings] == [("costly-structure", Severity.CRITICAL)]
    assert rules(looked_at(tmp_path, zipped({"net.py": code}))) == {"not-fully-scanned"}


def test_code_of_another_python_is_not_fully_scanned(tmp_path: Path):
    assert rules(looked_at(tmp_path, zipped({"net.py": b"print 'a'\n"}))) == {"not-fully-scanned"}


def test_what_runs_does_not_hide_behind_what_does_not(tmp_path: Path):
    functions = {f"a{number}.py": b"import os\ndef f():\n    os.system('true')\n" for number in range(300)}
    look = looked_at(tmp_path, zipped({".data/extern_modules": b"", **functions, "z.py": RUNS}))
    assert [finding.path for finding in look.findings if finding.severity == Severity.CRITICAL] == ["file!z.py"]


def test_code_that_is_taken_for_torchscript_is_looked_at_too(tmp_path: Path):
    members = {"a/.data/extern_modules": b"", "a/constants.pkl": b"\x80\x02).", "a/code/__init__.py": RUNS}
    assert "code-in-archive" in rules(looked_at(tmp_path, zipped(members)))
