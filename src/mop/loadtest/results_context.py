"""What the result of a load test shows, as a panel, as a page, and while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.accounts.rules import may
from mop.errors import NotFoundError
from mop.loadtest.conditions import Conditions
from mop.loadtest.curves import X_LABELS, charts_of
from mop.loadtest.headline import Headline, differences, headline_of
from mop.loadtest.metrics import measured_metrics
from mop.loadtest.models import LoadTest
from mop.loadtest.plan import Plan
from mop.loadtest.rules import told_error
from mop.loadtest.selectors import Run, comparable_revisions, get_run, overlaid_runs, runs_of, state_without_run
from mop.loadtest.states import LoadTestState
from mop.registry.models import Revision
from mop.serving_options import LoadTestOption
from mop.ui.charts import Drawing, number
from mop.ui.fragments import etag_of

ENDINGS = {
    "finished": "Every step ran.",
    "failing": "The last step failed more than 1 % of its requests.",
    "plateau": "More clients brought no more requests a second.",
    "budget": "Another step would not have fitted into the budget.",
}


@dataclass(frozen=True)
class StepRow:
    """One step in the table: its target, its values as texts, why it is not trusted, and its warnings."""

    target: str
    cells: list[str]
    doubts: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ShownTest:
    test: LoadTest
    state: LoadTestState
    error: dict[str, Any] | None
    plan: Plan
    conditions: Conditions | None
    x_label: str
    charts: list[Drawing]
    headings: list[str]
    rows: list[StepRow]
    ending: str
    headline: Headline | None
    comparisons: list[Comparison]


@dataclass(frozen=True)
class Comparison:
    """Another version's result beside this one: its headline, the change, and why the two do not compare."""

    version: str
    headline: Headline | None
    change: str
    is_better: bool
    differences: list[str]


def result_context(request: HttpRequest, revision: Revision) -> dict[str, Any]:
    """Everything about the run that the address asks for: `?run=` (default: the newest), `?with=VERSION,VERSION`.

    Raises:
        NotFoundError: there is no such run.
    """
    user = user_of(request)
    run = get_run(revision, _run_number(request))
    state = run.state if run else state_without_run(revision)
    option = run.option if run else ""
    versions = _versions(request)
    overlays = overlaid_runs(user, revision, option, versions) if run else []
    candidates = comparable_revisions(user, revision, option) if run else []
    shown = [other.revision.version for other in overlays]
    query = urlencode({name: value for name, value in _query(run, shown).items() if value})
    return {
        "model": revision.model,
        "revision": revision,
        "run": run,
        "runs": runs_of(revision),
        "state": state,
        "title": f"Load test result ({revision.version})" + (f" · {option}" if option else ""),
        "results": [_result(user, test, overlays) for test in run.tests] if run else [],
        "candidates": [(other.version, other.version in shown) for other in candidates],
        "overlaid": shown,
        "query": query,
        **now_context(user, revision, run),
        "results_etag": _results_etag(run, overlays),
    }


def now_context(user: User, revision: Revision, run: Run | None) -> dict[str, Any]:
    """How the run stands at this moment, and what the user may do with it."""
    state = run.state if run else state_without_run(revision)
    may_change = may(user, "loadtest.change", revision)
    is_verified = state_without_run(revision) == LoadTestState.NOT_STARTED
    return {
        "model": revision.model,
        "revision": revision,
        "run": run,
        "state": state,
        "is_live": state.is_live,
        "may_enable": may_change and is_verified and not state.is_live,
        "may_cancel": may_change and state.is_live,
        "may_view_log": run is not None and may(user, "registry.view_logs", revision),
        "now_etag": etag_of([[state], [[test.state, test.note, test.progress] for test in run.tests] if run else []]),
    }


def live_query(request: HttpRequest, revision: Revision) -> Run | None:
    """The run that a live part asks for.

    Raises:
        NotFoundError: there is no such run.
    """
    return get_run(revision, _run_number(request))


def _result(user: User, test: LoadTest, overlays: list[Run]) -> ShownTest:
    others = [other for run in overlays for other in run.tests if other.modality == test.modality]
    steps = [step.measured for step in test.steps.all()]
    metrics = measured_metrics(steps)
    headline = headline_of(test, steps)
    return ShownTest(
        test=test,
        state=test.get_state(),
        error=told_error(user, test),
        plan=test.get_plan(),
        conditions=test.get_conditions(),
        x_label=X_LABELS[LoadTestOption(test.option)],
        charts=charts_of([test, *others], marked=headline.target if headline else None),
        headings=[metric.heading for metric in metrics],
        rows=[
            StepRow(
                target=number(step.target),
                cells=[_shown(metric.of(step)) for metric in metrics],
                doubts=step.untrusted_because,
                warnings=step.warnings,
            )
            for step in steps
        ],
        ending=ENDINGS.get(test.ended, ""),
        headline=headline,
        comparisons=[_comparison(test, headline, other) for other in others],
    )


def _comparison(test: LoadTest, headline: Headline | None, other: LoadTest) -> Comparison:
    theirs = headline_of(other, [step.measured for step in other.steps.all()])
    change = ""
    if headline and theirs and theirs.rps:
        change = f"{(headline.rps / theirs.rps - 1) * 100:+.0f} %".replace("-", "−")  # noqa: RUF001 - a minus sign
    is_better = bool(headline and theirs and headline.rps > theirs.rps)
    return Comparison(other.revision.version, theirs, change, is_better, differences(test, other))


def _shown(value: float | None) -> str:
    return "" if value is None else number(value)


def _results_etag(run: Run | None, overlays: list[Run]) -> str:
    """Changes when a step or a test ends, not with the numbers of the step that runs."""
    runs = [run, *overlays] if run else []
    return etag_of([[[test.pk, test.state, len(test.steps.all())] for test in one.tests] for one in runs])


def _query(run: Run | None, shown: list[str]) -> dict[str, str]:
    return {"run": str(run.number) if run else "", "with": ",".join(shown)}


def _versions(request: HttpRequest) -> list[str]:
    return [word for text in request.GET.getlist("with") for word in text.split(",") if word]


def _run_number(request: HttpRequest) -> int | None:
    text = request.GET.get("run", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - digits of a count
        raise NotFoundError(f"There is no load test run {text!r}.")
    return int(text)
