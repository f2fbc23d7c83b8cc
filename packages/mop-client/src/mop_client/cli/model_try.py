"""`mop model try`: one input for a fresh process of a verified version; nothing of it is kept."""

import base64
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.model import Version, version_of
from mop_client.cli.options import JsonFlag, ModelName, one_of
from mop_client.cli.output import print_columns, print_json, printable, say

if TYPE_CHECKING:
    from mop_client.cli.client import Server

app = typer.Typer()

LOOK_SECONDS = 0.5


@app.command("try")
def try_it(
    name: ModelName,
    *,
    text: Annotated[
        Optional[str],
        typer.Option(metavar="TEXT|@FILE|-", help="The text; - reads standard input.", show_default=False),
    ] = None,
    image: Annotated[
        Optional[list[Path]],
        typer.Option(exists=True, dir_okay=False, help="An image file. Repeatable.", show_default=False),
    ] = None,
    modality: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of(("Text", "Image", "ImageAndText")),
            metavar="MODALITY",
            help="Text, Image or ImageAndText, where the model's tasks have several.",
            show_default=False,
        ),
    ] = None,
    version: Version = None,
    as_json: JsonFlag = False,
) -> None:
    """Send one input to a fresh process of a verified version, and show both formats, labels and time."""
    body = {
        "text": _text(text),
        "images": [base64.b64encode(path.read_bytes()).decode("ascii") for path in image or []],
        "modality": modality,
    }
    with open_server() as server:
        path = ("models", name, "revisions", version_of(server, name, version), "try")
        answered = _followed(server, path, server.post(*path, body=body))
    if as_json:
        print_json(answered)
    else:
        _print(answered)
    raise typer.Exit(_code(answered))


def _followed(server: "Server", path: tuple[str, ...], started: dict[str, Any]) -> dict[str, Any]:
    """The try when it ended; Ctrl-C ends it."""
    told = ""
    try:
        while True:
            shown: dict[str, Any] = server.get_with({"X-MOP-Try-Key": started["key"]}, *path, started["id"])
            if shown["is_final"]:
                return shown
            if shown["note"] and shown["note"] != told:
                told = shown["note"]
                print(printable(told), file=sys.stderr)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        server.post(*path, started["id"], "cancel")
        raise


def _code(answered: dict[str, Any]) -> ExitCode:
    if answered["state"] == "answered":
        return ExitCode.FAILED if answered["answer"] and answered["answer"]["faults"] else ExitCode.DONE
    return ExitCode.FAILED if answered["state"] == "failed" else ExitCode.UNDECIDED


def _print(answered: dict[str, Any]) -> None:
    if answered["error"]:
        say(f"{answered['error']['name']}: {answered['error']['message']}")
    answer = answered["answer"]
    if answer is None:
        say(f"The try is {answered['state']}.")
        return
    rows = [
        (one["taxonomy"], ", ".join(one["predicted"]), ", ".join(f"{k}: {v}" for k, v in one["scores"].items()))
        for one in answer["labels"]
    ]
    print_columns(("TAXONOMY", "LABEL", "SCORES"), rows)
    for fault in answer["faults"]:
        print(printable(f"breaks the contract: {fault}"))
    for key in ("mop", "model"):
        part = answer[key]
        if part["error"]:
            print(printable(f"{key} format: {part['error']['name']}: {part['error']['message']}"))
        elif part["seconds"] is not None:
            print(f"{key} format: {part['seconds'] * 1000:.1f} ms")
            print_json(part["output"])


def _text(given: Optional[str]) -> str:
    if given is None:
        return ""
    if given == "-":
        return sys.stdin.read()
    if given.startswith("@"):
        return Path(given[1:]).read_text(encoding="utf-8")
    return given
