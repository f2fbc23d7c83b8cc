"""The serving options of a revision: name, type, limits, default, label and help of each, stated once.

Form, API, command line and database build their fields from `OPTIONS`. This module imports nothing of MOP and no
Django, and runs on Python 3.9: the client brings it along for the command line.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

if TYPE_CHECKING:
    from typing import Self

if sys.version_info >= (3, 11):  # noqa: UP036 - the client's commands run on Python 3.9
    from enum import StrEnum
else:
    import enum

    class StrEnum(str, enum.Enum):  # noqa: UP042 - as above
        __str__ = str.__str__


class ServerMode(StrEnum):
    """What answers HTTP in front of the model processes; docs/serving.md compares them.

    MOP: one front for all of them, with one queue and batches across them.
    GUNICORN: gunicorn's threaded workers, each with a model process of its own, as the original deployments had it.
    """

    MOP = "mop"
    GUNICORN = "gunicorn"


class LoadTestOption(StrEnum):
    """Which load test follows verification."""

    OFF = "off"
    PER_RPS = "PerRPS"
    PER_CONCURRENCY = "PerConcurrency"


@dataclass(frozen=True)
class Description:
    """What people are told of an option, and its limits.

    Attributes:
        label: in the portal's form.
        flag: on the command line, without dashes; a bool has `--flag` and `--no-flag`.
        help: on the command line and in the API's documentation.
        form_help: below the label in the form.
        unit: of a number, noted at its column.
        minimum, maximum: of a number, both allowed.
        is_configuration: whether it belongs to the model configuration, which says how the service runs.
    """

    label: str
    flag: str
    help: str
    form_help: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    is_configuration: bool = True


@dataclass(frozen=True)
class ServingOptions:
    """The options with their defaults; `OPTIONS` describes them."""

    server: Annotated[
        ServerMode,
        Description(
            label="Server",
            flag="server",
            help="mop, or gunicorn to reproduce such a deployment.",
            form_help="mop: one front, batches across all workers. gunicorn: gunicorn's own workers and threads, for "
            "those who must reproduce such a deployment.",
        ),
    ] = ServerMode.MOP
    worker_number: Annotated[
        int,
        Description(
            label="Gunicorn worker number",
            flag="workers",
            help="Model processes: Gunicorn worker number.",
            minimum=1,
            maximum=64,
        ),
    ] = 1
    thread_number: Annotated[
        int,
        Description(
            label="Gunicorn thread number",
            flag="threads",
            help="Threads of each model process, used without batching: Gunicorn thread number.",
            minimum=1,
            maximum=256,
        ),
    ] = 8
    batch_enabled: Annotated[
        bool,
        Description(
            label="Enable dynamic batch",
            flag="batch",
            help="Dynamic batch, or inference() for each item.",
        ),
    ] = True
    batch_max_size: Annotated[
        int,
        Description(
            label="Max batch size",
            flag="batch-max",
            help="Max batch size: items of a batch at most.",
            minimum=1,
            maximum=1024,
        ),
    ] = 12
    batch_idle_size: Annotated[
        int,
        Description(
            label="Idle batch size",
            flag="batch-idle",
            help="Idle batch size: items that start a batch when idle.",
            minimum=1,
            maximum=1024,
        ),
    ] = 3
    batch_max_interval: Annotated[
        float,
        Description(
            label="Max batch interval (s)",
            flag="batch-interval",
            help="Max batch interval: seconds that an item waits at most.",
            unit="seconds",
            minimum=0,
            maximum=10,
        ),
    ] = 0.002
    regression_enabled: Annotated[
        bool,
        Description(
            label="Enable regression test",
            flag="regression",
            help="Regression test.",
            form_help="Without regression results a version cannot be released.",
            is_configuration=False,
        ),
    ] = True
    load_test_option: Annotated[
        LoadTestOption,
        Description(
            label="Load test option",
            flag="load-test",
            help="off, PerRPS or PerConcurrency.",
            is_configuration=False,
        ),
    ] = LoadTestOption.PER_CONCURRENCY

    @classmethod
    def of(cls, source: object) -> Self:
        """The options of an object that has them as attributes, such as a revision."""
        given = values_of(source)
        return cls(
            **{name: option.type(given[name]) if option.words else given[name] for name, option in OPTIONS.items()}
        )


@dataclass(frozen=True)
class Option:
    """One option as the interfaces need it: `type` is bool, int, float or a StrEnum."""

    name: str
    type: type[Any]
    default: Any
    about: Description

    @property
    def words(self) -> tuple[str, ...]:
        """The values of an enumeration; empty for another type."""
        return tuple(word.value for word in self.type) if issubclass(self.type, StrEnum) else ()

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The values of an enumeration as Django's forms and columns take them."""
        return [(word, word) for word in self.words]

    @property
    def plain_default(self) -> bool | int | float | str:
        """The default without its enumeration, as JSON and migrations write it."""
        plain: bool | int | float | str = self.default.value if self.words else self.default
        return plain


def _described() -> dict[str, Option]:
    hints = get_type_hints(ServingOptions, include_extras=True)
    return {
        field.name: Option(field.name, hints[field.name].__origin__, field.default, hints[field.name].__metadata__[0])
        for field in dataclasses.fields(ServingOptions)
    }


OPTIONS: Mapping[str, Option] = _described()
CONFIGURATION = tuple(name for name, option in OPTIONS.items() if option.about.is_configuration)


def values_of(source: object) -> dict[str, Any]:
    """Every option of an object that has them as attributes, by name and as it stands there."""
    return {name: getattr(source, name) for name in OPTIONS}


def configuration_text(source: object) -> str:
    """The model configuration in words, of an object that has it as attributes or a mapping that has it as keys."""
    given = source if isinstance(source, Mapping) else {name: getattr(source, name) for name in CONFIGURATION}
    parts = [f"server {given['server']}", _count(given["worker_number"], "worker")]
    parts.append(_count(given["thread_number"], "thread"))
    if not given["batch_enabled"]:
        return ", ".join([*parts, "dynamic batch off"])
    batch = f"at most {_count(given['batch_max_size'], 'item')}, {given['batch_idle_size']} start one when idle"
    batch += f", an item waits at most {given['batch_max_interval']:g} s"
    return ", ".join([*parts, f"dynamic batch ({batch})"])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def idle_size_problem(*, idle: int | None, largest: int | None) -> str | None:
    """What is wrong with the two batch sizes together; None when nothing is, or one is not known."""
    if idle is None or largest is None or idle <= largest:
        return None
    return f"The idle batch size must not be over the max batch size, {largest}."
