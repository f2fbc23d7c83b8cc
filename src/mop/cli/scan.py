"""`mop scan`: the scanners on a local folder, without a server."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mop.cli.failures import PolicyError
from mop.cli.platforms import require_linux
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_columns, print_json, printable, say

if TYPE_CHECKING:
    from mop.scanning.findings import FileVerdict, ScanReport
    from mop.scanning.policy import Decision, Policy

app = typer.Typer()

SHOWN_FILES = 20
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every file as it is looked at.")]


@app.command()
def scan(
    folder: Annotated[
        Path, typer.Argument(help="The folder to look at.", exists=True, file_okay=False, show_default=False)
    ],
    *,
    no_sandbox: Annotated[bool, typer.Option("--no-sandbox", help="Run the scanners without a sandbox.")] = False,
    verbose: Verbose = False,
    as_json: JsonFlag = False,
) -> None:
    """Look for code that runs when a file is loaded, and for what else the policy forbids; nothing is run or loaded."""
    require_linux("scan")
    if not any(files for _, _, files in os.walk(folder)):
        raise typer.BadParameter(f"{folder} holds no file: there is nothing to look at.")
    report, policy = _scan(folder.resolve(), sandbox=not no_sandbox, verbose=verbose)
    from mop.scanning.policy import decide

    decision = decide(report, policy, (), today=dt.datetime.now(tz=dt.UTC).date())
    if as_json:
        print_json(scan_json(report, decision))
    else:
        _print_report(report, decision)
    raise typer.Exit(exit_code(report, decision))


def exit_code(report: ScanReport, decision: Decision) -> ExitCode:
    """2 for what blocks, 3 when a scanner could not finish, 1 for warnings and files not fully scanned, else 0."""
    if decision.blocked:
        return ExitCode.VULNERABLE
    if report.incomplete:
        return ExitCode.UNDECIDED
    return ExitCode.FAILED if decision.warned or _unclean(report) else ExitCode.DONE


def scan_json(report: ScanReport, decision: Decision) -> dict[str, Any]:
    """The object that `--json` prints; docs/cli.md describes it."""
    from mop.scanning.policy import findings_with_actions

    return {
        "decision": "vulnerable" if decision.blocked else "warnings" if decision.warned else "clean",
        "files": [file.to_dict() for file in report.files],
        "findings": findings_with_actions(report, decision),
        "scanners": list(report.scanners),
        "incomplete": report.incomplete,
    }


def _scan(folder: Path, *, sandbox: bool, verbose: bool) -> tuple[ScanReport, Policy]:
    import asyncio

    from django.conf import settings

    from mop.cli.installation import open_settings
    from mop.hosting.caged_scan import caged_scan
    from mop.hosting.readable_folder import readable_folder
    from mop.hosting.tools import open_sandbox, own_runtime_folder
    from mop.sandbox import unconfined
    from mop.scanning.run import run_scanners
    from mop.scanning.scanner import Subject
    from mop.storage.left_over_files import told

    open_settings()
    policy = _policy()
    cage = open_sandbox() if sandbox else unconfined(runtime_folder=own_runtime_folder())

    def progress(scanner: str, path: str) -> None:
        if verbose:
            say(printable(f"{scanner}: {path}"))

    def log(line: str) -> None:
        say(printable(line))

    with readable_folder(folder, cage, place=settings.MOP_HOME, log=log) as readable:
        left_out = _left_over(readable)
        if left_out:
            log(told(left_out))
        subject = Subject(readable, left_out=frozenset(left_out))
        report = asyncio.run(
            run_scanners(
                subject,
                cage=caged_scan(cage, subject),
                log=log,
                progress=progress,
                seconds=settings.MOP_SCAN_DEADLINE,
            )
        )
    return report, policy


def _left_over(folder: Path) -> list[str]:
    """Files and folders that a snapshot of this folder would leave out."""
    from mop.storage.left_over_files import is_left_over

    found = []
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name).relative_to(folder).as_posix()
            if is_left_over(path):
                found.append(path)
    return found


def _policy() -> Policy:
    """The installation's own policy, else the default."""
    from mop.errors import PolicyFileError
    from mop.findings.policy_file import installation_policy

    try:
        return installation_policy().policy
    except PolicyFileError as error:
        raise PolicyError(error.message) from error


def _print_report(report: ScanReport, decision: Decision) -> None:
    unclean = _unclean(report)
    counts = Counter(file.verdict.value for file in report.files)
    told = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in sorted(counts.items())) or "no files"
    print(f"{'vulnerable' if decision.blocked else 'not vulnerable'}: {told}")
    for file in unclean[:SHOWN_FILES]:
        print(printable(f"  {file.verdict.replace('_', ' ')}: {file.path}"))
    if len(unclean) > SHOWN_FILES:
        print(f"  and {len(unclean) - SHOWN_FILES} more; --json has them all")
    for scanner, reason in report.incomplete.items():
        print(printable(f"  the scanner {scanner} did not finish: {reason}"))
    if report.findings:
        print()
        rows = [
            (
                "blocks" if finding in decision.blocked else "warns" if finding in decision.warned else "noted",
                finding.severity.value,
                f"{finding.scanner}/{finding.rule}",
                finding.message,
            )
            for finding in report.findings
        ]
        print_columns(("policy", "severity", "rule", "what"), rows)
        print()
        for hint in dict.fromkeys(finding.hint for finding in report.findings):
            print(printable(f"hint: {hint}"))
    sys.stdout.flush()


def _unclean(report: ScanReport) -> list[FileVerdict]:
    from mop.scanning.findings import Verdict

    return [file for file in report.files if file.verdict != Verdict.CLEAN]
