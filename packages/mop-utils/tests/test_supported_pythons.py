import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mop_utils

PROMISED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
SMOKE = Path(__file__).with_name("smoke.py")
SOURCE = Path(mop_utils.__file__).resolve().parent.parent


def interpreters():
    """One interpreter per promised minor version: this one, pyenv's, then those on PATH."""
    found = {"{}.{}".format(*sys.version_info[:2]): sys.executable}
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for python in sorted(versions.glob("3.*/bin/python")):
        version = re.match(r"3\.\d+", python.parent.parent.name)
        if version:
            found.setdefault(version.group(), str(python))
    for version in PROMISED:
        on_path = shutil.which("python" + version)
        # A pyenv shim stands for versions that need not be installed.
        if on_path and "shims" not in Path(on_path).parts:
            found.setdefault(version, on_path)
    return [(version, found[version]) for version in PROMISED if version in found]


@pytest.mark.parametrize(("version", "python"), interpreters())
def test_every_public_part_works_on_each_promised_python(version, python):
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-W", "error", str(SMOKE), str(SOURCE)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout.decode()) == (0, version + "\n")
