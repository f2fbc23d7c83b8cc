"""Who may define what models resolve and run on."""

from __future__ import annotations

import rules

from mop.accounts.rules import is_administrator, is_signed_in

rules.add_perm("catalog.view", is_signed_in)
rules.add_perm("catalog.define", is_administrator)
