"""What the frameworks themselves write comes out clean. An optional run: their packages are hundreds of megabytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from mop.scanning.findings import Verdict
from scanning.looking import caged
from security.framework_files import ALL

pytestmark = [
    pytest.mark.slow,
    pytest.mark.sandbox,
    pytest.mark.index,
    pytest.mark.timeout(1200),
    pytest.mark.second_tier,
]
PACKAGES = ("joblib", "lightgbm", "numpy", "onnx", "safetensors", "scikit-learn", "tokenizers", "xgboost-cpu")
SCRIPT = Path(__file__).with_name("framework_files.py")


def test_files_of_the_frameworks_themselves_are_clean(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory):
    environment = tmp_path / "environment"
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *PACKAGES], check=True)
    folder = tmp_path_factory.mktemp("frameworks") / "model-folder"  # the cage's user may not enter pytest's own
    subprocess.run([python, SCRIPT, folder], check=True)
    for path in folder.rglob("*"):  # safetensors writes for its owner alone; a snapshot is readable
        path.chmod(0o755 if path.is_dir() else 0o644)
    report = caged(folder)
    assert report.incomplete == {}
    said = {file.path: file.verdict for file in report.files}
    assert {path.partition("/")[0] for path in said} == {write.__name__ for write in ALL}
    assert {path: verdict for path, verdict in said.items() if verdict != Verdict.CLEAN} == {}
