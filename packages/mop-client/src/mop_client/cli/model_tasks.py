"""`mop model tasks`, `add-task`, `check-task`, `checks`, `sample` and others: what versions are proved with."""

from typing import Annotated, Any, Optional

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.model import Version, version_of
from mop_client.cli.options import JsonFlag, ModelName, read_json
from mop_client.cli.output import moment, print_done, print_json, print_list, say

app = typer.Typer()

Task = Annotated[str, typer.Argument(help="The task's name.", show_default=False, autocompletion=completion.tasks)]


@app.command()
def tasks(name: ModelName, *, as_json: JsonFlag = False) -> None:
    """List the connected tasks of a model, and where its versions stand with them."""
    with open_server() as server:
        items = server.get("models", name, "tasks")
    _show(items, as_json=as_json)


@app.command("add-task")
def add_task(
    name: ModelName,
    task: Task,
    *,
    customized_name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="What the model's output calls the taxonomy, if not so.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Connect a task; each verified version is checked with it."""
    with open_server() as server:
        items = server.post("models", name, "tasks", body={"task": task, "customized_name": customized_name})
    _show(items, as_json=as_json)


@app.command("disconnect-task")
def disconnect_task(name: ModelName, task: Task, *, as_json: JsonFlag = False) -> None:
    """Disconnect a task; its results are hidden, not lost."""
    with open_server() as server:
        server.delete("models", name, "tasks", task)
    done = {"model": name, "task": task, "disconnected": True}
    print_done(done, f"The task {task} is disconnected from {name}.", as_json=as_json)


@app.command("check-task")
def check_task(name: ModelName, task: Task, *, version: Version = None, as_json: JsonFlag = False) -> None:
    """Check a verified version with a connected task again."""
    with open_server() as server:
        path = ("models", name, "revisions", version_of(server, name, version), "contract-runs")
        run = server.post(*path, body={"task": task})
    if as_json:
        print_json(run)
    else:
        say(f"Contract run {run['id']} is {run['state']}.")


@app.command()
def checks(name: ModelName, *, version: Version = None, as_json: JsonFlag = False) -> None:
    """List the contract runs of a version, newest first: checks with tasks, and of a changed sample."""
    with open_server() as server:
        found = server.get("models", name, "revisions", version_of(server, name, version), "contract-runs")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            one["task"] or "sample post data",
            one["state"],
            moment(one["created_at"]),
            one["error"]["message"] if one["error"] else one["note"],
        )
        for one in found
    ]
    print_list(
        ("RUN", "OF", "STATE", "REQUESTED", "RESULT"),
        rows,
        empty="No contract runs. `mop model check-task` and `mop model sample` start one.",
    )


@app.command("cancel-check")
def cancel_check(
    name: ModelName,
    run: Annotated[str, typer.Argument(help="Its id, as `mop model checks` shows it.", show_default=False)],
    *,
    version: Version = None,
    as_json: JsonFlag = False,
) -> None:
    """End a contract run that waits or is in progress. Model owners only."""
    with open_server() as server:
        version = version_of(server, name, version)
        found = server.post("models", name, "revisions", version, "contract-runs", run, "cancel")
    print_done(found, f"Contract run {run} is {found['state']}.", as_json=as_json)


@app.command()
def sample(
    name: ModelName,
    *,
    change: Annotated[
        Optional[str],
        typer.Option(
            "--set",
            metavar="JSON|@FILE",
            help="Set another sample, which a run verifies first; null removes it.",
            show_default=False,
        ),
    ] = None,
    version: Version = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a version's sample post data, or change it."""
    with open_server() as server:
        path = ("models", name, "revisions", version_of(server, name, version), "sample")
        if change is None:
            print_json(server.get(*path)["sample_post_data"])
            return
        answer = server.put(*path, body={"sample_post_data": read_json(change, option="--set")})
    if as_json:
        print_json(answer)
        return
    run = answer["contract_run"]
    if run is None or run["state"] not in {"queued", "running"}:
        say("The sample post data is saved.")
    else:
        say(f"Contract run {run['id']} verifies the sample; the present one counts until it passed.")


def _show(items: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(items)
        return
    rows = [
        (
            item["task"],
            item["taxonomy"],
            item["customized_name"],
            ", ".join(f"{one['version']} {one['state']}" for one in item["versions"]),
        )
        for item in items
    ]
    print_list(
        ("TASK", "TAXONOMY", "NAME", "VERSIONS"),
        rows,
        empty="The model has no connected task. `mop model add-task` connects one.",
    )
