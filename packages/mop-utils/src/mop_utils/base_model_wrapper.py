"""The class that a contributor's `inference.py` extends, and the input and output that MOP exchanges with it."""

# ruff: noqa: B027 - the AACS converters are optional: a model without them inherits these, which answer None

from abc import ABC, abstractmethod
from typing import Any, Dict, List, Mapping, Optional

from .util import (
    AcsImageResponse,
    AcsTextResponse,
    ImageAnalysisInput,
    MopInferenceOutputValidator,
    TextAnalysisInput,
)

__all__ = [
    "AcsImageResponse",
    "AcsTextResponse",
    "BaseModelWrapper",
    "ImageAnalysisInput",
    "MopInferenceInput",
    "MopInferenceOutput",
    "MopInferenceOutputValidator",
    "TextAnalysisInput",
]


class MopInferenceInput:
    """One item as MOP sends it; which fields are set depends on the task's modality.

    Attributes:
        text: Text and ImageAndText: the text; for ImageAndText it holds placeholders `##{image_0}`, `##{image_1}`, ...
        image: Image: the encoded image file in base64.
        width: Image: its width in pixels, where known.
        height: Image: its height in pixels, where known.
        images: ImageAndText: up to 20 images in base64; `##{image_3}` in the text stands for `images[3]`.
    """

    def __init__(
        self,
        text: Optional[str] = None,
        image: Optional[str] = None,
        width: Optional[int] = None,
        height: Optional[int] = None,
        images: Optional[List[Any]] = None,
    ) -> None:
        self.text = text
        self.image = image
        self.width = width
        self.height = height
        self.images = images

    def from_dict(self, input_dict: Dict[str, Any]) -> "MopInferenceInput":
        """Set every field from a dict; a missing key sets None.

        Returns:
            This object.

        Raises:
            ValueError: neither text nor image nor images is given.
        """
        self.text = input_dict.get("text")
        self.image = input_dict.get("image")
        self.width = input_dict.get("width")
        self.height = input_dict.get("height")
        self.images = input_dict.get("images")
        if self.text is None and self.image is None and self.images is None:
            raise ValueError("A MOP input needs text, image or images, but it has none of them")
        return self

    def __repr__(self) -> str:
        return str(vars(self))


class MopInferenceOutput:
    """One output in MOP's format: for each taxonomy the predicted labels and their confidence scores.

    A categorical task (labels exclude each other) has exactly one predicted label at 1, and scores that sum to 1:

        {"predicted_labels": {"jailbreak": {"no": 0, "yes": 1}},
         "confidence_scores": {"jailbreak": {"no": 0.2, "yes": 0.8}}}

    An ordinal task (labels ascend) has 1 for every label up to the predicted one, and cumulative scores, so each is
    the probability of that label or a higher one; this output predicts "2":

        {"predicted_labels": {"violence": {"0": 1, "1": 1, "2": 1, "3": 0}},
         "confidence_scores": {"violence": {"0": 1.0, "1": 0.9, "2": 0.7, "3": 0.1}}}

    Attributes:
        predicted_labels: {taxonomy: {label: 0 or 1}}.
        confidence_scores: {taxonomy: {label: 0 to 1}}, with the same taxonomies and labels.
    """

    def __init__(self, raw_data_dict: Dict[str, Any]) -> None:
        """Take both parts from a dict and check their form.

        Args:
            raw_data_dict: {"predicted_labels": ..., "confidence_scores": ...}; other keys are ignored.

        Raises:
            TypeError: not a dict, or a part or name or value in it has the wrong type
                (`MopInferenceOutputValidator.validate`).
            ValueError: a part is missing or empty, or the parts differ in their taxonomies or labels.
        """
        if not isinstance(raw_data_dict, Mapping):
            raise TypeError(f"A MOP output must be a dict, but it is a {type(raw_data_dict).__name__}")
        self.predicted_labels: Dict[str, Dict[str, int]] = raw_data_dict.get("predicted_labels", {})
        self.confidence_scores: Dict[str, Dict[str, float]] = raw_data_dict.get("confidence_scores", {})
        MopInferenceOutputValidator(self).validate()

    def from_dict(self, raw_data_dict: Dict[str, Any]) -> "MopInferenceOutput":
        """Replace both parts; kept for code written for mop-utils 2.x, the constructor does the same.

        Returns:
            This object.

        Raises:
            KeyError: a part is missing.
            TypeError: as the constructor.
            ValueError: as the constructor.
        """
        self.confidence_scores = raw_data_dict["confidence_scores"]
        self.predicted_labels = raw_data_dict["predicted_labels"]
        MopInferenceOutputValidator(self).validate()
        return self

    @property
    def output(self) -> Dict[str, Any]:
        """Both parts as one dict, the form that goes over the wire."""
        return {"confidence_scores": self.confidence_scores, "predicted_labels": self.predicted_labels}

    def __repr__(self) -> str:
        return str(vars(self))


class BaseModelWrapper(ABC):
    """What MOP calls on a model. `src/inference.py` defines one concrete subclass; MOP constructs it without arguments.

    MOP calls `init` once, then any of the other methods, with positional arguments only. A model process may call
    `inference` from several threads at once when dynamic batching is off.
    """

    def __init__(self) -> None:
        pass

    @abstractmethod
    def init(self, model_root: str, **kwargs: Any) -> Any:
        """Load the model.

        Args:
            model_root: the path of the model folder's `model/`, read-only.
            kwargs: reserved.
        """
        raise NotImplementedError("init() is not implemented")

    @abstractmethod
    def inference(self, item: Dict[str, Any], **kwargs: Any) -> Dict[str, Any]:
        """Classify one item.

        Args:
            item: the model's own input format, as the sample post data or `convert_mop_input_to_model_input` gives it.
            kwargs: reserved.

        Returns:
            The model's own output format, JSON-like.
        """
        raise NotImplementedError("inference() is not implemented")

    @abstractmethod
    def inference_batch(self, item: List[Dict[str, Any]], **kwargs: Any) -> List[Dict[str, Any]]:
        """Classify several items at once.

        Args:
            item: the items, each as for `inference`.
            kwargs: reserved.

        Returns:
            One output per item, in the order of the items.
        """
        raise NotImplementedError("inference_batch() is not implemented")

    @abstractmethod
    def convert_mop_input_to_model_input(self, mop_input: MopInferenceInput, **kwargs: Any) -> Dict[str, Any]:
        """Turn MOP's input into the item that `inference` takes."""
        raise NotImplementedError("convert_mop_input_to_model_input() is not implemented")

    @abstractmethod
    def convert_model_output_to_mop_output(
        self, customized_output: Dict[str, Any], **kwargs: Any
    ) -> MopInferenceOutput:
        """Turn what `inference` returned into MOP's output."""
        raise NotImplementedError("convert_model_output_to_mop_output() is not implemented")

    def convert_acs_text_request_to_model_inference_input(self, req: TextAnalysisInput) -> Any:
        """Turn an AACS text request into the item that `inference` takes.

        Needed only to release a text model to an AACS service; the same holds for the three methods below.
        """

    def convert_model_inference_output_to_acs_text_response(self, out: Any) -> Optional[AcsTextResponse]:
        """Turn what `inference` returned for a text into an AACS response."""

    def convert_acs_image_request_to_model_inference_input(self, req: ImageAnalysisInput) -> Any:
        """Turn an AACS image request into the item that `inference` takes."""

    def convert_model_inference_output_to_acs_image_response(self, out: Any) -> Optional[AcsImageResponse]:
        """Turn what `inference` returned for an image into an AACS response."""
