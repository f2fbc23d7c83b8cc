"""The contract between a classification model and MOP."""

from .base_model_wrapper import BaseModelWrapper, MopInferenceInput, MopInferenceOutput

__version__ = "3.0.0"

__all__ = ["BaseModelWrapper", "MopInferenceInput", "MopInferenceOutput", "__version__"]
