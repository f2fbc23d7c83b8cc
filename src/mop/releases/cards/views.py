"""Pages of model cards."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.errors import NotFoundError
from mop.registry.selectors import get_revision
from mop.registry.trails import below_revision
from mop.releases.cards.card_sections import sections_of
from mop.releases.cards.collecting import Reader, card_of
from mop.releases.cards.formats import FORMATS
from mop.releases.cards.responses import given_out


@require_GET
def card(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The model card of a version."""
    user = user_of(request)
    revision = get_revision(user, name, version)
    found = card_of(revision, Reader(user))
    context = {
        "revision": revision,
        "model": revision.model,
        "trail": below_revision(revision, "Model card"),
        "card": found,
        "headlines": [one for one in found.results if one.headline.value is not None],
        "sections": sections_of(found),
        "formats": FORMATS,
        "may_change": may(user, "registry.change_model", revision.model),
    }
    return render(request, "releases/card.html", context)


@require_GET
def download(request: HttpRequest, name: str, version: str, kind: str) -> HttpResponse:
    """The model card as a file."""
    user = user_of(request)
    if kind not in FORMATS:
        raise NotFoundError(f"There is no model card as {kind!r}; there are {', '.join(FORMATS)}.")
    return given_out(card_of(get_revision(user, name, version), Reader(user)), FORMATS[kind], ending=kind)
