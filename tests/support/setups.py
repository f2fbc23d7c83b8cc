"""Runs `support.installation_setup`, which makes the databases of an installation, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
# it is done once in a run, beside whatever else begins then
SECONDS = 300.0
# that of most accounts
UMASK = 0o022


def set_up(home: Path, *arguments: str, **options: str) -> str:
    """Make the databases of the installation whose MOP_HOME is `home`; what was printed.

    The process is executed: a test process that needs nothing else of the fork server starts none for it.

    Args:
        home: is made if it is not there.
        arguments: of the module.
        options: settings, in upper case.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    own = {"MOP_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mop.conf.settings", "PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-m", "support.installation_setup", *arguments]
    environment = inherited | own | options
    done = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, timeout=SECONDS, umask=UMASK
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
