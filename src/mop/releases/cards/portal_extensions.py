"""What model cards show on pages of versions."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.registry.models import Revision


def card_of_revision(request: HttpRequest, revision: Revision) -> SafeString:
    """The way to a version's card."""
    return render_to_string("releases/components/revision_card.html", {"revision": revision}, request=request)
