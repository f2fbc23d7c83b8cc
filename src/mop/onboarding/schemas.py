"""What the API gives of logs."""

from __future__ import annotations

import datetime as dt

from ninja import Schema


class LineOut(Schema):
    """One line of a log, numbered from 1."""

    number: int
    at: dt.datetime
    text: str


class LogPageOut(Schema):
    """Lines in order; `next` is the cursor of the page after, null when no more was written by now.

    To follow a log that grows, ask again with `after=last`.
    """

    items: list[LineOut]
    total: int
    next: str | None
    last: int
