"""The documents of a bundle from what the database holds, at one moment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings

from mop.catalog.models import LabelType, Task
from mop.datasets.selectors import usable_datasets
from mop.environments import Installed
from mop.evaluation.models import Evaluation
from mop.evaluation.results import EvaluationDocument, document_of
from mop.findings.downloads import findings_json
from mop.findings.models import Scan
from mop.findings.selectors import current_scan, waived_findings
from mop.loadtest.models import LoadTest
from mop.loadtest.states import LoadTestState
from mop.registry.models import Revision
from mop.releases.bundles.enclosed import (
    EVALUATIONS,
    FINDINGS,
    GATES,
    LOAD_TESTS,
    EnclosedEvaluation,
    EnclosedFindings,
    EnclosedGates,
    EnclosedLoadTest,
    EnclosedTask,
)
from mop.releases.bundles.environment import LOCK, REQUIREMENTS, SBOM, EnvironmentLock, LockedPackage
from mop.releases.bundles.manifest import ARTIFACT
from mop.releases.bundles.verification import CARD
from mop.releases.cards.collecting import SERVICE, card_of, measured_evaluations
from mop.releases.cards.formats import FORMATS
from mop.releases.gates.report import GateDocument
from mop.scanning.sbom import Subject, make_sbom
from mop.storage.manifest import Manifest


def documents_of(
    revision: Revision, *, gates: GateDocument, tasks: Sequence[Task], service: str | None
) -> dict[str, str]:
    """Every part of a bundle but the artifact, by path.

    Args:
        revision: the version.
        gates: how it came out of its gates.
        tasks: those whose evidence `gates` read.
        service: whose conditions are in it; None: those of the tasks alone.
    """
    scan = current_scan(revision)
    parts: dict[str, str] = {GATES: _json(EnclosedGates(service, gates, tuple(map(_task, tasks))).to_dict())}
    evaluations = measured_evaluations(revision, revision.model.connections.all())
    parts |= _numbered(EVALUATIONS, (asdict(_evaluation(one)) for one in evaluations))
    parts |= _numbered(LOAD_TESTS, map(asdict, _load_tests(revision)))
    if scan is not None:
        parts[FINDINGS] = _json(asdict(_findings(scan)))
    if revision.environment_key and scan is not None:
        parts[LOCK] = _lock(revision, scan).to_json().decode()
        parts[SBOM] = _bill(revision, scan).decode()
    card = card_of(revision, SERVICE)
    parts |= {f"{CARD}.{ending}": form.write(card) for ending, form in FORMATS.items()}
    return parts


def with_requirements(documents: Mapping[str, str], artifact: Manifest) -> dict[str, str]:
    """The documents with what follows from the artifact's files: requirements name the private wheels."""
    if LOCK not in documents:
        return dict(documents)
    data = json.loads(documents[LOCK])
    lock = EnvironmentLock(**{**data, "packages": tuple(LockedPackage(**one) for one in data["packages"])})
    wheels = tuple(f"{ARTIFACT}{file.path}" for file in artifact.files if file.path.startswith("privatepkgs/"))
    return {**documents, REQUIREMENTS: lock.to_requirements(wheels).decode()}


def _task(task: Task) -> EnclosedTask:
    return EnclosedTask(
        name=task.name,
        taxonomy=task.taxonomy.name,
        modality=task.modality,
        is_ordinal=task.label_type == LabelType.ORDINAL,
        labels=tuple(task.labels),
        datasets=tuple(usable_datasets(task).order_by("name").values_list("name", flat=True)),
    )


def _evaluation(row: Evaluation) -> EnclosedEvaluation:
    ends = (row.headline_low, row.headline_high)
    return EnclosedEvaluation(
        task=row.task.name,
        dataset=row.dataset.name,
        measured_at=row.measured_at.isoformat() if row.measured_at else "",
        is_stale=row.is_stale,
        rows=row.rows or 0,
        digests={
            "artifact": row.artifact_digest,
            "environment": row.environment_digest,
            "dataset": row.dataset_digest,
            "mapping": row.mapping_digest,
            "metric_code": row.metric_version,
        },
        headline=row.headline,
        interval=None if None in ends else ends,  # type: ignore[arg-type] # neither is None
        document=_shown(document_of(row)),
    )


def _shown(document: EvaluationDocument) -> dict[str, Any]:
    """The counts that may be told; where slices need more rows now than when they were counted, none of them is."""
    told = document.to_dict()
    if document.least_rows < settings.MOP_EVALUATION_SLICE_ROWS_MIN:
        names = [{"column": one["column"], "value": one["value"]} for one in told["slices"]]
        told |= {"slices": [], "withheld": sorted([*told["withheld"], *names], key=lambda one: tuple(one.values()))}
    return told


def _load_tests(revision: Revision) -> Iterator[EnclosedLoadTest]:
    """As gates read them: the newest of a modality and option, and of those that finished the newest."""
    rows = LoadTest.objects.filter(revision=revision).order_by("modality", "option", "-run").prefetch_related("steps")
    found: dict[tuple[str, str], list[LoadTest]] = {}
    for row in rows:
        found.setdefault((row.modality, row.option), []).append(row)
    for (modality, option), tests in found.items():
        finished = next((one for one in tests if one.get_state() == LoadTestState.FINISHED), None)
        yield EnclosedLoadTest(
            modality=modality,
            option=option,
            state=tests[0].state,
            ended=finished.ended if finished else "",
            ended_at=finished.ended_at.isoformat() if finished and finished.ended_at else "",
            conditions=_without_host(finished.conditions) if finished else {},
            steps=[step.result for step in finished.steps.all()] if finished else [],
        )


def _without_host(conditions: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in conditions.items() if name != "host"}  # of no use elsewhere


def _findings(scan: Scan) -> EnclosedFindings:
    waived: dict[str, int] = {}
    for severity in waived_findings(scan).values_list("severity", flat=True):
        waived[severity] = waived.get(severity, 0) + 1
    return EnclosedFindings(
        scanned_at=scan.finished_at.isoformat(),
        is_complete=scan.is_complete,
        incomplete=sorted(scan.incomplete),
        open={name: count - waived.get(name, 0) for name, count in sorted(scan.severities.items())},
        report=json.loads(findings_json(scan)),
    )


def _lock(revision: Revision, scan: Scan) -> EnvironmentLock:
    private = set(scan.advisories.get("private", ()))
    return EnvironmentLock(
        python=revision.python_version,
        pip=revision.pip_version,
        key=revision.environment_key,
        digest=scan.environment_digest,
        packages=tuple(
            LockedPackage(name, version, is_private=name in private)
            for name, version in sorted((name, version) for name, version, _ in scan.packages)
        ),
    )


def _bill(revision: Revision, scan: Scan) -> bytes:
    subject = Subject(revision.model.name, revision.version, revision.artifact_digest)
    return make_sbom(subject, [Installed(name, version, frozenset(asks)) for name, version, asks in scan.packages])


def _numbered(folder: str, documents: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {f"{folder}{number:04}.json": _json(document) for number, document in enumerate(documents, start=1)}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
