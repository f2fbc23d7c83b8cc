"""The index of cases: what a change and a deletion leave in it, and what the upgrade made of an older one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from mop.dsat.deletion import delete_case
from mop.dsat.models import Case, CaseContent, CaseTerm
from mop.dsat.services import CaseChange, change_case
from support.dsat import make_case
from support.factories import ACTOR, make_task

pytestmark = pytest.mark.dialect

BEFORE, AFTER = [("dsat", "0001_initial")], [("dsat", "0002_terms_of_a_case")]


def _indexed() -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for term, case in CaseTerm.objects.values_list("term", "case_id"):
        found.setdefault(case, set()).add(term)
    return found


def _kept() -> dict[int, set[int]]:
    rows = CaseContent.objects.values_list("case_id", "terms")
    return {case: {_number(bytes(terms)[at : at + 8]) for at in range(0, len(terms), 8)} for case, terms in rows}


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


@pytest.mark.django_db
def test_what_a_case_is_found_by_follows_its_changes_and_goes_with_it() -> None:
    task = make_task("hate")
    changed, other = make_case(task, tags=["food"]), make_case(task, text="Nobody expects a second helping.")
    assert _indexed() == _kept()
    before = _kept()
    change_case(actor=ACTOR, case=changed, change=CaseChange(description="a figure of speech", tags=["idiom"]))
    assert _indexed() == _kept()
    assert _kept()[changed.pk] - before[changed.pk]
    assert before[changed.pk] - _kept()[changed.pk], "the former tag is no longer found"
    delete_case(actor=ACTOR, case=changed)
    assert _indexed() == _kept() == {other.pk: before[other.pk]}


@pytest.mark.django_db(transaction=True)
@pytest.mark.second_tier
def test_cases_of_before_the_upgrade_are_deleted_with_their_terms() -> None:
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    first, second = (make_case(make_task(), text=f"number {place} of a kind") for place in range(2))
    expected = _kept()
    try:
        MigrationExecutor(connection).migrate(BEFORE)
        assert _indexed() == expected, "the way back leaves the index as it is"
        assert "terms" not in _columns("dsat_casecontent")
        MigrationExecutor(connection).migrate(AFTER)
    finally:
        MigrationExecutor(connection).migrate(leaves)
    assert _kept() == _indexed() == expected
    delete_case(actor=ACTOR, case=Case.objects.get(pk=first.pk))
    assert _indexed() == {second.pk: expected[second.pk]}


def _columns(table: str) -> list[Any]:
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, table)]
