"""A model card as an answer."""

from __future__ import annotations

import hashlib

from django.http import HttpResponse

from mop.releases.cards.document import Card
from mop.releases.cards.formats import CardFormat


def given_out(card: Card, chosen: CardFormat, *, ending: str) -> HttpResponse:
    """The card as a file. Its ETag is the digest of its content."""
    content = chosen.write(card).encode()
    response = HttpResponse(content, content_type=chosen.media_type)
    response["ETag"] = f'"{hashlib.sha256(content).hexdigest()}"'
    # a file to keep: opened in the portal's origin, its style would be refused
    response["Content-Disposition"] = f'attachment; filename="{card.model}-{card.version}-card.{ending}"'
    return response
