"""The program that stays beside a caged job: `python -I -S supervisor.py PLAN`, PLAN being JSON of `Sandbox.command`.

Small on purpose: a program's own file is compiled at every start, what it imports is not.
"""
# pathlib would add a third to the supervisor's start-up
# ruff: noqa: PTH100, PTH120

from __future__ import annotations

import json
import os
import sys

if __name__ == "__main__":
    spawner = os.getppid()
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from mop.sandbox.supervision import supervise

    sys.exit(supervise(json.loads(sys.argv[1]), parent=spawner))
