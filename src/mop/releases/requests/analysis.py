"""What of releases stands on Analysis: which are live, for how long, and how good they are."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Count, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.models import User
from mop.evaluation.beside_versions import headlines_of
from mop.registry.statuses import RevisionStatus
from mop.regression.models import RegressionRun
from mop.releases.release_models import LiveSlot
from mop.releases.requests.selectors import visible_releases
from mop.ui.extensions import AnalysisPart

SLOTS_SHOWN = 12


class _Row(NamedTuple):
    slot: LiveSlot
    dsat: float | None
    metric: float | None


def releases_live(request: HttpRequest, user: User) -> AnalysisPart:
    """What is live in every service, as far as the person may see it; the longest live first. Four queries."""
    slots = LiveSlot.objects.filter(live__in=visible_releases(user).order_by().values("pk"))
    counted = slots.aggregate(
        releases=Count("live", distinct=True),
        services=Count("service", distinct=True),
        fallen=Count("live", distinct=True, filter=Q(live__revision__status=RevisionStatus.VULNERABLE)),
    )
    shown = list(
        slots.select_related("service", "taxonomy", "live__revision").order_by("live_since", "pk")[:SLOTS_SHOWN]
    )
    versions = {slot.live.revision.pk: slot.live.revision for slot in shown if slot.live.revision is not None}
    headlines = headlines_of(list(versions.values()))
    rates = pass_rates(versions)
    rows = []
    for slot in shown:
        key = slot.live.revision_id
        metric = next(
            (
                one.evaluation.headline
                for one in (headlines.get(key, ()) if key is not None else ())
                if (one.evaluation.task.taxonomy_id, one.evaluation.task.modality) == (slot.taxonomy_id, slot.modality)
            ),
            None,
        )
        rows.append(_Row(slot, rates.get(key), metric))
    services, fallen = counted["services"], counted["fallen"]
    note = f"in {services} service{'' if services == 1 else 's'}" + (f", {fallen} vulnerable" if fallen else "")
    section = render_to_string("releases/components/analysis_live.html", {"rows": rows}, request)
    return AnalysisPart("Releases live", str(counted["releases"]), note, SafeString(section))


def pass_rates(revision_ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID | None, float]:
    """Per cent of the DSAT cases that versions passed in their newest regression test; none where there was no case."""
    runs = RegressionRun.objects.filter(revision__in=[one for one in revision_ids if one is not None], cases__gt=0)
    return {run.revision_id: 100 * (run.passed or 0) / run.cases for run in runs if run.cases}
