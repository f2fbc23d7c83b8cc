"""`mop evaluation rerun`, `cancel`, `publish` and `withdraw`: what owners of a model do with one result."""

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.evaluation import Dataset, TaskOption, path_of
from mop_client.cli.options import JsonFlag, ModelName, ModelVersion
from mop_client.cli.output import print_done

app = typer.Typer()


@app.command()
def rerun(
    name: ModelName, version: ModelVersion, dataset: Dataset, *, task: TaskOption = "", as_json: JsonFlag = False
) -> None:
    """Evaluate a version on a dataset again; it counts as a measurement. Model owners only."""
    _change("rerun", name, version, dataset, task, as_json=as_json)


@app.command()
def cancel(
    name: ModelName, version: ModelVersion, dataset: Dataset, *, task: TaskOption = "", as_json: JsonFlag = False
) -> None:
    """End an evaluation that waits or runs; a result that stands stays. Model owners only."""
    _change("cancel", name, version, dataset, task, as_json=as_json)


@app.command()
def publish(
    name: ModelName, version: ModelVersion, dataset: Dataset, *, task: TaskOption = "", as_json: JsonFlag = False
) -> None:
    """Show a private version's result on the pages of the task and of the dataset. Model owners only."""
    _change("publish", name, version, dataset, task, as_json=as_json)


@app.command()
def withdraw(
    name: ModelName, version: ModelVersion, dataset: Dataset, *, task: TaskOption = "", as_json: JsonFlag = False
) -> None:
    """Show a published result no longer. Model owners only."""
    _change("withdraw", name, version, dataset, task, as_json=as_json)


def _change(action: str, name: str, version: str, dataset: str, task: str, *, as_json: bool) -> None:
    with open_server() as server:
        changed = server.post(*path_of(server, name, version, dataset, task), action)
    shown = {"publish": "published", "withdraw": "no longer published"}.get(action, changed["status"])
    print_done(changed, f"the evaluation of {name} {version} on {dataset} is {shown}", as_json=as_json)
