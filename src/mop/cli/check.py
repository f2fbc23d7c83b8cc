"""`mop check`: the pipeline's verification of a local folder, without a server."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mop.cli.platforms import require_linux
from mop.errors import ModelFault, MopError
from mop_client.cli.exit_codes import of_result
from mop_client.cli.options import JsonFlag, read_json
from mop_client.cli.output import error_lines, print_json, printable

if TYPE_CHECKING:
    from mop.onboarding.contract import TaskInput
    from mop.onboarding.verification import Report

app = typer.Typer()

FolderArgument = Annotated[
    Path, typer.Argument(help="The model folder: model/, src/.", exists=True, file_okay=False, show_default=False)
]
NoSandbox = Annotated[bool, typer.Option("--no-sandbox", help="Run the model without a sandbox, as yourself.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every log line on stderr.")]
Python = Annotated[
    Path | None,
    typer.Option(help="Use this interpreter only, whatever else is installed.", exists=True, dir_okay=False),
]


@app.command()
def check(
    folder: FolderArgument,
    *,
    task: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            exists=True,
            dir_okay=False,
            help="Connected tasks: a JSON list of taxonomy, customized_name, modality, label_type, labels. "
            "Without it the label rules are not checked and the result is `undecided`.",
        ),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(metavar="JSON|@FILE", help="Sample post data: an item of inference(). Empty: MOP's own inputs."),
    ] = None,
    python: Python = None,
    no_sandbox: NoSandbox = False,
    verbose: Verbose = False,
    as_json: JsonFlag = False,
) -> None:
    """Verify a model folder on this machine exactly as the pipeline does; no server is needed."""
    require_linux("check")
    post_data = None if sample is None else read_json(sample, option="--sample")
    # whatever a library prints goes to stderr: stdout belongs to the result
    with contextlib.redirect_stdout(sys.stderr):
        tasks = _read_tasks(task)
        report = _verify(folder, tasks, post_data, python, sandbox=not no_sandbox, verbose=verbose)
    if as_json:
        print_json(report_json(report))
    else:
        _print_report(report)
    raise typer.Exit(of_result(report.status, report.warnings))


def _read_tasks(path: Path | None) -> tuple[TaskInput, ...] | None:
    if path is None:
        return None
    from mop.cli.installation import open_settings

    open_settings()
    from mop.onboarding.contract import read_tasks

    try:
        return read_tasks(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"--task: {path} cannot be read: {error}") from error


def _verify(
    folder: Path, tasks: tuple[TaskInput, ...] | None, sample: Any, python: Path | None, *, sandbox: bool, verbose: bool
) -> Report:
    import asyncio

    from mop.cli.installation import open_settings
    from mop.cli.progress import StageProgress

    open_settings()
    from mop.hosting.tools import open_host_tools
    from mop.onboarding.verification import Report, verify_folder

    try:
        tools = open_host_tools(sandbox=sandbox, python=python)
    except MopError as error:
        status = "verifyFailed" if isinstance(error, ModelFault) else "toBeRetried"
        return Report(
            status=status,
            error=error,
            warnings=(),
            stages=(),
            findings=(),
            sandbox_level=0,
            python=None,
            artifact_digest=None,
        )
    listener = StageProgress(verbose=verbose)
    return asyncio.run(verify_folder(folder.resolve(), tools=tools, listener=listener, tasks=tasks, sample=sample))


def report_json(report: Report) -> dict[str, Any]:
    """The object that `--json` prints; docs/cli.md describes it."""
    return {
        "status": report.status,
        "error": report.error.name if report.error else None,
        "message": report.error.message if report.error else "",
        "hint": report.error.hint if report.error else "",
        "warnings": list(report.warnings),
        "stages": [
            {"name": stage.name, "seconds": round(stage.seconds, 3), "result": stage.result} for stage in report.stages
        ],
        "findings": list(report.findings),
        "sandbox_level": report.sandbox_level,
        "python": report.python,
        "artifact_digest": report.artifact_digest,
    }


def _print_report(report: Report) -> None:
    print(report.status)
    for line in error_lines(report.error) if report.error else ():
        print(line)
    for warning in report.warnings:
        print(f"warning: {printable(warning)}")
    if report.status == "undecided":
        print("The label rules were not checked: name the connected tasks with --task FILE.json.")
    if report.artifact_digest:
        python = f"Python {report.python}, " if report.python else ""  # none was chosen before it failed
        print(f"artifact {report.artifact_digest}, {python}sandbox level {report.sandbox_level}")
