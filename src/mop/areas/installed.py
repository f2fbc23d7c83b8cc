"""The areas of this installation, in the order of the layout: from below to above."""

from __future__ import annotations

AREAS = (
    "mop.ui",
    "mop.engine",
    "mop.audit",
    "mop.accounts",
    "mop.notifications",
    "mop.sources",
    "mop.catalog",
    "mop.advisories",
    "mop.registry",
    "mop.findings",
    "mop.hosting",
    "mop.datasets",
    "mop.dsat",
    "mop.onboarding",
    "mop.contract_runs",
    "mop.trials",
    "mop.loadtest",
    "mop.evaluation",
    "mop.golden_sets",
    "mop.regression",
    "mop.insights",
    "mop.pipeline",
    "mop.releases",
    "mop.gateway",
    "mop.backup",
    "mop.api",
    "mop.history",
    "mop.help",
)
