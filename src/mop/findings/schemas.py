"""What the API gives of scans, and takes of waivers."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from mop.accounts.schemas import InputSchema
from mop.findings.models import Rescan, Scan, ScanFinding, Waiver
from mop.findings.selectors import rescan_of

SeverityName = Literal["low", "medium", "high", "critical"]
ActionName = Literal["block", "warn", "note"]
VerdictName = Literal["clean", "suspicious", "infected", "not_fully_scanned"]


class FaultOut(Schema):
    """Why a rescan did not finish."""

    name: str
    message: str
    hint: str


class RescanOut(Schema):
    """A scan that was asked for and waits, runs, or failed."""

    asked_at: dt.datetime
    asked_by: str
    failure: FaultOut | None


class ScanOut(Schema):
    """The newest scan of a version: its decision and counts."""

    decision: Literal["clean", "warnings", "vulnerable"]
    reason: Literal["onboarding", "rescan", "advisories"]
    started_at: dt.datetime
    finished_at: dt.datetime
    is_complete: bool
    artifact_digest: str
    environment_key: str
    scanners: list[str]
    incomplete: dict[str, str]
    policy_digest: str
    advisories: dict[str, Any]
    packages: int
    severities: dict[str, int]
    verdicts: dict[str, int]
    blocking: int
    warning: int
    rescan: RescanOut | None

    @staticmethod
    def resolve_artifact_digest(scan: Scan) -> str:
        """Of the snapshot that was looked at."""
        return scan.revision.artifact_digest

    @staticmethod
    def resolve_packages(scan: Scan) -> int:
        """How many packages are installed; the SBOM lists them."""
        return len(scan.packages)

    @staticmethod
    def resolve_rescan(scan: Scan) -> Rescan | None:
        """A further scan that was asked for."""
        return rescan_of(scan.revision)


class FindingOut(Schema):
    """One finding, and what the policy makes of it."""

    number: int
    scanner: str
    rule: str
    severity: SeverityName
    action: ActionName
    path: str
    position: str
    message: str
    hint: str
    details: dict[str, Any]
    waiver: int | None

    @staticmethod
    def resolve_waiver(finding: ScanFinding) -> int | None:
        """The waiver that keeps it from blocking."""
        return finding.waiver_id


class FindingPage(Schema):
    """Findings, worst first; `next` is the cursor of the page after, null on the last."""

    items: list[FindingOut]
    next: str | None


class FileOut(Schema):
    """The verdict on one file, and why it is not clean."""

    path: str
    verdict: VerdictName
    reasons: list[str]


class FilePage(Schema):
    """Files in the order of their paths; `next` is the cursor of the page after, null on the last."""

    items: list[FileOut]
    next: str | None


class WaiverIn(InputSchema):
    """A waiver: scanner, rule and path as the finding has them; `*` in a path stands for any characters."""

    scanner: str = Field(max_length=64)
    rule: str = Field(max_length=100)
    path: str = Field(max_length=2000)
    identifier: str = Field(default="", max_length=100)
    owner: str = Field(description="user name of who answers for it")
    reason: str = Field(max_length=2000)
    until: dt.date


class WaiverOut(Schema):
    """A waiver; it holds from the next scan until its last day, or until it was ended."""

    id: int
    scanner: str
    rule: str
    path: str
    identifier: str
    owner: str
    reason: str
    until: dt.date
    created_at: dt.datetime
    created_by: str
    ended_at: dt.datetime | None

    @staticmethod
    def resolve_owner(waiver: Waiver) -> str:
        """User name of who answers for it."""
        return waiver.owner.username

    @staticmethod
    def resolve_created_by(waiver: Waiver) -> str:
        """User name of the administrator who gave it."""
        return waiver.created_by.username


class WaiverPage(Schema):
    """Waivers, newest first; `next` is the cursor of the page after, null on the last."""

    items: list[WaiverOut]
    next: str | None
