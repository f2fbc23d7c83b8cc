"""Whatever the portal does, the API does: each page that changes something has its operation, or a reason for none."""

from __future__ import annotations

from mop.areas.permissions import Row
from support.addresses import operations
from support.permission_table import page_rows
from support.portal_operations import OPERATIONS, Reason

DJANGO_ADMIN = "/admin/"  # for emergencies: what it does has a page of MOP's own


def changing_pages() -> set[str]:
    rows: list[Row] = page_rows()
    return {row.path for row in rows if row.method == "POST" and not row.path.startswith(DJANGO_ADMIN)}


def test_each_page_that_changes_something_names_its_operations_or_says_why_there_is_none():
    assert changing_pages() - set(OPERATIONS) == set(), "give these a line in support/portal_operations.py"
    assert set(OPERATIONS) - changing_pages() == set(), "these pages are gone"


def test_the_operations_exist():
    known = {f"{method} {path}" for method, path in operations()}
    named = {one for found in OPERATIONS.values() if not isinstance(found, Reason) for one in found}
    assert named - known == set()
    assert all(found for found in OPERATIONS.values())


def test_an_operation_that_reads_is_none_that_changes():
    reading = [
        path
        for path, found in OPERATIONS.items()
        if not isinstance(found, Reason) and all(one.startswith("GET ") for one in found)
    ]
    assert reading == []
