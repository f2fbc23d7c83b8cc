"""API of the guides."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from mop.help.guides import Guide, get_guide, groups
from mop.help.schemas import GuideDetail, GuideOut

router = Router(tags=["help"])


@router.get("/guides", response=list[GuideOut])
def list_guides(request: HttpRequest) -> list[Guide]:  # noqa: ARG001 - ninja passes it
    """The guides of the help, in its order."""
    return [guide for _, guides in groups() for guide in guides]


@router.get("/guides/{name}", response=GuideDetail)
def get_one_guide(request: HttpRequest, name: str) -> Guide:  # noqa: ARG001 - ninja passes it
    """One guide with its text."""
    return get_guide(name)
