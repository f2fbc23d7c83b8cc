"""Places in pages that areas above may fill: parts of the header, tabs, sections, columns of a table, side panels.

Imports point down the layout, so a page of `catalog` can not ask `registry` for its connected models; `registry`
puts them in here instead, in its `AppConfig.ready()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString


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


@dataclass
class Tabs:
    """The tabs of one kind of page."""

    _tabs: dict[str, Tab] = field(default_factory=dict)

    def register(self, tab: Tab) -> None:
        """Put in a tab; the same url name again replaces it."""
        self._tabs[tab.url_name] = tab

    def shown(self, current: str, **arguments: Any) -> list[ShownTab]:
        """All tabs in order, for a page with these url arguments."""
        ordered = sorted(self._tabs.values(), key=lambda tab: tab.order)
        return [
            ShownTab(tab.label, reverse(tab.url_name, kwargs=arguments), is_current=tab.url_name == current)
            for tab in ordered
        ]


Shown = TypeVar("Shown")


@dataclass
class Sections(Generic[Shown]):
    """What areas above show under a page: each is given the request and the page's object."""

    _sections: list[Callable[[HttpRequest, Any], Shown]] = field(default_factory=list)

    def register(self, section: Callable[[HttpRequest, Any], Shown]) -> None:
        """Put in a section; sections stand in the order of INSTALLED_APPS."""
        if section not in self._sections:
            self._sections.append(section)

    def shown(self, request: HttpRequest, thing: Any) -> list[Shown]:
        """What every section gives."""
        return [section(request, thing) for section in self._sections]


@dataclass(frozen=True)
class LiveSection:
    """A section of a live block, and whether it will change by itself, what follows by itself included."""

    html: SafeString
    is_live: bool


@dataclass(frozen=True)
class Cells:
    """What a column shows on one page of a table.

    Attributes:
        html: the cell of each row, by the row's primary key.
        state: what the cells show as plain data, for the ETag of a live table.
        is_live: whether they will change by themselves, what follows by itself included.
    """

    html: Mapping[Any, SafeString]
    state: Any
    is_live: bool


@dataclass(frozen=True)
class Column:
    """A column that an area above puts into a table; `cells` is asked once for all rows of a page."""

    heading: str
    cells: Callable[[HttpRequest, Sequence[Any]], Cells]


@dataclass(frozen=True)
class ShownColumns:
    """The columns of one page of a table."""

    headings: list[str]
    cells: list[Cells]

    @property
    def is_live(self) -> bool:
        """Whether a cell will change by itself."""
        return any(cells.is_live for cells in self.cells)

    @property
    def state(self) -> list[Any]:
        """What the cells show, for an ETag."""
        return [cells.state for cells in self.cells]

    def of(self, row: Any) -> list[SafeString]:
        """The cells of one row."""
        return [cells.html[row.pk] for cells in self.cells]


@dataclass
class Columns:
    """What areas above show in a table, one cell a row."""

    _columns: dict[str, Column] = field(default_factory=dict)

    def register(self, column: Column) -> None:
        """Put in a column; the same heading again replaces it."""
        self._columns[column.heading] = column

    def shown(self, request: HttpRequest, rows: Sequence[Any]) -> ShownColumns:
        """The columns for the rows of a page."""
        columns = self._columns.values()
        return ShownColumns([column.heading for column in columns], [column.cells(request, rows) for column in columns])


@dataclass(frozen=True)
class Panel:
    """A side panel of a page: the query parameter that opens it, and what draws it for the parameter's value."""

    parameter: str
    render: Callable[[HttpRequest, Any, str], SafeString]


@dataclass
class Panels:
    """The side panels of one kind of page, of which one is open at a time."""

    _panels: dict[str, Panel] = field(default_factory=dict)

    def register(self, panel: Panel) -> None:
        """Put in a panel; the same parameter again replaces it."""
        self._panels[panel.parameter] = panel

    def shown(self, request: HttpRequest, thing: Any) -> SafeString | None:
        """The panel that the address asks for; None when it asks for none."""
        for parameter, panel in self._panels.items():
            if value := request.GET.get(parameter, ""):
                return panel.render(request, thing, value)
        return None


HEADER_PARTS: Sections[SafeString] = Sections()  # each is given the signed-in user
MODEL_PANELS = Panels()
MODEL_TABS = Tabs()
REVISION_COLUMNS = Columns()
TASK_SECTIONS: Sections[SafeString] = Sections()
REVISION_SECTIONS: Sections[LiveSection] = Sections()  # in a revision's Details
