"""The four categories of Azure AI Content Safety, and what they are called elsewhere."""

from __future__ import annotations

import enum
from dataclasses import dataclass

HIGHEST_SEVERITY = 7


class Kind(enum.StrEnum):
    """What is analyzed; the values are MOP's modalities."""

    TEXT = "Text"
    IMAGE = "Image"

    @property
    def form(self) -> str:
        """The format in which a model service takes it."""
        return "acs-text" if self is Kind.TEXT else "acs-image"


@dataclass(frozen=True, eq=False)
class Category:
    """One category; there are four objects of it.

    Attributes:
        name: in the wire contract.
        taxonomy: MOP's name.
        finding: the model wrapper's name.
    """

    name: str
    taxonomy: str
    finding: str


CATEGORIES = (
    Category("Hate", "Hate", "hate"),
    Category("SelfHarm", "Self-harm", "self_harm"),
    Category("Sexual", "Sexual", "sexual"),
    Category("Violence", "Violence", "violence"),
)
BY_NAME = {category.name: category for category in CATEGORIES}
BY_TAXONOMY = {category.taxonomy: category for category in CATEGORIES}


class OutputType(enum.StrEnum):
    """How finely severities are told."""

    FOUR = "FourSeverityLevels"
    EIGHT = "EightSeverityLevels"

    def severity(self, level: int) -> int:
        """The level that is told for a model's level of 0 to 7: four levels are 0, 2, 4 and 6."""
        return level if self == "EightSeverityLevels" else level - level % 2
