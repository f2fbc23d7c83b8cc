"""Who may do what with evaluations. People who see a revision see its results: selectors of the registry come first."""

from __future__ import annotations

import rules

from mop.accounts.rules import is_administrator
from mop.catalog.rules import is_task_owner
from mop.datasets.rules import sees_places
from mop.registry.rules import is_model_owner

# of a revision: run again, cancel, publish, withdraw
rules.add_perm("evaluation.change", is_model_owner)
# of a dataset: which rows had no answer
rules.add_perm("evaluation.view_places", sees_places)
# of a task
rules.add_perm("evaluation.choose_headline", is_task_owner)
rules.add_perm("evaluation.verify", is_administrator)
