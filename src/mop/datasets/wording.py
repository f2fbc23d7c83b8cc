"""Failures of the storage, told of a dataset: the storage knows model folders only."""

from __future__ import annotations

from mop.errors import MopError, from_dict

_WORDS = (
    ("model url", "dataset url"),
    ("model folder", "dataset folder"),
    ("model folders", "dataset folders"),
    ("onboard it again", "read it again"),
    ("onboard the folder", "add its datasets"),
)


def about_a_dataset(error: MopError) -> MopError:
    """The same error in words about datasets."""
    told = error.to_dict()
    return from_dict(
        {
            **told,
            "message": reworded(told["message"]),
            "hint": reworded(told["hint"]),
            "also": [reworded(text) for text in told["also"]],
        }
    )


def reworded(text: str) -> str:
    """A text of the storage in words about datasets."""
    for before, after in _WORDS:
        text = text.replace(before, after)
    return text
