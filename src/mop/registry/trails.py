"""The way to the pages of models and revisions; the last entry is the page itself."""

from __future__ import annotations

from django.urls import reverse

from mop.registry.models import Revision
from mop.ui.pages import Trail


def below_models(*further: tuple[str, str]) -> Trail:
    """To a page below the list of models."""
    return [("Models", reverse("registry:models")), *further]


def below_model(name: str, *further: tuple[str, str]) -> Trail:
    """To a page below a model's."""
    return below_models((name, reverse("registry:model", args=[name])), *further)


def below_revision(revision: Revision, here: str) -> Trail:
    """To a page below a revision's."""
    name, version = revision.model.name, revision.version
    return below_model(name, (version, reverse("registry:revision", args=[name, version])), (here, ""))
