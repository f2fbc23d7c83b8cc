"""Who may start and end load tests. People who see a revision see its results: selectors of the registry come first."""

from __future__ import annotations

from typing import Any

import rules

from mop.accounts.models import User
from mop.accounts.rules import may
from mop.errors import outline
from mop.loadtest.models import LoadTest
from mop.registry.rules import is_model_owner

rules.add_perm("loadtest.change", is_model_owner)


def told_error(user: User, test: LoadTest) -> dict[str, Any] | None:
    """Why a load test failed, as far as the person may read the texts of the model's code."""
    if not test.error or may(user, "registry.view_logs", test.revision):
        return test.error
    return outline(test.error)
