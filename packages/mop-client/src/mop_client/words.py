"""Words that options take; light, so that a help text imports nothing else."""

from __future__ import annotations

MODALITIES = ("Text", "Image", "ImageAndText")
LABEL_TYPES = ("Categorical", "Ordinal")
FRAMEWORKS = ("sklearn", "onnx", "transformers", "mlflow", "keras")
