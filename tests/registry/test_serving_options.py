"""The serving options are described once; every interface keeps the same limits and defaults."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from django.core.exceptions import ValidationError
from pydantic import ValidationError as SchemaError

from mop.cli.main import command_tree
from mop.registry.forms import RevisionForm
from mop.registry.models import Revision
from mop.registry.schemas import RevisionFields, RevisionOut
from mop.serving_options import CONFIGURATION, OPTIONS, ServingOptions, configuration_text
from mop_client.cli.serving_flags import may_give_options

LIMITED = [name for name, option in OPTIONS.items() if option.about.maximum is not None]
WORDED = [name for name, option in OPTIONS.items() if option.words]

Interface = Callable[[str, Any], Any]


def by_form(name: str, value: Any) -> Any:
    return RevisionForm.base_fields[name].clean(value)


def by_api(name: str, value: Any) -> Any:
    return getattr(RevisionFields(**{name: value}), name)


def by_database(name: str, value: Any) -> Any:
    return Revision._meta.get_field(name).clean(value, None)


def by_command_line(name: str, value: Any) -> Any:
    taken: dict[str, Any] = {}
    app = typer.Typer()

    @app.command()
    @may_give_options
    def take(**options: Any) -> None:
        taken.update(options)

    app([f"--{OPTIONS[name].about.flag}={value}"], standalone_mode=False)
    return taken[name]


INTERFACES = [by_form, by_api, by_database, by_command_line]
REFUSED = (ValidationError, SchemaError, typer.BadParameter)


@pytest.mark.parametrize("take", INTERFACES)
@pytest.mark.parametrize("name", LIMITED)
def test_the_limits_are_allowed_and_what_is_beyond_is_refused(take: Interface, name: str):
    about = OPTIONS[name].about
    assert (take(name, about.minimum), take(name, about.maximum)) == (about.minimum, about.maximum)
    for value in (about.minimum - 1, about.maximum + 1):
        with pytest.raises(REFUSED):
            take(name, value)


@pytest.mark.parametrize("take", INTERFACES)
@pytest.mark.parametrize("name", WORDED)
def test_the_words_are_allowed_and_others_are_refused(take: Interface, name: str):
    assert tuple(take(name, word) for word in OPTIONS[name].words) == OPTIONS[name].words
    with pytest.raises(REFUSED):
        take(name, "another")


def test_form_and_database_have_the_defaults_of_the_description():
    defaults = {name: getattr(ServingOptions(), name) for name in OPTIONS}
    assert {name: RevisionForm.base_fields[name].initial for name in OPTIONS} == defaults
    assert {name: Revision._meta.get_field(name).default for name in OPTIONS} == defaults


def test_every_option_is_in_the_answers_and_commands():
    assert set(OPTIONS) <= set(RevisionOut.model_fields)
    for command in ("create", "upgrade"):
        assert set(OPTIONS) <= {one.name for one in command_tree().commands["model"].commands[command].params}


def test_the_model_configuration_is_told_in_words():
    given = {name: OPTIONS[name].plain_default for name in CONFIGURATION}
    batch = "dynamic batch (at most 12 items, 3 start one when idle, an item waits at most 0.002 s)"
    assert configuration_text(given) == f"server mop, 1 worker, 8 threads, {batch}"
    given |= {"worker_number": 2, "thread_number": 1, "batch_enabled": False}
    assert configuration_text(given) == "server mop, 2 workers, 1 thread, dynamic batch off"
    assert configuration_text(SimpleNamespace(**given)) == configuration_text(given)
