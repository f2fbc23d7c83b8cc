"""Models in the portal's search."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import Q
from django.urls import reverse

from mop.accounts.models import User
from mop.registry.listing import FEW
from mop.registry.search_index import matching
from mop.registry.selectors import visible_models
from mop.ui.search import Hit, Search

LAST = "\U0010ffff"


def find_models(user: User, text: str, limit: int) -> Sequence[Hit]:
    """Models that the reader may see, by name and description; those whose name begins so come first.

    Few that fit are read by the index of the search, then sorted. Of many, those whose name begins so are next to each
    other in the order of names, and others are soon enough to fill the answer.
    """
    ids, anywhere = matching(text, FEW + 1)
    few = [key for (key,) in ids.order_by()[: FEW + 1]]
    is_few = len(few) <= FEW
    fitting = visible_models(user).filter(Q(pk__in=few) if is_few else anywhere).order_by("name")
    begins = Q(name__istartswith=text) if is_few else _begins(text)
    first = list(fitting.filter(begins)[:limit])
    rest = list(fitting.exclude(begins)[: limit - len(first)]) if len(first) < limit else []
    return [Hit(model.name, reverse("registry:model", args=[model.name]), model.description) for model in first + rest]


def _begins(text: str) -> Q:
    """Names that begin with a text, case-sensitive, in the form for which the database has an index."""
    if connection.vendor == "sqlite":
        return Q(name__gte=text, name__lt=text + LAST)
    return Q(name__startswith=text)


MODELS = Search("Models", "models", find_models)
