"""Who may start and end load tests. People who see a revision see its results: selectors of the registry come first."""

from __future__ import annotations

import rules

from mop.registry.rules import is_model_owner

rules.add_perm("loadtest.change", is_model_owner)
