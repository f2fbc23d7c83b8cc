"""`mop dsat`: DSAT cases on a MOP server, over its REST API."""

import base64
import time
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, YesFlag, one_of
from mop_client.cli.output import print_fields, print_json, print_list, say
from mop_client.words import CASE_KINDS, CASE_STATES

app = typer.Typer()

cases = typer.Typer(help="DSAT cases on a server (see `mop login`): contents that a service answered wrongly.")
app.add_typer(cases, name="dsat", invoke_without_command=True, callback=show_help)

PART_BYTES = 1 << 20
POLL_SECONDS = 1.0
SHOWN_FAULTS = 20

ImportId = Annotated[
    str, typer.Argument(metavar="IMPORT", help="The id of the import (`mop dsat imports`).", show_default=False)
]
Number = Annotated[str, typer.Argument(help="The number of the case, such as DSAT-12.", show_default=False)]


@cases.command(name="list")
def list_cases(
    *,
    task: Annotated[
        Optional[str],
        typer.Option(help="Only cases of this task.", show_default=False, autocompletion=completion.tasks),
    ] = None,
    state: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of((*CASE_STATES, "waiting")), metavar="STATE", help="A state, or `waiting`.", show_default=False
        ),
    ] = None,
    search: Annotated[Optional[str], typer.Option(help="Words in what you may read.", show_default=False)] = None,
    trace_id: Annotated[Optional[str], typer.Option(help="A whole trace id.", show_default=False)] = None,
    tag: Annotated[Optional[str], typer.Option(help="A whole tag.", show_default=False)] = None,
    service: Annotated[Optional[str], typer.Option(help="Name of the service.", show_default=False)] = None,
    assignee: Annotated[Optional[str], typer.Option(help="A user name, or `nobody`.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """List cases, newest first."""
    with open_server() as server:
        items = server.pages(
            "dsat",
            task=task,
            state=state,
            search=search,
            trace_id=trace_id,
            tag=tag,
            service=service,
            assignee=assignee,
        )
    if as_json:
        print_json(items)
        return
    rows = [
        (
            item["number"],
            item["state"],
            item["kind"] or "",
            f"{item['predicted_label'] or '?'} -> {item['expected_label'] or '?'}",
            item["task"],
            item["service"],
            item["assignee"] or "",
        )
        for item in items
    ]
    print_list(
        ("CASE", "STATE", "KIND", "GOT", "TASK", "SERVICE", "ASSIGNEE"),
        rows,
        empty="No cases to show. `mop dsat add` adds one, `mop dsat import` those of a file.",
    )


@cases.command()
def show(
    number: Number,
    *,
    content: Annotated[bool, typer.Option("--content", help="Open the content; that is recorded.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show a case; with --content what the service was asked."""
    with open_server() as server:
        case = server.get("dsat", number)
        if content:
            case["content"] = server.post("dsat", number, "open")["content"]
    if as_json:
        print_json(case)
        return
    print_fields(case, without=("edition",))


@cases.command()
def add(
    task: Annotated[str, typer.Argument(help="The task.", show_default=False, autocompletion=completion.tasks)],
    *,
    text: Annotated[Optional[str], typer.Option(help="The text.", show_default=False)] = None,
    image: Annotated[list[Path], typer.Option(help="An image file. Repeatable.", exists=True, dir_okay=False)] = [],  # noqa: B006 - typer copies it
    expected_label: Annotated[str, typer.Option(help="What the right answer is.", show_default=False)] = "",
    kind: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of(CASE_KINDS),
            metavar="|".join(CASE_KINDS),
            help="falsePositive or falseNegative.",
            show_default=False,
        ),
    ] = None,
    predicted_label: Annotated[str, typer.Option(help="What the service answered.", show_default=False)] = "",
    trace_id: Annotated[str, typer.Option(help="Trace id of the answer.", show_default=False)] = "",
    description: Annotated[str, typer.Option(help="Why the answer was wrong.", show_default=False)] = "",
    tag: Annotated[list[str], typer.Option(help="A tag. Repeatable.")] = [],  # noqa: B006 - as above
    service: Annotated[str, typer.Option(help="The service that it comes from.", show_default=False)] = "",
    restricted: Annotated[bool, typer.Option("--restricted", help="You and the assignee alone read it.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Add one case."""
    images = [base64.b64encode(path.read_bytes()).decode() for path in image]
    with open_server() as server:
        is_image = bool(images) and text is None
        content: dict[str, Any] = {"image": images[0]} if is_image else {"text": text or ""}
        if images and not is_image:
            content["images"] = images
        case = server.post(
            "dsat",
            body={
                "task": task,
                "content": content,
                "expected_label": expected_label,
                "kind": kind,
                "predicted_label": predicted_label,
                "trace_id": trace_id,
                "description": description,
                "tags": tag,
                "service": service,
                "restricted": restricted,
            },
        )
    if as_json:
        print_json(case)
        return
    say(f"added {case['number']}")
    for one in case["similar"]:
        say(f"{one['number']} is similar: {one['similarity']:.2f}")


@cases.command(name="import")
def import_file(
    task: Annotated[str, typer.Argument(help="The task.", show_default=False, autocompletion=completion.tasks)],
    file: Annotated[Path, typer.Argument(help="A .csv, .tsv, .jsonl or .ndjson file.", exists=True, dir_okay=False)],
    *,
    service: Annotated[str, typer.Option(help="For rows that name no service.", show_default=False)] = "",
    restricted: Annotated[bool, typer.Option("--restricted", help="You and the assignees alone read them.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Import a file of cases and show its report; exit code 1 when a row was refused."""
    with open_server() as server:
        body = {
            "task": task,
            "file_name": file.name,
            "size": file.stat().st_size,
            "service": service,
            "restricted": restricted,
        }
        row = server.post("dsat-imports", body=body)
        with file.open("rb") as source:
            for part, data in enumerate(iter(lambda: source.read(PART_BYTES), b"")):
                server.put(
                    "dsat-imports", row["id"], "parts", str(part), body={"data": base64.b64encode(data).decode()}
                )
        row = server.post("dsat-imports", row["id"], "start")
        while not row["is_final"]:
            time.sleep(POLL_SECONDS)
            row = server.get("dsat-imports", row["id"])
    if as_json:
        print_json(row)
    else:
        say(f"{row['state']}: {row['added']} added, {row['known']} known already, {row['refused']} refused")
        for fault in row["faults"][:SHOWN_FAULTS]:
            say(f"row {fault['row']} {fault['column']}: {fault['reason']}")
    raise typer.Exit(1 if row["refused"] or row["state"] != "finished" else 0)


@cases.command(name="imports")
def list_imports(*, as_json: JsonFlag = False) -> None:
    """List your imports, newest first."""
    with open_server() as server:
        items = server.get("dsat-imports")
    if as_json:
        print_json(items)
        return
    rows = [
        (row["id"], row["state"], f"{row['percent']} %", row["task"], str(row["added"]), str(row["refused"]))
        for row in items
    ]
    print_list(
        ("IMPORT", "STATE", "READ", "TASK", "ADDED", "REFUSED"),
        rows,
        empty="You imported nothing. `mop dsat import` reads the cases of a file.",
    )


@cases.command(name="cancel-import")
def cancel_import(import_id: ImportId, *, as_json: JsonFlag = False) -> None:
    """End an import; cases that it made stay."""
    with open_server() as server:
        row = server.post("dsat-imports", import_id, "cancel")
    if as_json:
        print_json(row)
    else:
        say(f"{row['state']}: {row['added']} added")


@cases.command(name="delete-import")
def delete_import(import_id: ImportId, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """Delete an import with its report; cases that it made stay."""
    with open_server() as server:
        if not yes:
            typer.confirm("Delete the import with its report?", abort=True, err=True)
        server.delete("dsat-imports", import_id)
    if as_json:
        print_json({"import": import_id, "deleted": True})
    else:
        say("deleted the import")


@cases.command()
def change(
    number: Number,
    *,
    expected_label: Annotated[Optional[str], typer.Option(help="What the right answer is.", show_default=False)] = None,
    kind: Annotated[Optional[str], typer.Option(help="falsePositive or falseNegative.", show_default=False)] = None,
    predicted_label: Annotated[
        Optional[str], typer.Option(help="What the service answered.", show_default=False)
    ] = None,
    trace_id: Annotated[Optional[str], typer.Option(help="Trace id of the answer.", show_default=False)] = None,
    description: Annotated[Optional[str], typer.Option(help="Why the answer was wrong.", show_default=False)] = None,
    tag: Annotated[Optional[list[str]], typer.Option(help="A tag, in place of all. Repeatable.")] = None,
    service: Annotated[Optional[str], typer.Option(help="The service that it comes from.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Change what is known of a case; what is left out stays."""
    given = {
        "expected_label": expected_label,
        "kind": kind,
        "predicted_label": predicted_label,
        "trace_id": trace_id,
        "description": description,
        "tags": tag or None,
        "service": service,
    }
    body = {name: value for name, value in given.items() if value is not None}
    if not body:
        raise typer.BadParameter("give at least one of the options")
    with open_server() as server:
        case = server.patch("dsat", number, body=body)
    if as_json:
        print_json(case)
    else:
        say(f"{case['number']} is changed")


@cases.command()
def restrict(
    number: Number,
    *,
    lift: Annotated[bool, typer.Option("--lift", help="Let all read it again whom the task lets read.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Let submitter and assignee alone read the content of a case. Its submitter only."""
    done = "is no longer restricted" if lift else "is restricted"
    _changed(number, "restrict", {"restricted": not lift}, done, as_json=as_json)


@cases.command()
def access(
    task: Annotated[str, typer.Argument(help="The task.", show_default=False, autocompletion=completion.tasks)],
    *,
    add: Annotated[
        Optional[str], typer.Option(help="Let this team read. Task owners only.", show_default=False)
    ] = None,
    take: Annotated[bool, typer.Option("--take", help="Let yourself read, as an administrator; recorded.")] = False,
    remove: Annotated[Optional[int], typer.Option(help="Take back the right with this id.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show, and change, who reads the content of a task's cases beside its owners and the people on a case."""
    path = ("tasks", task, "dsat-access")
    with open_server() as server:
        if add is not None:
            server.post(*path, body={"team": add})
        if take:
            server.post(*path, body={})
        if remove is not None:
            server.delete(*path, str(remove))
        found = server.get(*path)
    if as_json:
        print_json(found)
        return
    rows = [
        (str(one["id"]), f"team {one['team']}" if one["team"] else one["administrator"], one["granted_by"])
        for one in found
    ]
    print_list(
        ("ID", "WHO", "BY"),
        rows,
        empty="Nobody beside the owners of the task and the people on a case. `--add TEAM` lets a team read.",
    )


@cases.command()
def assign(
    number: Number,
    username: Annotated[
        Optional[str], typer.Argument(help="User name of the new assignee; left out: the case has none.")
    ] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Give a case to a person, who reads its content from now on."""
    done = f"is assigned to {username}" if username else "is assigned to nobody"
    _changed(number, "assign", {"username": username}, done, as_json=as_json)


@cases.command()
def confirm(number: Number, *, as_json: JsonFlag = False) -> None:
    """Agree that the service answered wrongly."""
    _changed(number, "confirm", None, as_json=as_json)


@cases.command()
def fix(
    number: Number,
    model: Annotated[
        str, typer.Argument(help="The model that answers as expected.", autocompletion=completion.models)
    ] = "",
    version: Annotated[str, typer.Argument(help="Its version.", autocompletion=completion.versions)] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Note which version answers a case as expected."""
    _changed(number, "fix", {"model": model, "version": version}, as_json=as_json)


@cases.command()
def reject(number: Number, *, as_json: JsonFlag = False) -> None:
    """Say that a case is no fault of a model."""
    _changed(number, "reject", None, as_json=as_json)


@cases.command()
def close(number: Number, *, as_json: JsonFlag = False) -> None:
    """Accept the fix of a case."""
    _changed(number, "close", None, as_json=as_json)


@cases.command()
def reopen(number: Number, *, as_json: JsonFlag = False) -> None:
    """Open a case again."""
    _changed(number, "reopen", None, as_json=as_json)


@cases.command()
def comment(
    number: Number, text: Annotated[str, typer.Argument(help="The comment.")], *, as_json: JsonFlag = False
) -> None:
    """Comment on a case."""
    _changed(number, "comments", {"text": text}, "has your comment", as_json=as_json)


@cases.command()
def delete(
    number: Number,
    *,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete a case with everything that was recorded for it."""
    with open_server() as server:
        if not yes:
            typer.confirm(f"Delete {number}, with all outcomes?", abort=True, err=True)
        server.delete("dsat", number)
    if as_json:
        print_json({"case": number, "deleted": True})
    else:
        say(f"deleted {number}")


def _changed(
    number: str, operation: str, body: Optional[dict[str, Any]], done: Optional[str] = None, *, as_json: bool
) -> None:
    with open_server() as server:
        case = server.post("dsat", number, operation, body=body)
    if as_json:
        print_json(case)
    else:
        say(f"{case['number']} {done or 'is ' + case['state']}")
