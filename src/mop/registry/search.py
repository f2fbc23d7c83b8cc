"""Models in the portal's search."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from mop.accounts.models import User
from mop.registry.selectors import visible_models
from mop.ui.search import Hit, Search


def find_models(user: User, text: str, limit: int) -> Sequence[Hit]:
    """Models that the reader may see, by name and description; those whose name begins so come first."""
    fitting = visible_models(user).filter(Q(name__icontains=text) | Q(description__icontains=text))
    first = list(fitting.filter(name__istartswith=text).order_by("name")[:limit])
    rest = list(fitting.exclude(name__istartswith=text).order_by("name")[: limit - len(first)])
    return [Hit(model.name, reverse("registry:model", args=[model.name]), model.description) for model in first + rest]


MODELS = Search("Models", "models", find_models)
