"""What names inside a wheel mean to Python, for the build that installs it and the scan that judges it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_START_UP_HOOK = re.compile(
    r"(?:.*\.data/(?:purelib|platlib)/)?(?:[^/]+\.pth|(?:sitecustomize|usercustomize)(?:\.[^/]+|/.*))"
)


def start_up_hooks(members: Iterable[str]) -> tuple[str, ...]:
    """Those members of a wheel that run at every start of a Python that has it installed."""
    return tuple(one for one in members if _START_UP_HOOK.fullmatch(one))
