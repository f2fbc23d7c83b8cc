"""Which modality an input is for."""

from __future__ import annotations

from mop.catalog.models import Modality
from mop.errors import ValidationFailedError
from mop.registry.models import Model
from mop.trials.selectors import modalities_of


def modality_for(model: Model, asked: str | None) -> Modality:
    """The modality that was asked for, or the only one of the connected tasks.

    Raises:
        ValidationFailedError: the model has no task of it, or has several and none was named.
    """
    offered = modalities_of(model)
    if not asked and len(offered) == 1:
        return offered[0]
    if asked in offered:
        return Modality(asked)
    message = f"Give one of {', '.join(offered)}."
    raise ValidationFailedError(f"modality: {message}", fields={"modality": [message]})
