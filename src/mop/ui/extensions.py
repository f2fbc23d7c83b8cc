"""Points of pages that areas above may extend: parts of the header, tabs, sections, columns of a table, side panels.

Imports point down the layout, so a page of `catalog` cannot ask `registry` for its connected models; `registry`
declares instead in its `Area` what it adds to which point.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import slugify

from mop.areas.portal_extensions import ExtensionPoint
from mop.areas.registry import registered

_T = TypeVar("_T")
Found = Callable[[], Sequence[_T]]


def extensions_at(point: ExtensionPoint) -> Found[Any]:
    """What gives everything that areas add to a point, by its order and that of the layout, when a page asks."""

    def found() -> list[Any]:
        added = [one for area in registered() for one in area.portal_extensions if one.point is point]
        return [one.what.load() for one in sorted(added, key=lambda one: one.order)]

    return found


@dataclass(frozen=True)
class Tab:
    """One tab: its text and the url name it leads to, with the page's own url arguments."""

    label: str
    url_name: str
    order: int


@dataclass(frozen=True)
class ShownTab:
    """A tab as one request shows it."""

    label: str
    url: str
    is_current: bool
    count: str = ""


@dataclass(frozen=True)
class Tabs:
    """The tabs of one kind of page."""

    found: Found[Tab]

    def shown(self, current: str, **arguments: Any) -> list[ShownTab]:
        """All tabs in order, for a page with these url arguments."""
        ordered = sorted(self.found(), key=lambda tab: tab.order)
        return [
            ShownTab(tab.label, reverse(tab.url_name, kwargs=arguments), is_current=tab.url_name == current)
            for tab in ordered
        ]


@dataclass(frozen=True)
class Sections(Generic[_T]):
    """What areas show under a page, in the layout's order: each is given request and object."""

    found: Found[Callable[[HttpRequest, Any], _T]]

    def shown(self, request: HttpRequest, thing: Any) -> list[_T]:
        """What every section gives."""
        return [section(request, thing) for section in self.found()]


@dataclass(frozen=True)
class LiveSection:
    """A section of a live block, and whether it will change by itself, what follows by itself included."""

    html: SafeString
    is_live: bool


@dataclass(frozen=True)
class Fact:
    """A key fact in the head of a page: its name and its value."""

    label: str
    html: SafeString


@dataclass(frozen=True)
class Cells:
    """What a column shows on one page of a table.

    Attributes:
        html: the cell of each row, by the row's primary key.
        state: what the cells show as plain data, for the ETag of a live table.
        is_live: whether they will change by themselves, what follows by itself included.
        facts: key facts of the thing whose table it is, which the same query found.
    """

    html: Mapping[Any, SafeString]
    state: Any
    is_live: bool
    facts: Sequence[Fact] = ()


@dataclass(frozen=True)
class Column:
    """A column that an area above puts into a table.

    Attributes:
        cells: asked once for all rows of a page, with the thing whose table it is; None: the rows are of several.
        is_usual: shown until somebody chooses otherwise.
        yields: gives way to a docked panel.
    """

    heading: str
    cells: Callable[[HttpRequest, Sequence[Any], Any], Cells]
    is_usual: bool = True
    yields: bool = False

    @property
    def key(self) -> str:
        """Its name in addresses and preferences."""
        return slugify(self.heading)


@dataclass(frozen=True)
class ShownColumns:
    """The columns of one page of a table."""

    columns: Sequence[Column]
    cells: list[Cells]

    @property
    def headings(self) -> list[str]:
        """What stands over them."""
        return [column.heading for column in self.columns]

    @property
    def is_live(self) -> bool:
        """Whether a cell will change by itself."""
        return any(cells.is_live for cells in self.cells)

    @property
    def facts(self) -> list[Fact]:
        """The key facts that the columns bring along, in their order."""
        return [fact for cells in self.cells for fact in cells.facts]

    @property
    def state(self) -> list[Any]:
        """What the cells show, for an ETag."""
        return [cells.state for cells in self.cells]

    def of(self, row: Any) -> list[SafeString]:
        return [cells.html[row.pk] for cells in self.cells]


@dataclass(frozen=True)
class Columns:
    """What areas show in a table, one cell a row."""

    found: Found[Column]

    def shown(self, request: HttpRequest, rows: Sequence[Any], *, of: Any = None) -> ShownColumns:
        """The cells of these rows; with `of` key facts of that thing too, for which there may be no rows."""
        columns = self.found()
        return ShownColumns(columns, [column.cells(request, rows, of) for column in columns])


@dataclass(frozen=True)
class Panel:
    """A side panel of a page: the query parameter that opens it, and what draws it for the parameter's value."""

    parameter: str
    render: Callable[[HttpRequest, Any, str], SafeString]


