"""Who may read what of the audit log."""

from __future__ import annotations

import rules

from mop.accounts.rules import is_administrator

rules.add_perm("history.view_all", is_administrator)
