"""The version history as people see it: its columns, which of them the table shows, what the record holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from mop.registry.models import Revision
from mop.ui.extensions import ShownColumns

SESSION_KEY = "history_columns"


@dataclass(frozen=True)
class HistoryColumn:
    """A column of the version history.

    Attributes:
        key: its name in the preference; an own one is drawn by `history_value.html`.
        is_pinned: always shown, and stays when the table scrolls.
        is_usual: shown until somebody chooses otherwise.
        look: classes of its cells in the table.
        is_logs: only for those who may read the logs.
    """

    key: str
    heading: str
    is_pinned: bool = False
    is_usual: bool = False
    look: str = ""
    is_logs: bool = False


PINNED = (
    HistoryColumn("version", "Version", is_pinned=True, look="pin card-title"),
    HistoryColumn("status", "Status", is_pinned=True, look="pin pin-2 card-wide card-bare"),
)
OWN = (
    HistoryColumn("publish", "Publish status", is_usual=True, look="hide-p"),
    HistoryColumn("note", "Version note", is_usual=True, look="hide-p hide-m card-wide"),
    HistoryColumn("created", "Created time", is_usual=True, look="card-end"),
    HistoryColumn("created-by", "Created by", look="hide-p"),
    HistoryColumn("regression", "Enable regression test", look="hide-p"),
    HistoryColumn("sample", "Sample post data", look="hide-p"),
    HistoryColumn("instance-type", "Instance type", look="hide-p"),
    HistoryColumn("configuration", "Model configuration", look="hide-p"),
    HistoryColumn("load-test-option", "Load test option", look="hide-p"),
    HistoryColumn("logs", "Logs", look="hide-p", is_logs=True),
    HistoryColumn("model-type", "Model type", look="hide-p"),
    HistoryColumn("model-url", "Model url", look="hide-p"),
    HistoryColumn("digest", "Artifact digest", look="hide-p"),
    HistoryColumn("revision-id", "Revision id", look="hide-p"),
)
RECORD_ORDER = (
    *("regression", "sample", "instance-type", "configuration", "load-test-option", "logs", "model-type", "created"),
    *("created-by", "publish", "model-url", "digest", "revision-id", "note"),
)


@dataclass(frozen=True)
class Value:
    """One value of a version: an area's as HTML, one of our own by its column's key."""

    column: HistoryColumn
    html: SafeString | None = None


@dataclass(frozen=True)
class Row:
    """A version in the table: its cells, and its record when it is open."""

    revision: Revision
    cells: list[Value]
    record: list[Value]


@dataclass(frozen=True)
class History:
    """A page of the version history.

    Attributes:
        columns: of the table.
        choices: every column, and whether the table shows it.
    """

    columns: list[HistoryColumn]
    choices: list[tuple[HistoryColumn, bool]]
    rows: list[Row]


def history_of(
    revisions: Sequence[Revision], areas: ShownColumns, *, chosen: Iterable[str] | None, opened: str, sees_logs: bool
) -> History:
    """The table and the open record.

    Args:
        revisions: of the page.
        areas: columns that areas above add.
        chosen: keys of the columns that the reader wants; None for the usual ones.
        opened: the version whose record is open; empty for none.
        sees_logs: whether the reader may read the logs.
    """
    own = [column for column in OWN if sees_logs or not column.is_logs]
    added = [
        HistoryColumn(one.key, one.heading, is_usual=one.is_usual, look="hide-p" if one.yields else "")
        for one in areas.columns
    ]
    every = [*PINNED, *added, *own]
    wanted = {column.key for column in every if column.is_usual} if chosen is None else set(chosen)
    shown = [column for column in every if column.is_pinned or column.key in wanted]
    rows = []
    for revision in revisions:
        html = dict(zip((column.key for column in added), areas.of(revision), strict=True))
        record = []
        if revision.version == opened:
            by_key = {column.key: column for column in own}
            # an area's cell stands once on the page: it may hold ids
            record = [Value(column, html[column.key]) for column in added if column not in shown]
            record += [Value(by_key[key]) for key in RECORD_ORDER if key in by_key]
        rows.append(Row(revision, [Value(column, html.get(column.key)) for column in shown], record))
    return History(shown, [(column, column in shown) for column in every], rows)


@dataclass(frozen=True)
class Line:
    """One column of the history across versions that are compared, and whether they differ in it."""

    column: HistoryColumn
    values: list[tuple[Revision, Value]]
    differs: bool


def compared(revisions: Sequence[Revision], areas: ShownColumns, *, sees_logs: bool) -> list[Line]:
    """Every column, with the values of these versions beside each other.

    Args:
        revisions: the versions, in the order in which they are shown.
        areas: columns that areas above add.
        sees_logs: whether the reader may read the logs.
    """
    added = [HistoryColumn(column.key, column.heading) for column in areas.columns]
    html = [dict(zip((column.key for column in added), areas.of(revision), strict=True)) for revision in revisions]
    lines = []
    for column in (PINNED[1], *added, *(column for column in OWN if sees_logs or not column.is_logs)):
        values = [Value(column, cells.get(column.key)) for cells in html]
        texts = {_text(revision, value) for revision, value in zip(revisions, values, strict=True)}
        lines.append(Line(column, list(zip(revisions, values, strict=True)), differs=len(texts) > 1))
    return lines


def _text(revision: Revision, value: Value) -> str:
    """What a value says, to tell whether another one says the same."""
    if value.html is not None:
        return " ".join(strip_tags(value.html).replace(revision.version, "").split())
    read = _OWN_VALUES.get(value.column.key)
    return json.dumps(read(revision), default=str) if read else ""


_OWN_VALUES: dict[str, Callable[[Revision], Any]] = {
    "status": lambda revision: revision.status,
    "publish": lambda revision: revision.publish_status,
    "note": lambda revision: revision.note,
    "created-by": lambda revision: revision.created_by_id,
    "regression": lambda revision: revision.regression_enabled,
    "sample": lambda revision: revision.sample_post_data,
    "instance-type": lambda revision: revision.instance_type_id,
    "configuration": lambda revision: [
        *(revision.server, revision.worker_number, revision.thread_number, revision.batch_enabled),
        *(revision.batch_max_size, revision.batch_idle_size, revision.batch_max_interval),
    ],
    "load-test-option": lambda revision: revision.load_test_option,
    "model-url": lambda revision: revision.model_url,
    "digest": lambda revision: revision.artifact_digest,
}


def chosen_columns(session: SessionBase) -> list[str] | None:
    """Keys of the columns that the reader chose; None when they chose none."""
    kept = session.get(SESSION_KEY)
    return [str(key) for key in kept] if isinstance(kept, list) else None


def choose_columns(session: SessionBase, keys: Iterable[str] | None) -> None:
    """Keep which columns the reader wants; None goes back to the usual ones. Unknown keys show nothing."""
    if keys is None:
        session.pop(SESSION_KEY, None)
    else:
        session[SESSION_KEY] = sorted({key[:100] for key in keys})[:100]
