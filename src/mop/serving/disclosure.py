"""What a service tells of its model beside the answers: all of it, or only the names of errors."""

from __future__ import annotations

from enum import StrEnum

from mop.errors import MopError

WITHHELD = "What the model did and printed is withheld: it may have seen hidden data."


class Disclosure(StrEnum):
    """How much of what a model process writes, raises and ends with leaves its service.

    FULL: its output is the service's log; errors tell what it raised and how it ended.
    NAMES: its output is thrown away, and errors keep their name in the catalogue alone. Not even its exit status is
        told: a model could choose it by what it saw.
    """

    FULL = "full"
    NAMES = "names"

    def of(self, error: MopError) -> MopError:
        """The error as it may be told."""
        return error if self is Disclosure.FULL else type(error)(WITHHELD)
