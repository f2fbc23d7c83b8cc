"""Versions of a model beside each other."""

from __future__ import annotations

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.registry.history import compared
from mop.registry.selectors import get_model, visible_revisions
from mop.registry.trails import below_model
from mop.ui.extensions import REVISION_COLUMNS

VERSIONS_MAX = 4
CHOICES_MAX = 100


@require_GET
def compare(request: HttpRequest, name: str) -> HttpResponse:
    """Up to four versions, each named by `version` in the address; the two newest where it names none."""
    user = user_of(request)
    model = get_model(user, name)
    prefetch_related_objects([model], "owners")
    seen = visible_revisions(user).filter(model=model).order_by("-created_at", "-id")
    choices = list(seen.values_list("version", flat=True)[:CHOICES_MAX])
    asked = list(dict.fromkeys(version for version in request.GET.getlist("version") if version))
    chosen = (asked or choices[:2])[:VERSIONS_MAX]
    found = {revision.version: revision for revision in seen.filter(version__in=chosen)}
    revisions = [found[version] for version in chosen if version in found]
    for revision in revisions:
        revision.model = model  # whose owners are known
    lines = compared(
        revisions, REVISION_COLUMNS.shown(request, revisions), sees_logs=may(user, "registry.view_logs", model)
    )
    shown = [revision.version for revision in revisions]
    context = {
        "model": model,
        "revisions": revisions,
        "lines": lines,
        "differing": sum(line.differs for line in lines),
        "choices": [(version, version in shown) for version in dict.fromkeys([*choices, *shown])],
        "unknown": [version for version in chosen if version not in found],
        "limit": VERSIONS_MAX,
        "trail": below_model(name, ("Compare versions", "")),
    }
    return render(request, "registry/compare.html", context)
