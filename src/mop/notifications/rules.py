"""Who may do what with notifications. One's own are found by selectors; alerts are the administrators'."""

from __future__ import annotations

import rules

from mop.accounts.rules import is_administrator

rules.add_perm("notifications.operate", is_administrator)
