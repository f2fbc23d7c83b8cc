"""The cells of a row of results as HTML: a page has hundreds of them, and a template takes many times as long."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from mop.datasets.templatetags.datasets_ui import thousands
from mop.evaluation.listing import Query
from mop.evaluation.models import Evaluation
from mop.evaluation.reports.comparison import DifferenceOut
from mop.evaluation.reports.names import METRICS
from mop.evaluation.states import EvaluationState
from mop.evaluation.templatetags.evaluation_ui import give_or_take, score
from mop.ui.figures import Span, interval_figure
from mop.ui.templatetags.mop_times import ago
from mop.ui.templatetags.mop_ui import icon

Ends = tuple[float, float]
NOTHING = SafeString("")
NO_LABEL = SafeString('<span class="q">no such label</span>')


class Cells:
    """What the rows of a page have in common.

    Args:
        query: of the page.
        scope: model, task or dataset: what the page is of.
        span: of the column of intervals.
    """

    def __init__(self, query: Query, scope: str, span: Span) -> None:
        self._query, self._scope, self._span = query, scope, span
        self._metric = METRICS[query.metric]
        self._others = [(name, query.metric_field(key)) for key, name in METRICS.items() if key != query.metric]

    @cached_property
    def _pin(self) -> SafeString:
        return icon("pin", "i--s")

    def check(self, row: Evaluation, *, pin: str) -> SafeString:
        """The link that pins a row, or takes the pin away."""
        link = NOTHING
        if row.is_measured:
            link = format_html(
                '<a class="{}" href="{}#results" rel="nofollow" title="{}">{}{}<span class="vh">{} {}, {}</span></a>',
                "btn btn--s" if pin else "ib ib--s",
                self._query.toggled(row.pk),
                "Unpin" if pin else "Pin for comparison",
                self._pin,
                pin,
                ": unpin" if pin else "Pin",
                row.dataset.name,
                row.revision.version,
            )
        return format_html('<td role="cell" class="card-check">{}</td>', link)

    def title(self, row: Evaluation, *, is_linked: bool, names_dataset: bool) -> SafeString:
        """Whose result it is, and what is particular about it."""
        model, version = row.revision.model.name, row.revision.version
        dataset = f"{row.dataset.name}, " if names_dataset else ""
        if self._scope == "model":
            name = format_html("{}{}", dataset, version)
        elif is_linked:
            name = format_html(
                '{}<a href="{}">{}</a> {}', dataset, reverse("registry:model", args=[model]), model, version
            )
        else:
            name = format_html("{}{} {}", dataset, model, version)
        return format_html(
            '<th role="rowheader" scope="row" class="card-title"><span class="strong n">{}</span>{}</th>',
            name,
            _tags(row, tells_runs=self._scope == "model" or is_linked),
        )

    def values(self, row: Evaluation, ends: Ends | None, *, reference: float | None, is_baseline: bool) -> SafeString:
        """The chosen metric and its interval."""
        value = getattr(row, self._query.metric_field(self._query.metric))
        return format_html(
            '<td role="cell" class="nowrap" data-label="{}, 95 % interval">{} {}</td>'
            '<td role="cell" data-label="{}">{}</td>',
            self._metric,
            self._score(row, value),
            give_or_take(ends),
            str(self._span),
            interval_figure(self._span, value, ends, baseline=reference, look="c1" if is_baseline else ""),
        )

    def shift(self, difference: DifferenceOut | None, words: str) -> SafeString:
        """The difference to the baseline, or why there is none; empty outside the comparison mode."""
        if not self._query.compares:
            return NOTHING
        if difference is not None:
            html: str = render_to_string(
                "evaluation/components/difference.html", {"difference": difference, "than": "A"}
            )
        elif words:
            html = format_html('<span class="q">{}</span>', words)
        else:
            html = mark_safe('<span class="q" title="Pin it to compare it with A">–</span>')  # noqa: RUF001 - our words
        return format_html('<td role="cell" class="card-third nowrap" data-label="Difference to A">{}</td>', html)

    def others(self, row: Evaluation, partition: str) -> SafeString:
        """The metrics beside the chosen one, and how it was measured."""
        metrics = [
            format_html(
                '<td role="cell" class="num card-third" data-label="{}">{}</td>',
                name,
                self._score(row, getattr(row, field)),
            )
            for name, field in self._others
        ]
        return format_html(
            '{}<td role="cell" class="card-third hide-m nowrap" data-label="Best partition">{}</td>'
            '<td role="cell" class="num card-none hide-m" data-label="Samples">{}</td>'
            '<td role="cell" class="card-third nowrap" data-label="Evaluated">{}</td>',
            _joined(metrics),
            partition or "–",  # noqa: RUF001 - nothing
            thousands(row.rows),
            ago(row.measured_at),
        )

    def _score(self, row: Evaluation, value: float | None) -> SafeString:
        """A metric; a task without the chosen label says so, because nothing is undefined there."""
        if value is None and self._query.label and self._query.label not in row.task.labels:
            return NO_LABEL
        return score(value)

    @staticmethod
    def end(row: Evaluation, url: str) -> SafeString:
        """The link to the details; none where a row leads nowhere."""
        link = NOTHING
        if url:
            link = format_html(
                '<a href="{}">Details<span class="vh"> of {}, {}</span></a>',
                url,
                row.dataset.name,
                row.revision.version,
            )
        return format_html('<td role="cell" class="card-end">{}</td>', link)


def _tags(row: Evaluation, *, tells_runs: bool) -> SafeString:
    """Of a single result that was published everybody is told the result, and nothing of the version's runs."""
    found = []
    if row.is_stale:
        found.append(
            _tag("Environment, dataset or mapping changed since it was measured", "stale", look="tag tag--warn")
        )
    if row.is_published:
        found.append(_tag("A single result of a private version, published by its owner", "published"))
    state = row.get_state()
    if not tells_runs:
        return _joined(found)
    if row.is_measured and not state.is_final:
        share = f", {row.progress} %" if state == EvaluationState.RUNNING else ""
        found.append(format_html(' <span class="tag tag--busy">{} again{}</span>', state.value, share))
    elif row.is_measured and state != EvaluationState.FINISHED:
        found.append(_tag("How the last run ended; the result before it stands", f"last run: {state.value}"))
    return _joined(found)


def _tag(title: str, words: str, *, look: str = "tag") -> SafeString:
    return format_html(' <span class="{}" title="{}">{}</span>', look, title, words)


def _joined(parts: Sequence[SafeString]) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 - each part is escaped
