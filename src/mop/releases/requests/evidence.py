"""The evidence of a release as one document: what it is frozen to at the request and at the decision.

    now = evidence_of(revision, service, connections)
    now.digest == release.evidence_digest or now.changes_since(release.evidence_at_request)

The digest is of everything but the time and the difference to what is live, which follows from the rest: two
documents with one digest say the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from mop.findings.selectors import current_scan
from mop.registry.models import Revision, TaskConnection
from mop.releases.gates.report import GateDocument
from mop.releases.gates.verdicts import Result
from mop.releases.judging import gate_document
from mop.releases.models import Service
from mop.releases.release_models import LiveSlot
from mop.releases.requests.difference import difference_to
from mop.releases.requests.preconditions import Precondition, disconnected, preconditions
from mop.releases.requests.selectors import previous_revision

FORMAT = 1


@dataclass(frozen=True)
class Evidence:
    """What is known of a version for one service and some tasks, at one moment."""

    document: Mapping[str, Any]
    preconditions: tuple[Precondition, ...]
    gates: GateDocument

    @property
    def digest(self) -> str:
        """Of everything that decides."""
        return digest_of_document(self.document)

    @property
    def unmet(self) -> list[Precondition]:
        """The preconditions that do not hold."""
        return [one for one in self.preconditions if not one.holds]

    @property
    def failing(self) -> int:
        """How many conditions of gates do not hold, those without a value included."""
        return self.gates.count(Result.FAIL) + self.gates.count(Result.NOT_MEASURED)

    def failing_text(self) -> str:
        """`1 gate condition fails and 2 are not measured`; empty where all hold."""
        failed, missing = self.gates.count(Result.FAIL), self.gates.count(Result.NOT_MEASURED)
        texts = []
        if failed:
            texts.append(f"{failed} gate condition{'s' if failed > 1 else ''} {'fail' if failed > 1 else 'fails'}")
        if missing:
            of = "" if failed else f" gate condition{'s' if missing > 1 else ''}"
            texts.append(f"{missing}{of} {'are' if missing > 1 else 'is'} not measured")
        return " and ".join(texts)


def evidence_of(
    revision: Revision, service: Service, connections: Sequence[TaskConnection], *, lacking: Sequence[str] = ()
) -> Evidence:
    """The evidence as it stands.

    Args:
        revision: the version.
        service: to which it is offered.
        connections: the tasks of the release, with task and taxonomy.
        lacking: tasks of the release that are not connected any more, by name.
    """
    ordered = sorted(connections, key=lambda one: one.taxonomy.name)
    required = preconditions(revision, service, ordered)
    if lacking:
        required = (disconnected(revision, lacking), *required)
    gates = gate_document(revision, service, tasks=[one.task for one in ordered])
    document = {
        "format": FORMAT,
        "at": timezone.now().isoformat(),
        "service": {"name": service.name, "kind": service.kind, "policy": service.policy},
        "model": revision.model.name,
        "version": revision.version,
        "artifact_digest": revision.artifact_digest,
        "environment_key": revision.environment_key,
        "python_version": revision.python_version,
        "tasks": [
            {
                "taxonomy": one.taxonomy.name,
                "modality": one.task.modality,
                "task": one.task.name,
                "customized_name": one.customized_name,
            }
            for one in ordered
        ],
        "preconditions": [dataclasses.asdict(one) for one in required],
        "gates": gates.to_dict(),
        "findings": _findings(revision),
        "replaces": _replaced(service, ordered, revision),
        "difference": _difference(revision, service, ordered),
    }
    # what is compared later comes out of the database as JSON: tuples are lists there
    return Evidence(json.loads(json.dumps(document)), required, gates)


def digest_of_document(document: Mapping[str, Any]) -> str:
    """The digest of an evidence document, whenever it was made."""
    said = {name: value for name, value in document.items() if name not in ("at", "difference")}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def changes_between(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What an evidence document says otherwise than an earlier one, one sentence each."""
    changes = []
    if before.get("artifact_digest") != now["artifact_digest"]:
        changes.append("The artifact of the version is another one.")
    if before.get("environment_key") != now["environment_key"]:
        changes.append("The environment of the version was built anew.")
    if before.get("service") != now["service"]:
        changes.append("The settings of the service changed.")
    changes += _otherwise(
        before.get("preconditions", ()),
        now["preconditions"],
        key=lambda one: one["name"],
        text=lambda one: f"{one['title']}: {'yes' if one['holds'] else 'no'}. {one['reason']}",
    )
    changes += _gate_changes(before.get("gates", {}).get("rows", ()), now["gates"]["rows"])
    if before.get("findings") != now["findings"]:
        changes.append(f"The findings of the version: {_findings_text(now['findings'])}.")
    if before.get("replaces") != now["replaces"]:
        names = ", ".join(f"{one['model']} {one['version']} ({one['taxonomy']})" for one in now["replaces"])
        changes.append(f"What is live for the service: {names or 'nothing'}.")
    return changes


