"""Looking at a model folder and at the environment built for it, before anything of them runs.

What was seen of one content by the same scanners is kept on the host: a second look costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from packaging.utils import canonicalize_name

import mop.scanning
from mop.environments import Environment, read_installed
from mop.findings.auditing import Audited, audit_installed
from mop.findings.selectors import EnvironmentSeen
from mop.hosting.caged_scan import caged_scan
from mop.hosting.preparation import Log
from mop.hosting.structure import ModelFolder
from mop.hosting.tools import HostTools
from mop.scanning.findings import ScanReport, merge
from mop.scanning.run import run_scanners
from mop.scanning.scanner import Subject

KEPT_FOLDER = "scans"
KEPT_MAX = 1000
Packages = tuple[tuple[str, str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Inspection:
    """What was seen of an environment.

    Attributes:
        report: of the scanners and of the advisories.
        packages: [name, version, [required names]] of what is installed.
        advisories: what the packages were matched against (`mop.findings.auditing`).
        environment_key: of all that decides the environment's content.
        environment_digest: of its files.
    """

    report: ScanReport
    packages: Packages
    advisories: dict[str, Any]
    environment_key: str
    environment_digest: str


async def inspect_folder(folder: Path, digest: str, *, tools: HostTools, log: Log, fresh: bool = False) -> ScanReport:
    """Scan an unpacked snapshot.

    Args:
        folder: the unpacked snapshot.
        digest: of the snapshot; the same one is not scanned twice on this host.
        tools: the host's tools.
        log: takes one line.
        fresh: look again, whatever is kept.
    """
    return await _kept(f"folder-{digest}", Subject(folder), tools, log, fresh=fresh)


async def inspect_environment(
    environment: Environment, model: ModelFolder, *, tools: HostTools, log: Log, fresh: bool = False
) -> Inspection:
    """Scan a built environment, and match what is installed in it against advisories; its own Python is not run."""
    report = await _kept(
        f"environment-{environment.files}", Subject(environment=environment.path), tools, log, fresh=fresh
    )
    installed = await asyncio.to_thread(read_installed, environment.path)
    packages = tuple((one.name, one.version, tuple(sorted(one.requires))) for one in installed)
    audited = await asyncio.to_thread(_audited, packages, _private_names(model))
    log(f"{len(packages)} packages, {audited.facts['told']}")
    return Inspection(merge([report, audited.report]), packages, audited.facts, environment.key, environment.files)


async def inspect_as_seen(seen: EnvironmentSeen) -> Inspection:
    """An environment that is gone, as a scan saw it, with its packages matched against the advisories of today."""
    audited = await asyncio.to_thread(_audited, seen.packages, frozenset(seen.private))
    report = merge([ScanReport(files=(), findings=seen.findings), audited.report])
    return Inspection(report, seen.packages, audited.facts, seen.key, seen.digest)


async def _kept(name: str, subject: Subject, tools: HostTools, log: Log, *, fresh: bool) -> ScanReport:
    file = settings.MOP_HOME / KEPT_FOLDER / f"{name}-{scanners_digest()[:16]}.json"
    if not fresh and (report := await asyncio.to_thread(_read, file)) is not None:
        log(f"scanned before: {_counted(report)}")
        return report
    report = await run_scanners(
        subject, cage=caged_scan(tools.sandbox, subject), log=log, seconds=settings.MOP_SCAN_DEADLINE
    )
    log(f"scanned: {_counted(report)}")
    if not report.depends_on_host:  # what did not finish may do so next time
        await asyncio.to_thread(_write, file, report)
    return report


@functools.cache
def scanners_digest() -> str:
    """Names the scanners' rules: the SHA-256 of their code and lists, so that a changed scanner looks again."""
    root = Path(mop.scanning.__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.txt")]):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _private_names(model: ModelFolder) -> frozenset[str]:
    """Canonical names of the private wheels, by their files' names."""
    if model.private_packages is None:
        return frozenset()
    return frozenset(
        str(canonicalize_name(path.name.partition("-")[0])) for path in model.private_packages.glob("*.whl")
    )


def _audited(packages: Packages, private: frozenset[str]) -> Audited:
    """In a thread of its own: a service may take its time to answer, and the database's one thread is everybody's."""
    try:
        return audit_installed(packages, private=private)
    finally:
        connections.close_all()


def _counted(report: ScanReport) -> str:
    return f"{len(report.files)} files, {len(report.findings)} findings"


def _read(file: Path) -> ScanReport | None:
    try:
        report = ScanReport.from_dict(json.loads(file.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    with contextlib.suppress(OSError):
        os.utime(file)  # the least recently used go first
    return report


def _write(file: Path, report: ScanReport) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(json.dumps(report.to_dict()), encoding="utf-8", errors="surrogateescape")
    temporary.replace(file)
    for old in sorted(file.parent.iterdir(), key=_last_used)[:-KEPT_MAX]:
        old.unlink(missing_ok=True)


def _last_used(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0
