"""The two live blocks of a load test's result: how the run stands, and what its steps measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from mop.loadtest.selectors import Run, follows_by_itself
from mop.loadtest.states import LoadTestState
from mop.registry.models import Revision
from mop.ui.fragments import Action, Live, Status


@dataclass(frozen=True)
class ShownState:
    """A state with a meaning of its own."""

    value: str
    tone: str
    meaning: str


FOLLOWS = ShownState(
    LoadTestState.NOT_STARTED.value, "busy", "The load test that this version asks for begins by itself."
)


def shown_state(revision: Revision, state: LoadTestState) -> Status:
    """The state as the pages show it: one that follows by itself is told from one that nobody asked for."""
    return FOLLOWS if follows_by_itself(revision, state) else state


def is_final(revision: Revision, state: LoadTestState) -> bool:
    """Whether nothing more happens to a revision's load test by itself."""
    if state == LoadTestState.NOT_AVAILABLE:
        return revision.get_status().is_final
    return not state.is_live and not follows_by_itself(revision, state)


def with_blocks(context: dict[str, Any]) -> dict[str, Any]:
    """What a page of the result shows, with its two blocks."""
    query = context["query"]
    blocks = {"now": now_block(context, query), "results_live": results_block(context, query)}
    return with_shown_state(context) | blocks


def with_shown_state(context: dict[str, Any]) -> dict[str, Any]:
    """What the results show, with the state as people read it."""
    return {**context, "shown": shown_state(context["revision"], context["state"])}


def now_block(context: Mapping[str, Any], query: str) -> Live:
    """The state and the numbers of the step that runs."""
    revision, run, state = context["revision"], context["run"], context["state"]
    return Live(
        id="load-test-now",
        url=reverse("loadtest:live_now", args=[revision.model.name, revision.version]),
        query=query,
        seconds=1,
        is_final=is_final(revision, state),
        state=context["now_etag"],
        status=shown_state(revision, state),
        progress="loadtest/components/now.html" if state.is_live else "",
        actions=_actions(context, revision, run),
        announce=f"The load test of {revision.version} is {state.value}",
        moving="The load test goes on",
    )


def results_block(context: Mapping[str, Any], query: str) -> Live:
    """Charts, tables and conditions of the steps that ended."""
    revision = context["revision"]
    return Live(
        id="load-test-results",
        url=reverse("loadtest:live_results", args=[revision.model.name, revision.version]),
        query=query,
        seconds=3,
        is_final=is_final(revision, context["state"]),
        state=[context["results_etag"], context["state"]],
        result="loadtest/components/measured.html",
    )


def _actions(context: Mapping[str, Any], revision: Revision, run: Run | None) -> list[Action]:
    where = [revision.model.name, revision.version]
    actions = []
    if context["may_enable"]:
        label, look = ("Run again", "") if run else ("Enable", "primary")
        actions.append(Action("enable-load-test", label, reverse("loadtest:enable", args=where), look))
    if context["may_cancel"]:
        actions.append(Action("cancel-load-test", "Cancel", reverse("loadtest:cancel", args=where), "danger"))
    if context["may_view_log"]:
        actions.append(Action("load-test-log", "Log", reverse("onboarding:log", args=[*where, "load-test"])))
    return actions
