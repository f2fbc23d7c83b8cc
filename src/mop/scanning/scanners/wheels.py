"""Scanner `wheels`: private wheels, and the environment that was built with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from mop.scanning.findings import COSTLY, FileVerdict, Finding, ScanReport, Severity, Verdict, costly, not_seen_whole
from mop.scanning.reader import TooMuchError, TooSlowError
from mop.scanning.scanner import ENVIRONMENT_FILES, Looking, Subject
from mop.scanning.scanners.installed_files import Distribution, Installed, place_of, site_folders
from mop.scanning.scanners.wheel_files import WheelFile

NAME = "wheels"
SECONDS = 60.0
FINDINGS_MAX = 50
"""Of one wheel or package."""

_AGAIN = "Build or install it anew; if it is ordinary, report this to the operator."
_FOLDER = "privatepkgs/"
_TEXT_BYTES_MAX = 1024 * 1024
_REQUIRED = re.compile(r"(?m)^[ \t]*([A-Za-z0-9][A-Za-z0-9._-]*)")
_PYTHON = re.compile(r"(?m)^[ \t]*[\"']?python[\"']?[ \t]*:[ \t]*[\"']?(\d+)\.(\d+)")


class Wheels:
    """Reads wheels as archives and environments as files; installs and imports nothing."""

    name = NAME

    def is_for(self, path: str) -> bool:
        """Private wheels; an environment has no paths below the model folder."""
        return _is_private_wheel(path)

    def scan(self, subject: Subject) -> Iterator[Looking | ScanReport]:
        """One verdict for each private wheel; findings in the environment, by package."""
        bounded = replace(subject, limits=replace(subject.limits, seconds=min(SECONDS, subject.limits.seconds)))
        if subject.model is not None:
            yield from _private_wheels(bounded, subject.model)
        if subject.environment is not None:
            yield from _environment(bounded, subject.environment)


class _Told:
    """Findings on one wheel or package."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.findings: list[Finding] = []

    def __call__(self, rule: str, severity: Severity, message: str, hint: str, position: str) -> None:
        if len(self.findings) == FINDINGS_MAX and severity != Severity.CRITICAL:
            return
        self.findings.append(
            Finding(
                scanner=NAME,
                rule=rule,
                severity=severity,
                path=self._path,
                message=f"{self._path}: {message[:1].lower()}{message[1:]}",
                hint=hint,
                position=position,
            )
        )

    def incomplete(self, reason: str) -> None:
        """Something was not seen."""
        if reason:
            self.findings += not_seen_whole(NAME, self._path, reason, hint=_AGAIN).findings

    def costly(self, reason: str) -> None:
        """It is made so that something of it is not seen."""
        self.findings += costly(NAME, self._path, reason, hint=_AGAIN).findings

    def report(self, *, is_file: bool) -> ScanReport:
        """The findings, with a verdict for a file of the model folder."""
        reasons = tuple(finding.message for finding in self.findings if finding.severity != Severity.LOW)
        files = (FileVerdict(self._path, _verdict(self.findings), reasons),) if is_file else ()
        return ScanReport(files, tuple(self.findings))


def _verdict(findings: list[Finding]) -> Verdict:
    unseen = {"not-fully-scanned", COSTLY}
    worst = max((finding.severity.rank for finding in findings), default=0)
    if any(finding.severity == Severity.CRITICAL and finding.rule not in unseen for finding in findings):
        return Verdict.INFECTED
    if any(finding.rule in unseen for finding in findings):
        return Verdict.NOT_FULLY_SCANNED
    return Verdict.SUSPICIOUS if worst else Verdict.CLEAN


def _private_wheels(subject: Subject, model: Path) -> Iterator[Looking | ScanReport]:
    required = frozenset(str(canonicalize_name(one)) for one in _REQUIRED.findall(_text(model, "src/requirements.txt")))
    found = _PYTHON.search(_text(model, "src/settings.yml"))
    python = (int(found[1]), int(found[2])) if found else None
    for name, path in subject.files():
        if not _is_private_wheel(name):
            continue
        yield Looking(name)
        told = _Told(name)
        look = WheelFile(path, told, required=required, python=python, limits=subject.limits)
        try:
            told.incomplete(look.look())
        except (TooMuchError, TooSlowError) as error:
            told.costly(str(error))
        except Exception as error:  # noqa: BLE001 - an archive may break any reader; it is then not clean
            told.costly(f"it cannot be followed: {type(error).__name__}")
        yield told.report(is_file=True)


def _environment(subject: Subject, root: Path) -> Iterator[Looking | ScanReport]:
    sites = site_folders(root)
    if not sites:
        told = _Told(ENVIRONMENT_FILES)
        told.incomplete("it has no site-packages")
        yield told.report(is_file=False)
    for site in sites:
        installed = Installed(root, site, subject.limits)
        for folder in sorted(site.glob("*.dist-info")):
            told = _Told(place_of(folder))
            installed.distribution(folder, place_of(folder), told)
            yield told.report(is_file=False)
        for one in installed.distributions:
            if one.place not in subject.skip:
                yield Looking(one.place)
                yield _package(installed, one)
        told = _Told(ENVIRONMENT_FILES)
        try:
            installed.hooks(told)
            installed.programs(told)
            told.incomplete(installed.unclaimed(told))
        except OSError as error:
            told.incomplete(f"it cannot be read: {error.strerror}")
        yield told.report(is_file=False)


def _package(installed: Installed, one: Distribution) -> ScanReport:
    told = _Told(one.place)
    try:
        told.incomplete(installed.compare(one, told))
    except TooSlowError as error:
        told.costly(str(error))
    return told.report(is_file=False)


def _is_private_wheel(name: str) -> bool:
    return name.startswith(_FOLDER) and name.lower().endswith(".whl")


def _text(model: Path, name: str) -> str:
    """A text of the model folder, if it is one; "" when there is none to read."""
    path = model / name
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(_TEXT_BYTES_MAX).decode("utf-8", "replace")
