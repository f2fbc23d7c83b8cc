"""What load tests show on the pages of models: a column of the version history, a part of Details, a side panel."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.loadtest.headline import Headline, Standing, standings_and_newest, standings_of
from mop.loadtest.live_blocks import is_final, shown_state, with_blocks
from mop.loadtest.results_context import result_context
from mop.loadtest.selectors import is_held_off
from mop.loadtest.states import LoadTestState
from mop.registry.models import Model, Revision
from mop.registry.selectors import get_revision, visible_revisions
from mop.ui.extensions import Cells, Column, Fact, LiveSection, Panel

WITHOUT_RESULT = frozenset({LoadTestState.NOT_AVAILABLE, LoadTestState.NOT_STARTED})


def _cells(request: HttpRequest, revisions: Sequence[Revision], model: Model | None) -> Cells:
    user = user_of(request)
    standings, newest = standings_and_newest(revisions, visible_revisions(user).filter(model=model) if model else None)
    may_change = bool(revisions) and may(user, "loadtest.change", revisions[0])
    return Cells(
        html={
            row.pk: _cell(
                request,
                row,
                standings[row.pk],
                place="load-test",
                may_change=may_change,
            )
            for row in revisions
        },
        state=[standings[row.pk].state for row in revisions],
        is_live=any(not is_final(row, standings[row.pk].state) for row in revisions),
        facts=_peak(request, *newest) if newest else (),
    )


def _cell(
    request: HttpRequest,
    revision: Revision,
    standing: Standing,
    *,
    place: str,
    may_change: bool,
) -> SafeString:
    state = standing.state
    context = {
        "place": place,
        "revision": revision,
        "state": shown_state(revision, state),
        "headline": standing.headline if state == LoadTestState.FINISHED else None,
        "has_result": state not in WITHOUT_RESULT,
        "may_enable": may_change and state == LoadTestState.NOT_STARTED,
    }
    return render_to_string("loadtest/components/cell.html", context, request=request)


def result_section(request: HttpRequest, revision: Revision) -> LiveSection:
    """The state of a revision's load test in its Details."""
    standing = standings_of([revision])[revision.pk]
    state = standing.state
    may_change = may(user_of(request), "loadtest.change", revision)
    cell = _cell(request, revision, standing, place="details-load-test", may_change=may_change)
    context = {"cell": cell, "state": shown_state(revision, state), "is_held_off": is_held_off(revision)}
    html = render_to_string("loadtest/components/section.html", context, request=request)
    return LiveSection(html, is_live=not is_final(revision, state))


def _peak(request: HttpRequest, revision: Revision, headline: Headline) -> list[Fact]:
    """The peak of the newest version that was load-tested, in the head of the model's page."""
    context = {"revision": revision, "headline": headline}
    return [Fact("Load test", render_to_string("loadtest/components/fact.html", context, request=request))]


def _panel(request: HttpRequest, model: Model, version: str) -> SafeString:
    revision = get_revision(user_of(request), model.name, version)
    context = {"load_test": with_blocks(result_context(request, revision))}
    return render_to_string("loadtest/components/panel.html", context, request=request)


COLUMN = Column("Load test result", _cells)
PANEL = Panel("load-test", _panel)
