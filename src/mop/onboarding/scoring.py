"""What the proof of a contract asks of a service, and the errors that say with what input it failed."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

from mop.errors import DeploymentTimeoutError, ModelFault, RequestDeadlineError
from mop.serving.service import Converted

T = TypeVar("T")


class Scorer(Protocol):
    """What is proved: something that scores items."""

    async def score(self, payload: Any, *, mop: bool) -> Any:
        """The output of an item, or the outputs of a list of items."""
        ...

    async def model_input(self, mop_input: Any) -> Converted:
        """What the model's own converter makes of a MOP input."""
        ...


async def naming(what: str, answer: Awaitable[T]) -> T:
    """Wait for an answer; its errors say on what input: the same model often answers one input and not another.

    Raises:
        DeploymentTimeoutError: the answer did not come before the request's deadline.
        ModelFault: as the service answered it.
    """
    try:
        return await answer
    except RequestDeadlineError as error:
        raise DeploymentTimeoutError(
            f"On {what}: {error.message}",
            hint="Find what does not end on this input (a loop, a lock, a regular expression that backtracks), make "
            "inference faster, or choose a larger instance type.",
            place=error.place or what,
            also=error.also,
        ) from error
    except ModelFault as error:
        raise type(error)(
            f"On {what}: {error.message}", hint=error.hint, place=error.place or what, also=error.also
        ) from error