def _gate_changes(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[str]:
    """That conditions were written anew, then each that came out otherwise; those that stayed as they were are none."""
    former, later = ({(row["source"], row["gate"]): row["number"] for row in rows} for rows in (before, now))
    anew = [
        f"The conditions of {source} {gate} were changed: version {number} holds."
        for (source, gate), number in later.items()
        if former.get((source, gate), number) != number
    ]
    bare = ([{**row, "number": 0} for row in rows] for rows in (before, now))
    return anew + _otherwise(
        *bare, key=lambda row: (row["source"], row["gate"], row["task"], row["condition"]), text=_row_text
    )


def _otherwise(before: Iterable[Any], now: Iterable[Any], *, key: Any, text: Any) -> list[str]:
    former = {key(one): one for one in before}
    later = {key(one): one for one in now}
    changed = [text(one) for name, one in later.items() if former.get(name) != one]
    return changed + [f"No longer asked: {text(one)}" for name, one in former.items() if name not in later]


def _row_text(row: Mapping[str, Any]) -> str:
    where = f" on task {row['task']}" if row["task"] not in ("", row["gate"]) else ""
    return f"{row['condition']} (of {row['source']} {row['gate']}{where}): {row['result']}."


def _findings_text(findings: Mapping[str, Any]) -> str:
    counts = findings["severities"]
    return ", ".join(f"{number} {severity}" for severity, number in counts.items() if number) or "none"


def _findings(revision: Revision) -> dict[str, Any]:
    scan = current_scan(revision)
    if scan is None:
        return {"decision": "", "scanned_on": "", "severities": {}, "blocking": 0, "warning": 0}
    return {
        "decision": scan.decision,
        "scanned_on": scan.finished_at.date().isoformat(),
        "severities": dict(scan.severities),
        "blocking": scan.blocking,
        "warning": scan.warning,
    }


def _replaced(service: Service, connections: Sequence[TaskConnection], revision: Revision) -> list[dict[str, Any]]:
    wanted = {(one.taxonomy_id, one.task.modality) for one in connections}
    slots = LiveSlot.objects.filter(service=service).select_related("taxonomy", "live")
    return [
        {
            "taxonomy": slot.taxonomy.name,
            "modality": slot.modality,
            "release": slot.live_id,
            "model": slot.live.model_name,
            "version": slot.live.version,
        }
        for slot in slots.order_by("taxonomy__name", "modality")
        if (slot.taxonomy_id, slot.modality) in wanted and slot.live.revision_id != revision.pk
    ]


def _difference(revision: Revision, service: Service, connections: Sequence[TaskConnection]) -> list[dict[str, Any]]:
    rows = []
    for one in connections:
        before = previous_revision(service, one.taxonomy_id, one.task.modality, revision)
        if before is not None:
            rows += difference_to(before, revision, one.task)
    return rows