@dataclass(frozen=True)
class Panels:
    """The side panels of one kind of page, of which one is open at a time."""

    found: Found[Panel]

    def are_asked_for(self, request: HttpRequest) -> bool:
        """Whether the address asks for one of them."""
        return any(request.GET.get(panel.parameter) for panel in self.found())

    def shown(self, request: HttpRequest, thing: Any) -> SafeString | None:
        """The panel that the address asks for; None when it asks for none."""
        for panel in self.found():
            if value := request.GET.get(panel.parameter, ""):
                return panel.render(request, thing, value)
        return None


class HomeList(enum.Enum):
    """The lists of Home."""

    NEEDS = "needs you now"
    RUNS = "running now"
    ENDED = "ended lately"


@dataclass(frozen=True, kw_only=True)
class HomeItem:
    """One thing on Home.

    Attributes:
        place: the list in which it stands.
        what: the object, such as `toxicity v1.0.0`.
        url: of its page.
        text: what follows the name, such as `failed verification`.
        reason: one sentence.
        at: since when.
        action: what the person does about it, verb first.
        action_url: where; empty: the object's page.
        is_fault: something failed.
        icon: its symbol.
    """

    place: HomeList
    what: str
    url: str
    text: str
    at: dt.datetime
    action: str
    reason: str = ""
    action_url: str = ""
    is_fault: bool = False
    icon: str = "info"

    @property
    def look(self) -> str:
        """The class of its symbol."""
        return "t-bad" if self.is_fault else "q"


@dataclass(frozen=True)
class AnalysisPart:
    """What an area tells on Analysis: a number in the head of the page, and a section.

    Attributes:
        label: what the number counts.
        number: as text.
        note: what is to be said about it.
        section: drawn.
    """

    label: str
    number: str
    note: str
    section: SafeString


HOME_ITEMS_MAX = 20
"""How many of a kind an area gives: the newest."""
HOME_DAYS = 7
"""For how long what ended stays on Home."""
# each is given the signed-in user
ANALYSIS_PARTS: Sections[AnalysisPart] = Sections(extensions_at(ExtensionPoint.ANALYSIS))
# each is given the signed-in user
HOME_ITEMS: Sections[Sequence[HomeItem]] = Sections(extensions_at(ExtensionPoint.HOME))
# each is given the signed-in user; empty where there is nothing to show
HOME_CARDS: Sections[SafeString] = Sections(extensions_at(ExtensionPoint.HOME_CARDS))
# under a dataset's status and metadata, each given the dataset
DATASET_SECTIONS: Sections[SafeString] = Sections(extensions_at(ExtensionPoint.DATASET_SECTIONS))
# under the content of a DSAT case, each given the case
DSAT_CASE_SECTIONS: Sections[SafeString] = Sections(extensions_at(ExtensionPoint.DSAT_CASE_SECTIONS))
HEADER_PARTS: Sections[SafeString] = Sections(extensions_at(ExtensionPoint.HEADER))  # each is given the signed-in user
# rows are `registry.listing.ListedModel`
MODEL_COLUMNS = Columns(extensions_at(ExtensionPoint.MODEL_COLUMNS))
# each is given the user whose page it is
ACCOUNT_SECTIONS: Sections[SafeString] = Sections(extensions_at(ExtensionPoint.ACCOUNT_SECTIONS))
MODEL_PANELS = Panels(extensions_at(ExtensionPoint.MODEL_PANELS))
# under the version history, each given the model
MODEL_SECTIONS: Sections[SafeString] = Sections(extensions_at(ExtensionPoint.MODEL_SECTIONS))
MODEL_TABS = Tabs(extensions_at(ExtensionPoint.MODEL_TABS))
# under the evidence of a release, each given the release
RELEASE_SECTIONS: Sections[SafeString] = Sections(extensions_at(ExtensionPoint.RELEASE_SECTIONS))
# each is given the revision; a card that moves asks for itself
REVISION_CARDS: Sections[SafeString] = Sections(extensions_at(ExtensionPoint.REVISION_CARDS))
REVISION_COLUMNS = Columns(extensions_at(ExtensionPoint.REVISION_COLUMNS))
# beside the conditions of a downstream service, each given the service
SERVICE_SECTIONS: Sections[SafeString] = Sections(extensions_at(ExtensionPoint.SERVICE_SECTIONS))
TASK_SECTIONS: Sections[SafeString] = Sections(extensions_at(ExtensionPoint.TASK_SECTIONS))
# in a revision's Details
REVISION_SECTIONS: Sections[LiveSection] = Sections(extensions_at(ExtensionPoint.REVISION_SECTIONS))
