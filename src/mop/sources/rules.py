"""Who may say where teams read from."""

from __future__ import annotations

import rules

from mop.accounts.rules import is_administrator

rules.add_perm("sources.define", is_administrator)
