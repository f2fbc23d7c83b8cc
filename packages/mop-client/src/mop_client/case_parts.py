"""DSAT cases, golden sets and regression tests."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence, cast

from mop_client.case_documents import (
    Access,
    Case,
    CaseDetail,
    CaseKind,
    CaseState,
    Change,
    GoldenRows,
    GoldenRun,
    GoldenSet,
    Import,
    Outcome,
    Regression,
)
from mop_client.errors import WaitTimeoutError
from mop_client.part import Part, given

POLL_SECONDS = 2.0
PART_BYTES = 1 << 20
_PAGE = 1000


class Dsat(Part):
    """DSAT cases: contents that a downstream service answered wrongly."""

    def list(
        self,
        *,
        task: str | None = None,
        state: CaseState | None = None,
        kind: CaseKind | None = None,
        service: str | None = None,
        assignee: str | None = None,
        submitter: str | None = None,
        search: str | None = None,
        trace_id: str | None = None,
        tag: str | None = None,
    ) -> Iterator[Case]:
        """Cases, newest first; `search`, `trace_id` and `tag` find what you may read. `assignee` may be `nobody`."""
        return self._server.pages(
            "dsat",
            task=task,
            state=state,
            kind=kind,
            service=service,
            assignee=assignee,
            submitter=submitter,
            search=search,
            trace_id=trace_id,
            tag=tag,
        )

    def get(self, number: str) -> CaseDetail:
        """A case by its number, such as DSAT-12, without its content."""
        return cast("CaseDetail", self._server.get("dsat", number))

    def add(self, task: str, content: Mapping[str, Any], **known: Any) -> CaseDetail:
        """Add a case; `similar` of the answer names near duplicates.

        Args:
            task: its name.
            content: `text`; or `image` (base64); or `text` and `images`.
            known: expected_label, kind, predicted_label, trace_id, description, tags, service, restricted.
        """
        body = {"task": task, "content": dict(content), **known}
        return cast("CaseDetail", self._server.post("dsat", body=given(body)))

    def change(self, number: str, **known: Any) -> CaseDetail:
        """Change what is known of a case: the fields of `add`, without task, content and restricted."""
        return cast("CaseDetail", self._server.patch("dsat", number, body=given(known)))

    def delete(self, number: str) -> None:
        """Delete a case with everything that was recorded for it."""
        self._server.delete("dsat", number)

    def open(self, number: str) -> dict[str, Any]:
        """The content of a case; that you read it is recorded."""
        return cast("dict[str, Any]", self._server.post("dsat", number, "open")["content"])

    def assign(self, number: str, username: str | None) -> CaseDetail:
        """Give a case to a person, who reads its content from now on; None: to nobody."""
        return self._do(number, "assign", {"username": username})

    def confirm(self, number: str) -> CaseDetail:
        """Agree that the service answered wrongly."""
        return self._do(number, "confirm")

    def fix(self, number: str, model: str = "", version: str = "") -> CaseDetail:
        """Note which version answers a case as expected; none, where it is none of MOP's."""
        return self._do(number, "fix", {"model": model, "version": version})

    def reject(self, number: str) -> CaseDetail:
        """Say that a case is no fault of a model; regression tests leave it out."""
        return self._do(number, "reject")

    def close(self, number: str) -> CaseDetail:
        """Accept the fix of a case."""
        return self._do(number, "close")

    def reopen(self, number: str) -> CaseDetail:
        """Open a case again that was fixed, closed or rejected."""
        return self._do(number, "reopen")

    def restrict(self, number: str, *, restricted: bool = True) -> CaseDetail:
        """Let submitter and assignee alone read the content, or all whom the task lets read."""
        return self._do(number, "restrict", {"restricted": restricted})

    def comment(self, number: str, text: str) -> CaseDetail:
        """Say something to those who read the content."""
        return self._do(number, "comments", {"text": text})

    def import_file(
        self,
        task: str,
        file: Path,
        *,
        service: str = "",
        restricted: bool = False,
        timeout_seconds: float | None = None,
        poll_seconds: float = POLL_SECONDS,
    ) -> Import:
        """Make cases of the rows of a .csv, .tsv, .jsonl or .ndjson file, and give the report.

        Raises:
            WaitTimeoutError: it is not done by then; `imports` tells how far it is.
        """
        body = {
            "task": task,
            "file_name": file.name,
            "size": file.stat().st_size,
            "service": service,
            "restricted": restricted,
        }
        found = cast("Import", self._server.post("dsat-imports", body=body))
        path = ("dsat-imports", found["id"])
        with file.open("rb") as source:
            for number, data in enumerate(iter(lambda: source.read(PART_BYTES), b"")):
                self._server.put(*path, "parts", number, body={"data": base64.b64encode(data).decode()})
        ends_at = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        found = cast("Import", self._server.post(*path, "start"))
        while not found["is_final"]:
            if ends_at is not None and time.monotonic() >= ends_at:
                raise WaitTimeoutError(
                    f"{file.name} is {found['state']} after {timeout_seconds:g} s.", hint="Wait longer."
                )
            time.sleep(poll_seconds)
            found = cast("Import", self._server.get(*path))
        return found

    def imports(self) -> Sequence[Import]:
        """Your newest imports."""
        return cast("Sequence[Import]", self._server.get("dsat-imports"))

    def access(self, task: str) -> Sequence[Access]:
        """Who reads the cases of a task beside its owners."""
        return cast("Sequence[Access]", self._server.get("tasks", task, "dsat-access"))

    def grant(self, task: str, team: str | None) -> Access:
        """Let a team read the cases of a task; None: yourself, as an administrator."""
        return cast("Access", self._server.post("tasks", task, "dsat-access", body={"team": team}))

    def withdraw(self, task: str, access: int) -> None:
        """Take a right to read back."""
        self._server.delete("tasks", task, "dsat-access", access)

    def _do(self, number: str, what: str, body: Mapping[str, Any] | None = None) -> CaseDetail:
        return cast("CaseDetail", self._server.post("dsat", number, what, body=body))


