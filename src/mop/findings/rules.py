"""Who may see findings, ask for a scan, and waive."""

from __future__ import annotations

import rules

from mop.accounts.rules import is_administrator
from mop.registry.rules import is_model_owner

# findings say where a model is weak, and show paths and lines of its code, as logs do
rules.add_perm("findings.view_findings", is_model_owner | is_administrator)
rules.add_perm("findings.rescan", is_model_owner | is_administrator)
# who is blocked does not decide that the block may be lifted
rules.add_perm("findings.waive", is_administrator)
