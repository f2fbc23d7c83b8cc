"""Who may do what with regression tests. A revision's readers see its outcomes; `mop.dsat` says who reads cases."""

from __future__ import annotations

import rules

from mop.registry.rules import is_model_owner

# of a revision: run, cancel
rules.add_perm("regression.run", is_model_owner)
