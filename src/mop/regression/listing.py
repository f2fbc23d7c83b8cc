"""What an address of the tab asks for. The address holds everything, so it reproduces the view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from mop.accounts.models import User
from mop.dsat.reading import reader
from mop.dsat.selectors import CaseFilter, cases_for_list
from mop.regression.comparison import Change, compared
from mop.regression.models import RegressionRun

PAGE_ROWS = 20
CHANGES = {"": "All", "broken": "Newly broken", "fixed": "Newly fixed", "failing": "Failing"}
CASES_OF: Mapping[str, tuple[Change, ...]] = {
    "": tuple(Change),
    "broken": (Change.BROKEN,),
    "fixed": (Change.FIXED,),
    "failing": (Change.BROKEN, Change.FAILING, Change.FAILS),
}


@dataclass(frozen=True)
class Query:
    """What an address asks for; what it does not know is left out.

    Attributes:
        version: whose test; empty for the newest tested.
        against: the version it is compared with; empty for the one before.
        change: of CHANGES.
        search: number of a case, or words of trace id and tags.
        page: counts from 1.
    """

    version: str = ""
    against: str = ""
    change: str = ""
    search: str = ""
    page: int = 1

    def address(self, **changes: Any) -> str:
        """The query string of the same list with something changed; a change leads to its first page."""
        changed = replace(self, **{"page": 1, **changes})
        given = {
            "version": changed.version,
            "with": changed.against,
            "change": changed.change,
            "search": changed.search,
            "page": changed.page if changed.page > 1 else "",
        }
        return "?" + urlencode({name: value for name, value in given.items() if value})


def query_of(given: QueryDict) -> Query:
    """The query of an address."""
    page, change = given.get("page", "1"), given.get("change", "")
    return Query(
        version=given.get("version", ""),
        against=given.get("with", ""),
        change=change if change in CHANGES else "",
        search=given.get("search", "").strip()[:200],
        page=int(page) if page.isdecimal() and 0 < len(page) < 6 else 1,  # noqa: PLR2004 - digits
    )


def rows_of(user: User, run: RegressionRun, against: RegressionRun | None, query: Query) -> Any:
    """The outcomes that an address asks for, as a queryset: what changed first, then the newest case.

    What searches content, trace id or tags finds cases alone that the user may read.
    """
    rows = compared(run, against)
    if query.change:
        rows = rows.filter(change__in=[one.value for one in CASES_OF[query.change]])
    if query.search:
        cases, _ = cases_for_list(CaseFilter(search=query.search), reader(user))
        rows = rows.filter(case__in=cases.order_by().values("pk"))
    return rows.order_by("turn", "-case_id")
