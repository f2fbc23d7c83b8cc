"""Results of versions on hidden datasets."""

from __future__ import annotations

import time
from typing import Any, Iterator, Sequence, cast

from mop_client.errors import WaitTimeoutError
from mop_client.part import Part, given
from mop_client.result_documents import (
    Average,
    Evaluation,
    EvaluationDetail,
    Headline,
    Leaderboard,
    LoadTestRun,
    Metric,
    Rank,
    Verification,
)

POLL_SECONDS = 2.0


class Evaluations(Part):
    """Evaluations: metrics, never rows."""

    def list(self, model: str, version: str) -> Iterator[Evaluation]:
        """The evaluations of a version, by dataset and task."""
        return self._server.pages("models", model, "revisions", version, "evaluations")

    def on_dataset(self, dataset: str) -> Iterator[Evaluation]:
        """Results on a dataset, newest first: of public versions, and single ones that owners published."""
        return self._server.pages("datasets", dataset, "evaluations")

    def get(self, model: str, version: str, task: str, dataset: str, *, other: str | None = None) -> EvaluationDetail:
        """Matrix, metrics with 95 % intervals, curves and slices; with `other` compared with that version."""
        path = ("models", model, "revisions", version, "evaluations", task, dataset)
        return cast("EvaluationDetail", self._server.get(*path, **{"with": other}))

    def rerun(self, model: str, version: str, task: str, dataset: str) -> Evaluation:
        """Run an evaluation again; it counts as a measurement."""
        return self._do(model, version, task, dataset, "rerun")

    def cancel(self, model: str, version: str, task: str, dataset: str) -> Evaluation:
        """End an evaluation that waits or runs; a result that stands stays."""
        return self._do(model, version, task, dataset, "cancel")

    def publish(self, model: str, version: str, task: str, dataset: str) -> Evaluation:
        """Show the single result of a private version on the pages of task and dataset."""
        return self._do(model, version, task, dataset, "publish")

    def withdraw(self, model: str, version: str, task: str, dataset: str) -> Evaluation:
        """Show a published single result no longer."""
        return self._do(model, version, task, dataset, "withdraw")

    def wait(
        self, model: str, version: str, *, timeout_seconds: float | None = None, poll_seconds: float = POLL_SECONDS
    ) -> Sequence[Evaluation]:
        """The evaluations of a version, as soon as all of them are decided.

        Raises:
            WaitTimeoutError: they are not decided by then.
        """
        ends_at = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while True:
            found = [*self.list(model, version)]
            left = [one for one in found if not one["is_final"]]
            if not left:
                return found
            if ends_at is not None and time.monotonic() >= ends_at:
                raise WaitTimeoutError(
                    f"{len(left)} evaluations of {model} {version} go on after {timeout_seconds:g} s.",
                    hint="Wait longer.",
                )
            time.sleep(poll_seconds)

    def verify(self, model: str, version: str, task: str, dataset: str, *, rows: int = 200) -> Verification:
        """Compute a result again by other code, and infer random rows again; 0 rows need no service."""
        path = ("models", model, "revisions", version, "evaluations", task, dataset, "verify")
        return cast("Verification", self._server.post(*path, body={"rows": rows}))

    def verification(self, model: str, version: str, task: str, dataset: str) -> Verification:
        """The newest verification of a result."""
        path = ("models", model, "revisions", version, "evaluations", task, dataset, "verification")
        return cast("Verification", self._server.get(*path))

    def headline(self, task: str) -> Headline:
        """The headline dataset of a task."""
        return cast("Headline", self._server.get("tasks", task, "headline-dataset"))

    def choose_headline(self, task: str, dataset: str | None) -> Headline:
        """Choose the headline dataset of a task; None: the largest that is approved."""
        return cast("Headline", self._server.put("tasks", task, "headline-dataset", body={"dataset": dataset}))

    def rank(self, model: str, version: str, *, average: Average = "macro") -> Sequence[Rank]:
        """The rank percentile of a version by task and metric."""
        page = self._server.get("models", model, "revisions", version, "rank", average=average)
        return cast("Sequence[Rank]", page["items"])

    def leaderboard(self, task: str, *, average: Average = "macro", metric: Metric = "f1") -> Leaderboard:
        """Public usable versions by the average of a metric over the task's approved datasets."""
        return cast("Leaderboard", self._server.get("tasks", task, "leaderboard", average=average, metric=metric))

    def _do(self, model: str, version: str, task: str, dataset: str, what: str) -> Evaluation:
        path = ("models", model, "revisions", version, "evaluations", task, dataset, what)
        return cast("Evaluation", self._server.post(*path))


class LoadTests(Part):
    """Load tests of versions, by the server's workers."""

    def get(self, model: str, version: str, *, run: int | None = None) -> LoadTestRun:
        """The newest run of a version, or the one with this number."""
        return cast("LoadTestRun", self._server.get(*self._path(model, version), run=run))

    def start(self, model: str, version: str, **options: Any) -> LoadTestRun:
        """Start a run.

        Args:
            model: its model.
            version: its version.
            options: option (PerRPS or PerConcurrency), steps, duration, warm_up, budget, seed, arrivals; what is left
                out is the version's and the installation's.
        """
        return cast("LoadTestRun", self._server.post(*self._path(model, version), body=given(options)))

    def cancel(self, model: str, version: str) -> LoadTestRun:
        """End the run that waits or runs."""
        return cast("LoadTestRun", self._server.post(*self._path(model, version), "cancel"))

    def wait(
        self, model: str, version: str, *, timeout_seconds: float | None = None, poll_seconds: float = POLL_SECONDS
    ) -> LoadTestRun:
        """The newest run, as soon as it has ended.

        Raises:
            WaitTimeoutError: it has not by then.
        """
        ends_at = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while not (found := self.get(model, version))["is_final"]:
            if ends_at is not None and time.monotonic() >= ends_at:
                raise WaitTimeoutError(
                    f"The load test of {model} {version} is {found['state']} after {timeout_seconds:g} s.",
                    hint="Wait longer.",
                )
            time.sleep(poll_seconds)
        return found

    def _path(self, model: str, version: str) -> tuple[str, ...]:
        return "models", model, "revisions", version, "load-test"
