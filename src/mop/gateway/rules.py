"""Who may manage the gateway of a service: its keys and containers, and the records of its answers."""

from __future__ import annotations

import rules

from mop.accounts.rules import is_administrator
from mop.releases.rules import is_service_admin

rules.add_perm("gateway.manage", is_service_admin | is_administrator)