class GoldenSets(Part):
    """Golden sets: trivial cases of a task that no model may get wrong."""

    def list(self, task: str) -> Sequence[GoldenSet]:
        """The golden sets of a task, by name."""
        return cast("Sequence[GoldenSet]", self._server.get("tasks", task, "golden-sets")["items"])

    def get(self, task: str, name: str) -> GoldenSet:
        """A golden set with its versions."""
        return cast("GoldenSet", self._server.get("tasks", task, "golden-sets", name))

    def supply(self, task: str, name: str, file: Path) -> GoldenSet:
        """Supply a golden set, or its next version, from a .csv or .jsonl file."""
        body = {"name": name, "format": file.suffix.lstrip("."), "content": file.read_text(encoding="utf-8-sig")}
        return cast("GoldenSet", self._server.post("tasks", task, "golden-sets", body=body))

    def rows(self, task: str, name: str, *, version: int | None = None) -> GoldenRows:
        """The rows of a version that you supplied; the newest if left out."""
        return cast("GoldenRows", self._server.get("tasks", task, "golden-sets", name, "rows", version=version))

    def delete(self, task: str, name: str) -> None:
        """Delete a golden set with all that was measured on it."""
        self._server.delete("tasks", task, "golden-sets", name)

    def runs(self, model: str, version: str) -> Sequence[GoldenRun]:
        """How a version does on the golden sets of its tasks."""
        page = self._server.get("models", model, "revisions", version, "golden-sets")
        return cast("Sequence[GoldenRun]", page["items"])

    def run(self, model: str, version: str) -> Sequence[GoldenRun]:
        """Run a version on the golden sets of its tasks again."""
        page = self._server.post("models", model, "revisions", version, "golden-sets", "run")
        return cast("Sequence[GoldenRun]", page["items"])


class Regressions(Part):
    """Regression tests: a version on all DSAT cases of its tasks."""

    def get(self, model: str, version: str, *, other: str | None = None) -> Regression:
        """Pass rates by task, and what changed against `other`, else the version before."""
        return cast("Regression", self._server.get(*self._path(model, version), **{"with": other}))

    def outcomes(
        self, model: str, version: str, *, other: str | None = None, change: Change | None = None
    ) -> Iterator[Outcome]:
        """How every case came out, newest first; never its content."""
        after: int | None = None
        while True:
            query = {"with": other, "change": change, "after": after, "limit": _PAGE}
            page = self._server.get(*self._path(model, version), "cases", **query)
            yield from page["items"]
            after = page["next_after"]
            if after is None:
                return

    def run(self, model: str, version: str) -> Regression:
        """Test a version on every case of its tasks again."""
        return cast("Regression", self._server.post(*self._path(model, version), "run"))

    def cancel(self, model: str, version: str) -> Regression:
        """End a test that waits or runs; a result that stands stays."""
        return cast("Regression", self._server.post(*self._path(model, version), "cancel"))

    def mark_fixed(self, model: str, version: str, cases: Sequence[int] | None = None) -> Sequence[int]:
        """Mark cases that this version passes as fixed by it; None: all that you may. Gives those that changed."""
        return self._settle(model, version, "fixed", cases)

    def close_fixed(self, model: str, version: str, cases: Sequence[int] | None = None) -> Sequence[int]:
        """Close cases that are marked as fixed by this version; None: all that you may. Gives those that changed."""
        return self._settle(model, version, "closed", cases)

    def _settle(self, model: str, version: str, to: str, cases: Sequence[int] | None) -> Sequence[int]:
        body = {"cases": None if cases is None else [*cases]}
        return cast("Sequence[int]", self._server.post(*self._path(model, version), to, body=body)["cases"])

    def _path(self, model: str, version: str) -> tuple[str, ...]:
        return "models", model, "revisions", version, "regression"
