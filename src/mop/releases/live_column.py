"""Where each version of a model is live: a column of its version history, and a key fact in the head of its page."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.registry.models import Model, Revision
from mop.registry.selectors import visible_revisions
from mop.releases.release_models import LiveSlot
from mop.ui.extensions import Cells, Column, Fact

SERVICES_SHOWN = 2


def _cells(request: HttpRequest, revisions: Sequence[Revision], model: Model | None) -> Cells:
    wanted = Q(live__revision__in=[row.pk for row in revisions])
    if model:
        wanted |= Q(live__revision__in=visible_revisions(user_of(request)).filter(model=model).values("pk"))
    slots = LiveSlot.objects.filter(wanted).order_by("service__name")
    rows = slots.values_list("live__revision", "live__revision__version", "service__name").distinct()
    services: dict[uuid.UUID, list[str]] = {}
    versions: dict[str, list[str]] = {}
    for key, version, service in rows:
        services.setdefault(key, []).append(service)
        versions.setdefault(service, []).append(version)
    return Cells(
        html={row.pk: _drawn("live_cell", {"services": services.get(row.pk, ())}) for row in revisions},
        state=[services.get(row.pk, []) for row in revisions],
        is_live=False,
        facts=_fact(versions) if model else (),
    )


def _fact(versions: dict[str, list[str]]) -> list[Fact]:
    """What is live in which services."""
    if not versions:
        return []
    shown = list(versions.items())[:SERVICES_SHOWN]
    return [Fact("Live in", _drawn("live_fact", {"services": shown, "more": len(versions) - len(shown)}))]


def _drawn(name: str, context: dict[str, object]) -> SafeString:
    return render_to_string(f"releases/components/{name}.html", context)


COLUMN = Column("Live in", _cells, is_usual=False, yields=True)
