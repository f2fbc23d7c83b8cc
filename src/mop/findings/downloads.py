"""A scan as files: the findings as JSON and SARIF, the installed packages as an SBOM."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version as mop_version
from typing import Any

from mop.environments import Installed
from mop.errors import NotFoundError
from mop.findings.models import Scan
from mop.findings.recording import as_held
from mop.findings.selectors import as_finding, findings_of, report_of
from mop.scanning.sarif import to_sarif
from mop.scanning.sbom import Subject, make_sbom


@dataclass(frozen=True)
class Download:
    """A file to hand out: its media type, how its name ends, and its content."""

    media_type: str
    ending: str
    content: Callable[[Scan], bytes]


def findings_json(scan: Scan) -> bytes:
    """The report that `mop scan --json` prints, with the revision it is about."""
    report = report_of(scan).to_dict()
    actions = dict(findings_of(scan).values_list("number", "action"))
    body: dict[str, Any] = {
        "model": scan.revision.model.name,
        "version": scan.revision.version,
        "artifact_digest": scan.revision.artifact_digest,
        "scanned_at": scan.finished_at.isoformat(),
        "decision": scan.decision,
        **report,
        "findings": [
            {**finding, "action": actions[number]} for number, finding in enumerate(report["findings"], start=1)
        ],
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def sarif(scan: Scan) -> bytes:
    """SARIF 2.1.0; waived findings are suppressed with the waiver's reason."""
    waived = [(as_finding(row), as_held(row.waiver)) for row in findings_of(scan) if row.waiver is not None]
    body = to_sarif(report_of(scan), version=mop_version("mop"), waived=waived)
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def sbom(scan: Scan) -> bytes:
    """CycloneDX JSON of what is installed in the environment.

    Raises:
        NotFoundError: the environment was never built.
    """
    if not scan.is_complete:
        raise NotFoundError(
            "There is no SBOM: the environment of this version was never built.",
            hint="Its pipeline builds it; wait until it ended, or retry it.",
        )
    subject = Subject(scan.revision.model.name, scan.revision.version, scan.revision.artifact_digest)
    installed = [Installed(name, version, frozenset(requires)) for name, version, requires in scan.packages]
    return make_sbom(subject, installed)


DOWNLOADS = {
    "json": Download("application/json", "findings.json", findings_json),
    "sarif": Download("application/sarif+json", "sarif", sarif),
    "sbom": Download("application/vnd.cyclonedx+json", "cdx.json", sbom),
}


def download_of(kind: str) -> Download:
    """A download by its name.

    Raises:
        NotFoundError: there is none of this name.
    """
    if kind not in DOWNLOADS:
        raise NotFoundError(f"There is no download {kind!r}; there are {', '.join(DOWNLOADS)}.")
    return DOWNLOADS[kind]
