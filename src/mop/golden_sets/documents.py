"""Golden sets and runs on them as the API answers them."""

from __future__ import annotations

import json

from mop.accounts.models import User
from mop.accounts.rules import may
from mop.evaluation.case_runs.documents import run_facts
from mop.golden_sets.models import GoldenRow, GoldenRun, GoldenSet, GoldenVersion
from mop.golden_sets.schemas import (
    FailureOut,
    GoldenRowOut,
    GoldenRowsOut,
    GoldenRunOut,
    GoldenSetOut,
    GoldenVersionOut,
)
from mop.golden_sets.selectors import failures_of, versions_of


def golden_set_out(user: User, golden_set: GoldenSet) -> GoldenSetOut:
    """A golden set with its versions."""
    return GoldenSetOut(
        task=golden_set.task.name,
        name=golden_set.name,
        created_by=golden_set.created_by.username,
        created_at=golden_set.created_at,
        versions=tuple(_version(user, one) for one in versions_of(golden_set)),
    )


def _version(user: User, version: GoldenVersion) -> GoldenVersionOut:
    return GoldenVersionOut(
        number=version.number,
        is_newest=version.is_newest,
        rows=version.size,
        supplied_by=version.supplied_by.username,
        supplied_at=version.supplied_at,
        may_read_rows=may(user, "golden_sets.read_rows", version),
    )


def rows_out(version: GoldenVersion, rows: list[GoldenRow]) -> GoldenRowsOut:
    """Rows with their content, for who supplied them."""
    return GoldenRowsOut(
        task=version.golden_set.task.name,
        name=version.golden_set.name,
        version=version.number,
        items=tuple(GoldenRowOut(row.number, row.expected, json.loads(row.content)) for row in rows),
    )


def run_out(run: GoldenRun) -> GoldenRunOut:
    """A run with the rows that failed."""
    golden_set = run.version.golden_set
    return GoldenRunOut(
        id=run.pk,
        model=run.revision.model.name,
        version=run.revision.version,
        task=golden_set.task.name,
        golden_set=golden_set.name,
        golden_version=run.version.number,
        is_newest=run.version.is_newest,
        failures=tuple(
            FailureOut(one.number, one.expected, one.predicted or None, one.error or None) for one in failures_of(run)
        ),
        **run_facts(run),
    )
