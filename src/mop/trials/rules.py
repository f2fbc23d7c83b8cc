"""Who may try a version: everybody who sees it, as selectors of the registry decide."""

from __future__ import annotations

import rules

from mop.registry.rules import sees

rules.add_perm("trials.start", sees)
