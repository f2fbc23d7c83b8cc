"""`mop golden-set`: trivial cases of tasks, and how versions do on them, over the REST API."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mop_client.cli import completion
from mop_client.cli.case_runs import RATE_HEAD, rate_columns, runs_exit_code
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, ModelVersion, YesFlag
from mop_client.cli.output import moment, print_columns, print_json, print_list, say

app = typer.Typer()

golden_sets = typer.Typer(help="Trivial cases of tasks that no model may get wrong (see `mop login`).")
app.add_typer(golden_sets, name="golden-set", invoke_without_command=True, callback=show_help)

Task = Annotated[str, typer.Argument(help="The task's name.", show_default=False, autocompletion=completion.tasks)]
Name = Annotated[str, typer.Argument(help="The golden set's name.", show_default=False)]
Model = Annotated[str, typer.Argument(help="The model's name.", show_default=False, autocompletion=completion.models)]
File = Annotated[
    Path,
    typer.Argument(help="A file .csv or .jsonl.", exists=True, dir_okay=False, readable=True, show_default=False),
]
FORMATS = {".csv": "csv", ".jsonl": "jsonl"}
VERSION_HEAD = ("NAME", "VERSION", "ROWS", "SUPPLIED BY", "SUPPLIED")
RUN_HEAD = ("GOLDEN SET", "TASK", "VERSION", *RATE_HEAD)


@golden_sets.command(name="list")
def list_golden_sets(task: Task, *, as_json: JsonFlag = False) -> None:
    """List the golden sets of a task with the versions that count."""
    with open_server() as server:
        found = server.get("tasks", task, "golden-sets")
    if as_json:
        print_json(found)
    else:
        print_list(
            VERSION_HEAD,
            [_version(one["name"], one["versions"][0]) for one in found["items"]],
            empty="The task has no golden set. An owner of the task adds one: `mop golden-set create`.",
        )


@golden_sets.command()
def show(
    task: Task,
    name: Name,
    *,
    rows: Annotated[
        bool, typer.Option("--rows", help="Also show the rows, to the person who supplied them; recorded.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show a golden set and its versions."""
    with open_server() as server:
        path = ("tasks", task, "golden-sets", name)
        found = server.get(*path)
        if rows:
            found["rows"] = server.get(*path, "rows")["items"]
    if as_json:
        print_json(found)
        return
    print_columns(VERSION_HEAD, [_version(name, one) for one in found["versions"]])
    if rows:
        print()
        print_columns(
            ("ROW", "EXPECTED", "CONTENT"),
            [(str(row["number"]), row["expected"], row["content"].get("text", "an image")) for row in found["rows"]],
        )


@golden_sets.command()
def create(task: Task, name: Name, file: File, *, as_json: JsonFlag = False) -> None:
    """Add a golden set, or the next version of one, from a file. Task owners only."""
    form = FORMATS.get(file.suffix.lower())
    if form is None:
        raise typer.BadParameter("Give a file whose name ends in .csv or .jsonl.", param_hint="FILE")
    try:
        content = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise typer.BadParameter("The file is not UTF-8.", param_hint="FILE") from error
    with open_server() as server:
        body = {"name": name, "format": form, "content": content}
        found = server.post("tasks", task, "golden-sets", body=body)
    if as_json:
        print_json(found)
    else:
        newest = found["versions"][0]
        say(f"{name} version {newest['number']} has {newest['rows']:,} rows; verified versions are run on it")


@golden_sets.command()
def delete(task: Task, name: Name, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """Delete a golden set with its rows and every result on it. Task owners only."""
    with open_server() as server:
        if not yes:
            typer.confirm(f"Delete the golden set {name} with its rows and every result?", abort=True, err=True)
        server.delete("tasks", task, "golden-sets", name)
    if as_json:
        print_json({"golden_set": name, "deleted": True})
    else:
        say(f"deleted {name}")


@golden_sets.command()
def results(model: Model, version: ModelVersion, *, as_json: JsonFlag = False) -> None:
    """Show how a version does on the golden sets of its tasks.

    Exit code: 0 when every row passed, 1 when one failed or a run could not be done, 3 when there is
    none or one is in progress.
    """
    with open_server() as server:
        found = server.get("models", model, "revisions", version, "golden-sets")
    if as_json:
        print_json(found)
    else:
        _print(found["items"])
    raise typer.Exit(runs_exit_code([one for one in found["items"] if one["is_newest"]]))


@golden_sets.command()
def run(model: Model, version: ModelVersion, *, as_json: JsonFlag = False) -> None:
    """Run a version on the golden sets of its tasks again. Model owners only."""
    with open_server() as server:
        found = server.post("models", model, "revisions", version, "golden-sets", "run")
    if as_json:
        print_json(found)
    else:
        _print(found["items"])


def _print(items: list[dict[str, Any]]) -> None:
    print_list(
        RUN_HEAD,
        [_run(one) for one in items],
        empty="No results. A verified version runs on the golden sets of its tasks: `mop golden-set list TASK`.",
    )
    failures = [
        (one["golden_set"], str(row["row"]), row["expected"], row["predicted"] or f"no answer: {row['error']}")
        for one in items
        for row in one["failures"]
    ]
    if failures:
        print()
        print_columns(("GOLDEN SET", "ROW", "EXPECTED", "PREDICTED"), failures)


def _run(one: dict[str, Any]) -> tuple[str, ...]:
    version = f"{one['golden_version']}{'' if one['is_newest'] else ' (older)'}"
    return (one["golden_set"], one["task"], version, *rate_columns(one))


def _version(name: str, one: dict[str, Any]) -> tuple[str, ...]:
    return (name, str(one["number"]), f"{one['rows']:,}", one["supplied_by"], moment(one["supplied_at"]))
