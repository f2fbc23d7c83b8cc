"""Who may change connected tasks and samples. People who see a model see its tasks."""

from __future__ import annotations

import rules

from mop.accounts.rules import is_administrator
from mop.registry.rules import is_model_owner

rules.add_perm("contract_runs.change", is_model_owner)
# errors and samples that are being verified hold paths and values of the model's code
rules.add_perm("contract_runs.view_errors", is_model_owner | is_administrator)
