"""What the frameworks themselves write comes out clean. An optional run: their packages are hundreds of megabytes."""

from __future__ import annotations

import re
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
VERSIONS = {
    "2023": (
        *("joblib==1.2.0", "lightgbm==3.3.5", "numpy==1.24.4", "onnx==1.14.1", "safetensors==0.3.3", "scipy<1.12"),
        *("scikit-learn==1.2.2", "tokenizers==0.13.3", "xgboost-cpu==2.1.1", "h5py==3.9.0", "pandas==2.0.3"),
    ),
    "2024": (
        *("joblib==1.4.2", "lightgbm==4.5.0", "numpy==1.26.4", "onnx==1.16.2", "safetensors==0.4.5"),
        *("scikit-learn==1.5.2", "tokenizers==0.20.3", "xgboost-cpu==2.1.3", "h5py==3.11.0", "pandas==2.2.3"),
    ),
    "newest": (
        *("joblib", "lightgbm", "numpy", "onnx", "safetensors", "scikit-learn", "tokenizers", "xgboost-cpu", "h5py"),
        *("pandas", "jax", "keras", "catboost", "skops", "sentencepiece", "statsmodels", "gensim"),
    ),
    "torch": ("joblib", "numpy", "torch"),
}
"""Of the frameworks, as people used them together; docs/scanning.md has what the last run said."""
SCRIPT = Path(__file__).with_name("framework_files.py")


@pytest.mark.parametrize("versions", VERSIONS)
def test_files_of_the_frameworks_themselves_are_clean(
    versions: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    environment = tmp_path / "environment"
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *VERSIONS[versions]], check=True)
    folder = tmp_path_factory.mktemp("frameworks") / "model-folder"  # the cage's user may not enter pytest's own
    packages = [package for one in VERSIONS[versions] if (package := re.split("[=<]", one)[0]) in ALL]
    assert packages
    subprocess.run([python, SCRIPT, folder, *packages], check=True)
    for path in folder.rglob("*"):  # safetensors writes for its owner alone; a snapshot is readable
        path.chmod(0o755 if path.is_dir() else 0o644)
    report = caged(folder)
    assert report.incomplete == {}
    said = {file.path: file.verdict for file in report.files}
    assert {path.partition("/")[0] for path in said} == set(packages)
    assert {path: verdict for path, verdict in said.items() if verdict != Verdict.CLEAN} == {}
