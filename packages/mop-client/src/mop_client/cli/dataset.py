"""`mop dataset`: evaluation datasets on a MOP server, over its REST API."""

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mop.errors import from_dict
from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import of_result
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, YesFlag, one_of
from mop_client.cli.output import error_lines, metric_text, print_json, print_list, printable, say
from mop_client.cli.owners import Username, add_to, remove_from, show_owners
from mop_client.words import DATASET_STATUSES, DATASET_TYPES, MODALITIES

if TYPE_CHECKING:
    from mop_client.cli.client import Server

app = typer.Typer()

datasets = typer.Typer(help="Evaluation datasets on a server (see `mop login`).")
app.add_typer(datasets, name="dataset", invoke_without_command=True, callback=show_help)

POLL_SECONDS = 1.0

Name = Annotated[
    str, typer.Argument(help="The dataset's name.", show_default=False, autocompletion=completion.datasets)
]
Watch = Annotated[bool, typer.Option("--watch", help="Wait for the verification; the exit code is that of its result.")]


def _column_option(what: str) -> Any:
    return typer.Option(
        metavar="[HEADER=]VALUE", help=f"{what}; without HEADER for every label column.", show_default=False
    )


@datasets.command()
def create(
    url: Annotated[str, typer.Argument(help="Url of the folder: https://ACCOUNT.blob.core.windows.net/... or file://")],
    *,
    modality: Annotated[
        str,
        typer.Option(
            parser=one_of(MODALITIES),
            metavar="|".join(MODALITIES),
            help="What a sample is: Text, Image or ImageAndText.",
            show_default=False,
        ),
    ],
    label: Annotated[list[str], typer.Option(metavar="HEADER", help="A label column. Repeatable.")],
    name: Annotated[list[str], _column_option("Dataset name; FOLDER-HEADER if left out")] = [],  # noqa: B006 - typer copies it
    label_type: Annotated[list[str], _column_option("binary, multi-label or ordinal; binary if left out")] = [],  # noqa: B006 - as above
    label_size: Annotated[list[str], _column_option("Multi-label: how many labels")] = [],  # noqa: B006 - as above
    task: Annotated[list[str], _column_option("A task to connect. Repeatable")] = [],  # noqa: B006 - as above
    description: Annotated[list[str], _column_option("Description")] = [],  # noqa: B006 - as above
    team: Annotated[Optional[str], typer.Option(help="One of your teams; your first if left out.")] = None,
    language: Annotated[str, typer.Option(help="Language tag, such as en.", show_default=False)] = "",
    group_column: Annotated[list[str], typer.Option(metavar="HEADER", help="A column for slices. Repeatable.")] = [],  # noqa: B006 - as above
    language_column: Annotated[Optional[str], typer.Option(metavar="HEADER", help="The column of languages.")] = None,
    watch: Watch = False,
    as_json: JsonFlag = False,
) -> None:
    """Add the datasets of one file, one for each label column."""
    names, sizes = _single(name, label, "--name"), _single(label_size, label, "--label-size")
    types, descriptions = _single(label_type, label, "--label-type"), _single(description, label, "--description")
    tasks = _by_column(task, label)
    body = {
        "modality": modality,
        "team": team,
        "url": url,
        "language": language,
        "group_columns": group_column,
        "language_column": language_column,
        "datasets": [
            {
                "label_header": header,
                "name": names.get(header) or _proposed_name(url, header),
                "label_type": one_of(DATASET_TYPES)(types.get(header, "binary")),
                "label_size": _number(sizes[header]) if header in sizes else None,
                "tasks": tasks[header],
                "description": descriptions.get(header, ""),
            }
            for header in label
        ],
    }
    with open_server() as server:
        created = server.post("datasets", body={key: value for key, value in body.items() if value is not None})
        for one in created:
            say(f"{one['name']} is {one['status']}")
        _ended(server, [one["name"] for one in created], watch=watch, as_json=as_json)


