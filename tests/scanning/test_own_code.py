"""What a pickle may name of the folder's own code warns; what nobody brings blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop.scanning.findings import Severity
from mop.scanning.scanners.model_files import ModelFiles
from scanning.looking import only, scanned, write
from security.hostile import STOP, call, named, text, zipped

CLASS = "class Scorer:\n    class Inner:\n        pass\n\n\ndef rebuild():\n    pass\n"
FOLDER: dict[str, str | bytes] = {
    "src/tone.py": CLASS,
    "src/deep/__init__.py": CLASS,
    "src/requirements.txt": "tone-lib==1.0\nscikit-image\n",
    "privatepkgs/own-1.0-py3-none-any.whl": zipped({"own/__init__.py": CLASS.encode()}),
}
INSTANCE = b")\x81"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (named("tone", "Scorer") + INSTANCE, "unknown-global"),
        (named("tone", "Scorer") + b")R", "unknown-global"),
        (named("tone", "rebuild") + b")R", "unknown-global"),
        (named("deep", "Scorer") + b")R", "unknown-global"),
        (named("own", "Scorer") + b")R", "unknown-global"),
        (named("tone_lib.models", "Model") + b")R", "unknown-global"),
        (named("skimage.transform", "Warp") + b")R", "unknown-global"),
        (named("tone_lib", "build") + b")R", "unknown-call"),
        (named("other", "Thing") + INSTANCE, "unknown-global"),
        (named("other", "Thing") + b")R", "unknown-call"),
        (named("other", "build") + b")R", "unknown-call"),
        (named("other", "build"), "unknown-global"),
        (named("__main__", "Model") + INSTANCE, "unknown-global"),
        (call(named("builtins", "getattr"), call(named("pathlib", "Path"), text("a")), text("touch")), "unknown-call"),
    ],
)
def test_a_name_is_judged_by_who_brings_it_and_by_its_use(tmp_path: Path, body: bytes, rule: str):
    write(tmp_path, FOLDER | {"model/m.pkl": b"\x80\x02" + body + STOP})
    finding = only(scanned(ModelFiles(), tmp_path))
    assert finding.rule == rule
    assert finding.severity == (Severity.CRITICAL if rule == "unknown-call" else Severity.MEDIUM)


def test_code_by_value_has_its_hint(tmp_path: Path):
    body = named("cloudpickle.cloudpickle", "_make_function") + b")R"
    write(tmp_path, {"model/m.pkl": b"\x80\x02" + body + STOP})
    finding = only(scanned(ModelFiles(), tmp_path))
    assert (finding.rule, finding.severity) == ("code-by-value", Severity.CRITICAL)
    assert "src/" in finding.hint
