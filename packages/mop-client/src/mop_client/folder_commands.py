"""Commands for model folders: `mop init`, `mop requirements`.

Annotations are no texts here (no `from __future__ import annotations`): on Python 3.9 Typer does not read the options
in them otherwise.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, List, Optional, Tuple

import typer

from mop_client.errors import ClientError
from mop_client.words import FRAMEWORKS, LABEL_TYPES, MODALITIES

app = typer.Typer()
FAILED, UNDECIDED, USAGE = 1, 3, 64

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make; empty, or not there yet.", show_default=False)],
    *,
    modality: Annotated[str, typer.Option(help=f"What the model reads: {', '.join(MODALITIES)}.")] = "Text",
    label_type: Annotated[str, typer.Option(help=f"{' or '.join(LABEL_TYPES)}.")] = "Categorical",
    labels: Annotated[str, typer.Option(help="The labels in order, with commas; ascending where ordinal.")] = "no,yes",
    name: Annotated[str, typer.Option(help="What the output calls the taxonomy.")] = "Hate",
    source: Annotated[
        Optional[Tuple[str, Path]],
        typer.Option(
            "--from",
            metavar="FRAMEWORK PATH",
            help=f"The checkpoint, and what wrote it: {', '.join(FRAMEWORKS)}.",
            show_default=False,
        ),
    ] = None,
    python: Annotated[
        Optional[str], typer.Option(help="The model's Python; that of the checkpoint or this one if left out.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a model folder that passes `mop check`, for a checkpoint or to begin with."""
    from mop_client.scaffold import Wish, write_model_folder

    framework, checkpoint = source or (None, None)
    if framework is not None and framework not in FRAMEWORKS:
        raise typer.BadParameter(f"{framework!r} is none of {', '.join(FRAMEWORKS)}.", param_hint="--from")
    wish = Wish(
        modality=_word(modality, MODALITIES, "--modality"),
        label_type=_word(label_type, LABEL_TYPES, "--label-type"),
        labels=tuple(label.strip() for label in labels.split(",")),
        taxonomy=name,
        framework=framework,
        checkpoint=checkpoint,
        python=python,
    )
    try:
        made = write_model_folder(folder, wish)
    except ClientError as error:
        _fail(error.message, error.hint, USAGE)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "files": made.files, "notes": made.notes}, indent=2))
        return
    for file in made.files:
        typer.echo(f"{folder / file}")
    for note in made.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(f"next: mop check {folder} --task {folder / 'task.json'} --sample @{folder / 'sample.json'}", err=True)


@app.command()
def requirements(
    folder: Annotated[Path, typer.Argument(help="The model folder.", exists=True, file_okay=False)],
    *,
    index: Annotated[Optional[str], typer.Option(help="Package index; PyPI if left out.", show_default=False)] = None,
    extra_index: Annotated[
        Optional[List[str]], typer.Option(help="A further index that the installation allows. Repeatable.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Resolve requirements and private wheels of a model folder for the Linux that MOP runs; nothing is installed."""
    from mop_client.requirements import MopError, failure, resolve

    try:
        found = resolve(folder, index_url=index, extra_indexes=extra_index or ())
    except ClientError as error:
        _fail(error.message, error.hint, USAGE)
    except MopError as error:
        if as_json:
            typer.echo(json.dumps(failure(error), indent=2))
        else:
            for line in (f"{error.name}: {error.message}", *(f"  also: {one}" for one in error.also)):
                typer.echo(line, err=True)
            typer.echo(f"  hint: {error.hint}", err=True)
        raise typer.Exit(UNDECIDED if error.http_status >= 500 else FAILED) from None  # noqa: PLR2004 - not the model's
    if as_json:
        state = "undecided" if found.undecided else "resolved"
        typer.echo(json.dumps({"status": state, **found.__dict__}, indent=2))
    else:
        for package in found.packages:
            typer.echo(package)
        for note in (*found.notes, *([found.undecided] if found.undecided else [])):
            typer.echo(f"note: {note}", err=True)
        if not found.undecided:
            typer.echo(f"resolved for Python {found.python} on Linux", err=True)
    if found.undecided:
        raise typer.Exit(UNDECIDED)


def _word(text: str, known: Tuple[str, ...], option: str) -> str:
    """One of the words, in any letter case, with or without `-` and `_`."""
    bare = {word.lower(): word for word in known}
    found = bare.get(text.lower().replace("-", "").replace("_", ""))
    if found is None:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(known)}.", param_hint=option)
    return found


def _fail(message: str, hint: str, code: int) -> None:
    typer.echo(message, err=True)
    if hint:
        typer.echo(f"  hint: {hint}", err=True)
    sys.exit(code)
