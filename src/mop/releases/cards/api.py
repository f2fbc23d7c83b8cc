"""API of model cards."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router

from mop.accounts.access import caller_of
from mop.registry.selectors import get_revision
from mop.releases.cards.collecting import Reader, card_of
from mop.releases.cards.formats import FORMATS
from mop.releases.cards.responses import given_out

router = Router(tags=["model cards"])

FormatName = Literal["json", "md", "html"]


@router.get("/models/{name}/revisions/{version}/card")
def get_card(request: HttpRequest, name: str, version: str, format: FormatName = "json") -> HttpResponse:  # noqa: A002 - the parameter's name
    """The model card of a version as JSON, Markdown or one HTML file. Everyone who sees the revision.

    Single findings are in it for owners and administrators. The same evidence gives the same bytes.
    """
    user = caller_of(request).user
    revision = get_revision(user, name, version)
    return given_out(card_of(revision, Reader(user)), FORMATS[format], ending=format)
