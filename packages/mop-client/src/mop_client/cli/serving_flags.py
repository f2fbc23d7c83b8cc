"""The serving options of a revision as options of a command; names, limits, defaults and help are `OPTIONS`'."""

import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Optional, TypeVar

import typer

from mop.serving_options import CONFIGURATION, OPTIONS, Option
from mop_client.cli.options import one_of

Command = TypeVar("Command", bound=Callable[..., None])


def may_give_options(command: Command) -> Command:
    """A command whose `**options` are all serving options, each None where it is left out."""
    return _with(command, (_parameter(option, default=None) for option in OPTIONS.values()))


def takes_configuration(command: Command) -> Command:
    """A command whose `**options` are those of the model configuration, with their defaults."""
    return _with(command, (_parameter(OPTIONS[name], default=OPTIONS[name].plain_default) for name in CONFIGURATION))


def _with(command: Command, parameters: Iterable[inspect.Parameter]) -> Command:
    """Typer reads the signature of a command; this one names what its `**options` stand for."""
    if sys.version_info >= (3, 10):  # a command of the server's package has its annotations as texts
        signature = inspect.signature(command, eval_str=True)
    else:
        signature = inspect.signature(command)
    own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    command.__signature__ = signature.replace(parameters=[*own, *parameters])  # type: ignore[attr-defined] # read by inspect
    return command


def _parameter(option: Option, *, default: Any) -> inspect.Parameter:
    about = option.about
    flag = f"--{about.flag}/--no-{about.flag}" if option.type is bool else f"--{about.flag}"
    words: dict[str, Any] = {"parser": one_of(option.words), "metavar": "|".join(option.words)} if option.words else {}
    info = typer.Option(
        flag, min=about.minimum, max=about.maximum, help=about.help, show_default=default is not None, **words
    )
    kind = str if option.words else option.type
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind if default is not None else Optional[kind], info],
    )
