"""`mop model`: models and their revisions on a MOP server, over its REST API."""

import sys
from typing import TYPE_CHECKING, Annotated, Any, Optional
from urllib.parse import quote

import typer

from mop.errors import from_dict
from mop.serving_options import configuration_text
from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import ExitCode, of_result
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, ModelName, YesFlag, one_of, read_json
from mop_client.cli.output import error_lines, print_json, print_list, printable, say, wants_colour
from mop_client.cli.serving_flags import may_give_options
from mop_client.words import REVISION_STATUSES

if TYPE_CHECKING:
    from mop_client.cli.client import Server

app = typer.Typer()

models = typer.Typer(help="Models and their versions on a server (see `mop login`).")
app.add_typer(models, name="model", invoke_without_command=True, callback=show_help)

Version = Annotated[
    Optional[str],
    typer.Option(help="The version; the newest if left out.", show_default=False, autocompletion=completion.versions),
]
Tasks = Annotated[
    list[str],
    typer.Option(
        "--task",
        metavar="TASK[=NAME]",
        autocompletion=completion.tasks,
        help="A task to connect, and what the model's output calls its taxonomy, if not so. Repeatable.",
        show_default=False,
    ),
]
IntendedUse = Annotated[
    Optional[str], typer.Option(help="For the model card: what the model is for.", show_default=False)
]
Limits = Annotated[Optional[str], typer.Option(help="For the model card: what it is not for.", show_default=False)]
Note = Annotated[Optional[str], typer.Option(help="Version note.", show_default=False)]
Sample = Annotated[
    Optional[str],
    typer.Option(metavar="JSON|@FILE", help="Sample post data: an item of inference().", show_default=False),
]
InstanceType = Annotated[
    Optional[str],
    typer.Option(
        help="Machine size, such as Standard_F4s_v2.", show_default=False, autocompletion=completion.instance_types
    ),
]
Watch = Annotated[bool, typer.Option("--watch", help="Follow the pipeline; the exit code is that of its result.")]


@models.command()
@may_give_options
def create(
    url: Annotated[str, typer.Argument(help="Model url: https://ACCOUNT.blob.core.windows.net/... or file://...")],
    task: Tasks,
    *,
    name: Annotated[Optional[str], typer.Option(help="Model name; proposed if left out.", show_default=False)] = None,
    description: Annotated[str, typer.Option(help="Description.", show_default=False)] = "",
    intended_use: IntendedUse = None,
    limits: Limits = None,
    team: Annotated[Optional[str], typer.Option(help="One of your teams; your first if left out.")] = None,
    version: Annotated[Optional[str], typer.Option(help="Version; v1.0.0 if left out.", show_default=False)] = None,
    note: Note = None,
    sample: Sample = None,
    instance_type: InstanceType = None,
    watch: Watch = False,
    as_json: JsonFlag = False,
    **options: Any,
) -> None:
    """Add a model with its first version; a url and a task suffice."""
    body = {
        "name": name,
        "description": description,
        "intended_use": intended_use,
        "limits": limits,
        "team": team,
        "connections": [_connection(text) for text in task],
        "model_url": url,
        "version": version,
        **_fields(note, sample, instance_type, options),
    }
    with open_server() as server:
        _started(server, server.post("models", body=_given(body)), watch=watch, as_json=as_json)


@models.command()
@may_give_options
def upgrade(
    name: ModelName,
    model_url: Annotated[Optional[str], typer.Argument(help="Model url; the newest version's if left out.")] = None,
    *,
    url: Annotated[Optional[str], typer.Option(help="The model url as an option.", show_default=False)] = None,
    version: Annotated[Optional[str], typer.Option(help="Version; the one after the newest if left out.")] = None,
    note: Note = None,
    sample: Sample = None,
    instance_type: InstanceType = None,
    watch: Watch = False,
    as_json: JsonFlag = False,
    **options: Any,
) -> None:
    """Add a version to a model; what is left out is the newest version's."""
    if model_url and url:
        raise typer.BadParameter("give the model url once")
    body = {
        "model_url": model_url or url,
        "version": version,
        **_fields(note, sample, instance_type, options),
    }
    with open_server() as server:
        _started(server, server.post("models", name, "revisions", body=_given(body)), watch=watch, as_json=as_json)


