"""Option types that several commands share."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mop_client.cli import completion

ModelName = Annotated[
    str, typer.Argument(help="The model's name.", show_default=False, autocompletion=completion.models)
]
ModelVersion = Annotated[
    str, typer.Argument(help="The version.", show_default=False, autocompletion=completion.versions)
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]
YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """A parser that takes any of the words in any letter case, with or without `-` and `_`: PerRPS, per-rps."""
    known = {_bare(word): word for word in words}

    def parse(text: str) -> str:
        if (word := known.get(_bare(text))) is None:
            raise typer.BadParameter(f"{text!r} is none of {', '.join(words)}.")
        return word

    parse.__name__ = "|".join(words)
    return parse


def read_json(text: str, *, option: str) -> Any:
    """JSON given directly, or by `@FILE`.

    Raises:
        typer.BadParameter: the file cannot be read, or the text is not JSON.
    """
    source = "it"
    if text.startswith("@"):
        source = text[1:]
        try:
            text = Path(source).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{option}: {source} cannot be read: {error}") from error
    try:
        return json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {source} is not JSON: {error}") from error


def _bare(text: str) -> str:
    return text.replace("-", "").replace("_", "").casefold()
