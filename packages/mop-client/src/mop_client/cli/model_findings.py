"""`mop model findings` and `mop model rescan`: what the server's scan of a version says."""

import sys
from typing import Annotated, Any, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.model import Version, version_of
from mop_client.cli.options import JsonFlag, ModelName, one_of
from mop_client.cli.output import print_columns, print_json, printable, say

app = typer.Typer()

_ACTIONS = {"block": "blocks", "warn": "warns", "note": "noted"}
_CODES = {"vulnerable": ExitCode.VULNERABLE, "warnings": ExitCode.FAILED, "clean": ExitCode.DONE}


@app.command()
def findings(
    name: ModelName,
    *,
    version: Version = None,
    severity: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of(("low", "medium", "high", "critical")),
            metavar="SEVERITY",
            help="Only those of low, medium, high or critical.",
            show_default=False,
        ),
    ] = None,
    scanner: Annotated[Optional[str], typer.Option(help="Only those of this scanner.", show_default=False)] = None,
    form: Annotated[
        Optional[str],
        typer.Option(
            "--format",
            parser=one_of(("json", "sarif", "sbom")),
            metavar="json|sarif|sbom",
            help="Print the whole scan as JSON or SARIF, or the installed packages as CycloneDX.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what the newest scan of a version found; the exit code is that of `mop scan`."""
    with open_server() as server:
        path = ("models", name, "revisions", version_of(server, name, version))
        scan = server.get(*path, "scan")
        if form is not None:
            print_json(server.get(*path, "findings", form))
            raise typer.Exit(_CODES[scan["decision"]])
        found = server.pages(*path, "findings", severity=severity, scanner=scanner)
    if as_json:
        print_json({**scan, "findings": found})
    else:
        _print(scan, found)
    raise typer.Exit(_CODES[scan["decision"]])


@app.command()
def rescan(name: ModelName, *, version: Version = None, as_json: JsonFlag = False) -> None:
    """Scan a version again with today's scanners, policy and advisories."""
    with open_server() as server:
        version = version_of(server, name, version)
        asked = server.post("models", name, "revisions", version, "rescan")
    if as_json:
        print_json(asked)
    else:
        say(f"{name} {version} is being scanned again; `mop model findings {name} --version {version}` shows the end")


def _print(scan: dict[str, Any], found: list[dict[str, Any]]) -> None:
    files = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in sorted(scan["verdicts"].items()))
    print(f"{scan['decision']}: {files or 'no files'}")
    packages = f"{scan['packages']} packages"
    print(printable(", ".join(text for text in (packages, scan["advisories"].get("told", "")) if text)))
    for scanner, reason in scan["incomplete"].items():
        print(printable(f"  the scanner {scanner} did not finish: {reason}"))
    if scan["rescan"] is not None:
        failure = scan["rescan"]["failure"]
        told = f"failed: {failure['message']}" if failure else f"asked for at {scan['rescan']['asked_at']}"
        print(printable(f"  a further scan {told}"))
    if found:
        print()
        rows = [
            (_ACTIONS[one["action"]], one["severity"], f"{one['scanner']}/{one['rule']}", one["message"])
            for one in found
        ]
        print_columns(("policy", "severity", "rule", "what"), rows)
        print()
        for hint in dict.fromkeys(one["hint"] for one in found):
            print(printable(f"hint: {hint}"))
    sys.stdout.flush()