@models.command(name="list")
def list_models(
    *,
    search: Annotated[Optional[str], typer.Option(help="Part of the name or description.", show_default=False)] = None,
    status: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of((*REVISION_STATUSES, "running", "all")),
            metavar="STATUS",
            show_default=False,
            help="Newest version's status, or `all`. Left out: all but outdated and verifyFailed.",
        ),
    ] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only models that you created or own.")] = False,
    group: Annotated[
        Optional[str], typer.Option(help="Only models of the group with this id.", show_default=False)
    ] = None,
    team: Annotated[Optional[str], typer.Option(help="Only models of this team.", show_default=False)] = None,
    task: Annotated[Optional[str], typer.Option(help="Only models connected to this task.", show_default=False)] = None,
    tag: Annotated[Optional[str], typer.Option(help="Only models with this tag.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the models that you may see."""
    asked = {"search": search, "status": status, "group": group, "team": team, "task": task, "tag": tag}
    with open_server() as server:
        items = server.pages("models", owned=mine or None, **asked)
    if as_json:
        print_json(items)
        return
    rows = [
        (
            item["name"],
            item["latest_version"],
            item["latest_status"],
            item["usable_version"] or "",
            item["team"],
            _tasks_of(item),
        )
        for item in items
    ]
    print_list(
        ("NAME", "VERSION", "STATUS", "USABLE", "TEAM", "TASKS"),
        rows,
        empty="No models to show. `mop model create` adds one; `--status all` also shows outdated and failed ones.",
    )


@models.command()
def show(name: ModelName, *, version: Version = None, as_json: JsonFlag = False) -> None:
    """Show a model and one of its versions; the exit code is that of its result."""
    with open_server() as server:
        model, revision = _model_and_revision(server, name, version)
        others = [] if as_json else server.pages("models", name, "revisions")
    if as_json:
        print_json({"model": model, "revision": revision})
    else:
        _print_model(model)
        versions = ", ".join(f"{one['version']} ({one['status']})" for one in others)
        print(printable(f"versions {versions}"))
        _print_revision(revision)
    raise typer.Exit(of_result(revision["status"], revision["warnings"]))


@models.command()
def watch(
    name: ModelName,
    *,
    version: Version = None,
    through_retries: Annotated[
        Optional[bool],
        typer.Option(
            "--through-retries/--no-through-retries",
            help="In toBeRetried: wait for the next attempt, or end with 3. Left out: wait on a terminal only.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line on stdout for each event.")
    ] = False,
) -> None:
    """Follow a version with its log until its pipeline ends; exit code: that of its result. Ctrl-C stops following."""
    with open_server() as server:
        version = version_of(server, name, version)
        _follow(server, name, version, as_json=as_json, through_retries=through_retries)


@models.command()
def logs(
    name: ModelName,
    kind: Annotated[
        str,
        typer.Argument(
            parser=one_of(("build", "deployment", "load-test")),
            metavar="[build|deployment|load-test]",
            help="Which log of the version.",
        ),
    ] = "build",
    *,
    version: Version = None,
    search: Annotated[Optional[str], typer.Option(help="Only lines that hold this text.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Print a log of a version: of its build, its deployment, or its load tests."""
    with open_server() as server:
        path = ("models", name, "revisions", version_of(server, name, version), "logs", kind)
        lines = server.pages(*path, search=search)
    if as_json:
        print_json(lines)
        return
    if not lines:
        say("Nothing was written to it." if search is None else "No line holds this text.")
    for line in lines:
        print(printable(line["text"]))


@models.command()
def retry(name: ModelName, *, version: Version = None, watch: Watch = False, as_json: JsonFlag = False) -> None:
    """Run the pipeline again on the version's snapshot."""
    with open_server() as server:
        revision = server.post("models", name, "revisions", version_of(server, name, version), "retry")
        _started(server, revision, watch=watch, as_json=as_json)


@models.command()
def cancel(name: ModelName, *, version: Version = None, as_json: JsonFlag = False) -> None:
    """Stop the pipeline of a version."""
    with open_server() as server:
        revision = server.post("models", name, "revisions", version_of(server, name, version), "cancel")
    if as_json:
        print_json(revision)
    else:
        say(f"{name} {revision['version']} is {revision['status']}")


@models.command()
def publish(name: ModelName, *, version: Version = None, as_json: JsonFlag = False) -> None:
    """Make a verified version public: everybody who is signed in sees it, its results and its model."""
    _act(name, version, "publish", "public", as_json=as_json)


@models.command()
def unpublish(name: ModelName, *, version: Version = None, as_json: JsonFlag = False) -> None:
    """Make a version private: owners and administrators alone see it."""
    _act(name, version, "unpublish", "private", as_json=as_json)


@models.command()
def outdated(
    name: ModelName,
    *,
    version: Annotated[str, typer.Option(help="The version.", show_default=False)],
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Set a version aside, for good: it stays visible and is offered for nothing new."""
    if not yes:
        typer.confirm(f"Mark {name} {version} as outdated? This cannot be undone.", abort=True, err=True)
    _act(name, version, "outdated", "outdated", as_json=as_json)


@models.command()
def edit(
    name: ModelName,
    *,
    description: Annotated[Optional[str], typer.Option(help="The new description.", show_default=False)] = None,
    intended_use: IntendedUse = None,
    limits: Limits = None,
    version: Annotated[
        Optional[str],
        typer.Option(help="The version whose note changes.", show_default=False, autocompletion=completion.versions),
    ] = None,
    note: Annotated[
        Optional[str], typer.Option(help="The new note of the version; needs --version.", show_default=False)
    ] = None,
    tag: Annotated[
        Optional[list[str]],
        typer.Option(
            "--tag",
            help="A tag; the tags given replace all present ones. Repeatable; '' removes all.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Change a model's description, the texts of its model card, or its tags; or the note of a version."""
    texts = {"description": description, "intended_use": intended_use, "limits": limits}
    body = _given({**texts, "tags": tag or None})
    if (version is None) != (note is None):
        raise typer.BadParameter("give --version and --note together")
    if not body and note is None:
        raise typer.BadParameter("give --description, --intended-use, --limits, --tag, or --version with --note")
    with open_server() as server:
        revision = None if version is None else server.patch("models", name, "revisions", version, body={"note": note})
        model = server.patch("models", name, body=body) if body else server.get("models", name)
    if as_json:
        print_json(model if revision is None else {"model": model, "revision": revision})
        return
    _print_model(model)
    if revision is not None:
        _print_revision(revision)


@models.command()
def delete(
    name: ModelName,
    version: Annotated[
        Optional[str],
        typer.Argument(
            help="Delete this version only; left out: the model.",
            show_default=False,
            autocompletion=completion.versions,
        ),
    ] = None,
    *,
    as_option: Annotated[
        Optional[str], typer.Option("--version", help="The version as an option.", show_default=False)
    ] = None,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete a version with its results, or a model with all its versions."""
    if version is not None and as_option is not None:
        raise typer.BadParameter("give the version once.")
    version = version or as_option
    with open_server() as server:
        versions = [item["version"] for item in server.pages("models", name, "revisions")]
        goes = [version] if version else versions
        what = f"version {version} of {name}" if version else f"the model {name} with {', '.join(versions)}"
        if not yes:
            typer.confirm(f"Delete {what}, with all logs and results?", abort=True, err=True)
        server.delete("models", name, *(("revisions", version) if version else ()))
    if as_json:
        print_json({"model": name, "deleted_versions": goes})
    else:
        say(f"deleted {what}")


def _act(name: str, version: Optional[str], action: str, done: str, *, as_json: bool) -> None:
    with open_server() as server:
        revision = server.post("models", name, "revisions", version_of(server, name, version), action)
    if as_json:
        print_json(revision)
    else:
        say(f"{name} {revision['version']} is {done}")


def _started(server: "Server", revision: dict[str, Any], *, watch: bool, as_json: bool) -> None:
    name, version = revision["model"], revision["version"]
    say(f"{name} {version} is {revision['status']}")
    if watch:
        _follow(server, name, version, as_json=as_json)
    elif as_json:
        print_json(revision)
    else:
        say(f"Follow it with: mop model watch {name} --version {version}")


def _follow(
    server: "Server", name: str, version: str, *, as_json: bool, through_retries: Optional[bool] = None
) -> None:
    from mop_client.cli.watch_views import open_view, print_line
    from mop_client.cli.watching import follow

    if through_retries is None:
        through_retries = not as_json and wants_colour(sys.stderr)
    view = open_view(f"{name} {version}", as_json=as_json)
    try:
        revision = follow(server, name, version, view, through_retries=through_retries)
    except KeyboardInterrupt:
        say(f"left {name} {version}, which goes on")
        say(f"  watch it again: mop model watch {name} --version {version}")
        say(f"  stop it:        mop model cancel {name} --version {version}")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    code = of_result(revision["status"], revision["warnings"])
    link = f"{server.url}/models/{quote(name)}/versions/{quote(version)}/"
    if as_json:
        print_line("result", exit_code=int(code), link=link, revision=revision)
    else:
        say(f"{revision['status']}  {link}")
        _print_result(revision)
    raise typer.Exit(code)


def _fields(
    note: Optional[str], sample: Optional[str], instance_type: Optional[str], options: dict[str, Any]
) -> dict[str, Any]:
    """What a first and a further version are given alike, as the API names it."""
    post_data = None if sample is None else read_json(sample, option="--sample")
    return {"note": note, "sample_post_data": post_data, "instance_type": instance_type, **options}


def _connection(text: str) -> dict[str, str]:
    task, separator, customized_name = text.partition("=")
    return {"task": task, **({"customized_name": customized_name} if separator else {})}


def _given(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value is not None}


def version_of(server: "Server", name: str, version: Optional[str]) -> str:
    """The version that is meant: the given one, else the model's newest."""
    return version or str(server.get("models", name)["latest_version"])


def _model_and_revision(server: "Server", name: str, version: Optional[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    model = server.get("models", name)
    return model, server.get("models", name, "revisions", version or model["latest_version"])


def _tasks_of(model: dict[str, Any]) -> str:
    return ", ".join(connection["task"] for connection in model["connections"])


def _print_model(model: dict[str, Any]) -> None:
    print(printable(f"{model['name']}: {model['description']}"))
    print(printable(f"team {model['team']}, owners {', '.join(model['owners'])}"))
    if model["tags"]:
        print(printable(f"tags {', '.join(model['tags'])}"))
    for connection in model["connections"]:
        print(printable(f"task {connection['task']} ({connection['taxonomy']} as {connection['customized_name']})"))


def _print_revision(revision: dict[str, Any]) -> None:
    print(printable(f"version {revision['version']} from {revision['model_url']}"))
    if revision["note"]:
        print(printable(f"note: {revision['note']}"))
    print(printable(f"{revision['instance_type']}, {configuration_text(revision)}"))
    print(f"{revision['publish_status']}, attempt {revision['attempt']}")
    print(f"status {revision['status']} since {revision['status_changed_at']}")
    _print_result(revision)


def _print_result(revision: dict[str, Any]) -> None:
    if revision["error"]:
        for line in error_lines(from_dict(revision["error"])):
            print(line)
    for warning in revision["warnings"]:
        print(f"warning: {printable(str(warning))}")
    if revision["retry_at"]:
        print(f"MOP tries again at {revision['retry_at']}")
