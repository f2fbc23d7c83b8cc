"""Inputs and outputs of the Azure AI Content Safety (AACS) converters, and the validator of MOP outputs."""

from reprlib import repr as shortened
from typing import Any, Mapping, Optional, Type

from ._numbers import is_numpy_floating, is_numpy_integer

__all__ = [
    "AcsImageResponse",
    "AcsTextResponse",
    "AnalysisResult",
    "ImageAnalysisInput",
    "MopInferenceOutputValidator",
    "TextAnalysisInput",
]


class ImageAnalysisInput:
    """An image to analyse.

    Attributes:
        data: the encoded image file (JPEG, PNG, ...), not base64.
    """

    data: bytes = b""


class TextAnalysisInput:
    """A text to analyse.

    Attributes:
        text: the text, Unicode.
    """

    text: str = ""


class AnalysisResult:
    """The finding for one harm category.

    Attributes:
        harmful_score: how sure the model is that the content is harmful, 0 to 1.
        severity_level: the severity, 0 (safe) to 7; a service with four levels uses 0, 2, 4 and 6.
    """

    harmful_score: float = 0.0
    severity_level: int = 0

    def __repr__(self) -> str:
        return f"AnalysisResult(harmful_score={self.harmful_score!r}, severity_level={self.severity_level!r})"


class _OwnResult:
    """An attribute that gives every instance an AnalysisResult of its own on first use.

    It works without a constructor, so a subclass that never calls `super().__init__()` has its results too.
    """

    def __set_name__(self, owner: Type[Any], name: str) -> None:
        self._name = name

    def __get__(self, instance: Optional[object], owner: Type[Any]) -> AnalysisResult:
        result = AnalysisResult()
        if instance is not None:
            instance.__dict__[self._name] = result
        return result


class AcsImageResponse:
    """The findings for one image; a category that the model does not judge keeps its zero result.

    Attributes:
        hate: the finding for hate.
        self_harm: the finding for self-harm.
        sexual: the finding for sexual content.
        violence: the finding for violence.
    """

    hate = _OwnResult()
    self_harm = _OwnResult()
    sexual = _OwnResult()
    violence = _OwnResult()


class AcsTextResponse:
    """The findings for one text; a category that the model does not judge keeps its zero result.

    Attributes:
        hate: the finding for hate.
        self_harm: the finding for self-harm.
        sexual: the finding for sexual content.
        violence: the finding for violence.
    """

    hate = _OwnResult()
    self_harm = _OwnResult()
    sexual = _OwnResult()
    violence = _OwnResult()


class MopInferenceOutputValidator:
    """Checks the form of a MOP output as strictly as mop-utils 2.x did, and no stricter.

    The rules that a pipeline holds a model to are stricter: `mop_utils.output_rules`.

    Attributes:
        predicted_labels: {taxonomy: {label: 0 or 1}}.
        confidence_scores: {taxonomy: {label: score}}.
    """

    def __init__(self, mop_inference_output: Any) -> None:
        """Take both parts of the output.

        Args:
            mop_inference_output: an object with `predicted_labels` and `confidence_scores`.

        Raises:
            ValueError: one of the parts is missing or empty.
        """
        self.predicted_labels = mop_inference_output.predicted_labels
        self.confidence_scores = mop_inference_output.confidence_scores
        for part in ("predicted_labels", "confidence_scores"):
            if not getattr(self, part):
                raise ValueError(f"{part} must be set and not empty, but it is {shortened(getattr(self, part))}")

    def validate(self) -> None:
        """Check both parts and that they fit together.

        Raises:
            TypeError: a part is not a mapping of taxonomies to non-empty dicts, a name is not a non-empty string,
                a predicted label is not the integer 0 or 1, or a score is not a number.
            ValueError: the parts differ in their taxonomies or labels.
        """
        for taxonomy, label, value in _entries("predicted_labels", self.predicted_labels):
            if not (isinstance(value, int) or is_numpy_integer(value)) or value not in (0, 1):
                raise TypeError(
                    f"predicted_labels[{shortened(taxonomy)}][{shortened(label)}] must be the integer 0 or 1, "
                    f"but it is {shortened(value)} ({type(value).__name__})"
                )
        for taxonomy, label, value in _entries("confidence_scores", self.confidence_scores):
            if not (isinstance(value, (int, float)) or is_numpy_integer(value) or is_numpy_floating(value)):
                raise TypeError(
                    f"confidence_scores[{shortened(taxonomy)}][{shortened(label)}] must be a number, "
                    f"but it is {shortened(value)} ({type(value).__name__})"
                )
        if set(self.predicted_labels) != set(self.confidence_scores):
            raise ValueError(
                "predicted_labels and confidence_scores must have the same taxonomies, but they have "
                f"{shortened(list(self.predicted_labels))} and {shortened(list(self.confidence_scores))}"
            )
        for taxonomy, labels in self.predicted_labels.items():
            scores = self.confidence_scores[taxonomy]
            if set(labels) != set(scores):
                raise ValueError(
                    f"predicted_labels and confidence_scores must have the same labels for {shortened(taxonomy)}, "
                    f"but they have {shortened(list(labels))} and {shortened(list(scores))}"
                )


def _entries(part: str, taxonomies: Any) -> Any:
    """Yield (taxonomy, label, value) of one part; TypeError where its shape is wrong."""
    if not isinstance(taxonomies, Mapping):
        raise TypeError(f"{part} must be a dict of taxonomies, but it is a {type(taxonomies).__name__}")
    for taxonomy, labels in taxonomies.items():
        if not taxonomy or not isinstance(taxonomy, str):
            raise TypeError(f"A taxonomy in {part} must be a non-empty string, but it is {shortened(taxonomy)}")
        if not labels or not isinstance(labels, dict):
            raise TypeError(
                f"{part}[{shortened(taxonomy)}] must be a non-empty dict of labels, but it is {shortened(labels)}"
            )
        for label, value in labels.items():
            if not label or not isinstance(label, str):
                raise TypeError(
                    f"A label in {part}[{shortened(taxonomy)}] must be a non-empty string, but it is {shortened(label)}"
                )
            yield taxonomy, label, value
