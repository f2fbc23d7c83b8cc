"""What the API tells of the guides."""

from __future__ import annotations

from ninja import Schema


class GuideOut(Schema):
    """A guide by its name; `group` is the heading under which the help lists it."""

    name: str
    title: str
    group: str


class GuideDetail(GuideOut):
    """A guide with its text, in Markdown."""

    text: str