@datasets.command(name="list")
def list_datasets(
    *,
    search: Annotated[Optional[str], typer.Option(help="Part of the name or description.", show_default=False)] = None,
    status: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of((*DATASET_STATUSES, "all")),
            metavar="STATUS",
            show_default=False,
            help="A status, or `all`. Left out: all but outdated and verifyFailed.",
        ),
    ] = None,
    task: Annotated[
        Optional[str],
        typer.Option(help="Only datasets connected to this task.", show_default=False, autocompletion=completion.tasks),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List datasets."""
    with open_server() as server:
        items = server.pages("datasets", search=search, status=status, task=task)
    if as_json:
        print_json(items)
        return
    rows = [
        (
            item["name"],
            item["status"],
            item["label_type"],
            item["modality"],
            "" if item["sample_number"] is None else str(item["sample_number"]),
            ", ".join(f"{binding['task']} ({binding['state']})" for binding in item["tasks"]),
        )
        for item in items
    ]
    print_list(
        ("NAME", "STATUS", "TYPE", "MODALITY", "SAMPLES", "TASKS"),
        rows,
        empty="No datasets to show. `mop dataset create` adds one.",
    )


@datasets.command()
def show(name: Name, *, as_json: JsonFlag = False) -> None:
    """Show a dataset's metadata and faults; the exit code is that of its status."""
    with open_server() as server:
        dataset = server.get("datasets", name)
    if as_json:
        print_json(dataset)
    else:
        _print(dataset)
    raise typer.Exit(of_result(dataset["status"]))


@datasets.command()
def results(name: Name, *, as_json: JsonFlag = False) -> None:
    """List the results on a dataset of every public version, newest first."""
    with open_server() as server:
        items = server.pages("datasets", name, "evaluations")
    if as_json:
        print_json({"items": items})
        return
    rows = [(one["model"], one["version"], one["task"], metric_text(one["headline"], absent="")) for one in items]
    print_list(
        ("MODEL", "VERSION", "TASK", "HEADLINE"),
        rows,
        empty="No results. Versions are evaluated when owners of a task approve the dataset: `mop task approve`.",
    )


@datasets.command()
def edit(
    name: Name,
    *,
    description: Annotated[Optional[str], typer.Option(help="The new description.", show_default=False)] = None,
    task: Annotated[
        Optional[list[str]],
        typer.Option(
            help="A connected task; those given replace all present ones. Repeatable.",
            show_default=False,
            autocompletion=completion.tasks,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Change the description of a dataset, or its connected tasks; nothing else of it changes."""
    body = {key: value for key, value in (("description", description), ("tasks", task or None)) if value is not None}
    if not body:
        raise typer.BadParameter("give --description or --task")
    with open_server() as server:
        dataset = server.patch("datasets", name, body=body)
    if as_json:
        print_json(dataset)
    else:
        _print(dataset)


@datasets.command()
def retry(name: Name, *, watch: Watch = False, as_json: JsonFlag = False) -> None:
    """Read the url of a failed dataset again."""
    with open_server() as server:
        dataset = server.post("datasets", name, "retry")
        say(f"{name} is {dataset['status']}")
        _ended(server, [name], watch=watch, as_json=as_json)


@datasets.command()
def cancel(name: Name, *, as_json: JsonFlag = False) -> None:
    """Stop the verification of a dataset."""
    with open_server() as server:
        dataset = server.post("datasets", name, "cancel")
    if as_json:
        print_json(dataset)
    else:
        say(f"{name} is {dataset['status']}")


@datasets.command()
def outdated(name: Name, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """Set a dataset aside, for good: nothing new is measured on it."""
    with open_server() as server:
        if not yes:
            typer.confirm(f"Mark {name} as outdated? This cannot be undone.", abort=True, err=True)
        dataset = server.post("datasets", name, "outdated")
    if as_json:
        print_json(dataset)
    else:
        say(f"{name} is {dataset['status']}")


@datasets.command()
def delete(
    name: Name,
    *,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete a dataset with everything that was measured on it."""
    with open_server() as server:
        if not yes:
            typer.confirm(f"Delete the dataset {name}, with all its results?", abort=True, err=True)
        server.delete("datasets", name)
    if as_json:
        print_json({"dataset": name, "deleted": True})
    else:
        say(f"deleted {name}")


owners = typer.Typer(help="Owners of a dataset, who change and delete it.")
datasets.add_typer(owners, name="owners", invoke_without_command=True, callback=show_help)


@owners.command(name="add")
def add_owner(name: Name, username: Username, *, as_json: JsonFlag = False) -> None:
    """Add an owner to a dataset."""
    add_to("datasets", name, username, as_json=as_json)


@owners.command(name="remove")
def remove_owner(
    name: Name,
    username: Username,
    *,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove an owner from a dataset; never the last one."""
    with open_server() as server:
        remove_from(server, "datasets", name, username, yes=yes)
        dataset = server.get("datasets", name)
    show_owners(dataset, as_json=as_json)


def _ended(server: "Server", names: Sequence[str], *, watch: bool, as_json: bool) -> None:
    """Show the datasets as they stand, or after their verification, and end with the exit code of the worst."""
    found = [server.get("datasets", name) for name in names]
    while watch and not all(dataset["is_final"] for dataset in found):
        time.sleep(POLL_SECONDS)
        found = [server.get("datasets", name) for name in names]
    if as_json:
        print_json(found)
    elif watch:
        for dataset in found:
            _print(dataset)
    else:
        say(f"Follow it with: mop dataset show {names[0]}")
    if watch:
        raise typer.Exit(max(of_result(dataset["status"]) for dataset in found))


def _print(dataset: dict[str, Any]) -> None:
    print(printable(f"{dataset['name']}: {dataset['description']}"))
    print(printable(f"team {dataset['team']}, owners {', '.join(dataset['owners'])}"))
    print(printable(f"{dataset['label_type']} {dataset['modality']}, column {dataset['label_header']}"))
    print(printable(f"file {dataset['path']}"))
    print(f"status {dataset['status']} since {dataset['status_changed_at']}")
    if dataset["sample_number"] is not None:
        print(f"{dataset['sample_number']} samples, {dataset['size_mb']} MB")
    for share in dataset["label_ratio"]:
        label = share["label"] or "(withheld)"
        print(printable(f"label {label}: {share['count']} ({share['ratio']:.1%})"))
    for binding in dataset["tasks"]:
        print(printable(f"task {binding['task']}: {binding['state']}"))
    if dataset["error"]:
        for line in error_lines(from_dict(dataset["error"])):
            print(line)
    for word, faults in (("fault", dataset["faults"]), ("warning", dataset["warnings"])):
        for fault in faults:
            print(printable(f"{word}: {_described(fault)}"))
    if dataset["waits_for"]:
        print(printable(f"waits: {dataset['waits_for']['message']} MOP tries again at {dataset['retry_at']}"))


def _described(fault: dict[str, Any]) -> str:
    column = f" in {fault['column']}" if fault["column"] else ""
    rows = f", rows {', '.join(map(str, fault['rows']))}" if fault["rows"] else ""
    return f"{fault['title']}{column} ({fault['kind']}): {fault['count']}{rows}"


def _by_column(given: Sequence[str], labels: Sequence[str]) -> dict[str, list[str]]:
    """The values of a repeatable option for each label column; one without a header counts for every column."""
    found: dict[str, list[str]] = {header: [] for header in labels}
    for text in given:
        header, separator, value = text.partition("=")
        if separator and header in found:
            found[header].append(value)
        else:
            for values in found.values():
                values.append(text)
    return found


def _single(given: Sequence[str], labels: Sequence[str], option: str) -> dict[str, str]:
    """The one value of an option for each label column that has one."""
    found = _by_column(given, labels)
    if doubled := [header for header, values in found.items() if len(values) > 1]:
        raise typer.BadParameter(f"{option} is given more than once for {doubled[0]!r}.")
    return {header: values[0] for header, values in found.items() if values}


def _number(text: str) -> int:
    if not text.isdecimal():
        raise typer.BadParameter(f"--label-size: {text!r} is not a number.")
    return int(text)


def _proposed_name(url: str, header: str) -> str:
    folder = url.rstrip("/").removesuffix("/dataset.csv").rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{folder}-{header}").strip("-._") or "dataset"
