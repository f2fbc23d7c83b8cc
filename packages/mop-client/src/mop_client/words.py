"""The server's words that options take; light, so that a help text imports nothing else. A test holds them to it."""

from __future__ import annotations

MODALITIES = ("Text", "Image", "ImageAndText")
LABEL_TYPES = ("Categorical", "Ordinal")
FRAMEWORKS = ("sklearn", "onnx", "transformers", "mlflow", "keras")

REVISION_PATH = (
    "created",
    "dataDownloaded",
    "environmentCreating",
    "environmentCreated",
    "endpointCreating",
    "endpointCreated",
    "deploymentCreating",
    "deploymentCreated",
    "verified",
)
"""The statuses of a revision with which nothing goes wrong, in order."""
REVISION_STATUSES = (*REVISION_PATH, "verifyFailed", "vulnerable", "cancelled", "toBeRetried", "outdated")

DATASET_TYPES = ("Binary", "Multi-label", "Ordinal")
DATASET_STATUSES = ("created", "verified", "verifyFailed", "outdated")

METRICS = ("f1", "precision", "recall", "accuracy")
AVERAGES = ("macro", "micro", "weighted")

STRATEGIES = ("PerRPS", "PerConcurrency")
ARRIVALS = ("uniform", "poisson")

CASE_STATES = ("open", "assigned", "confirmed", "fixed", "closed", "rejected")
CASE_KINDS = ("falsePositive", "falseNegative")

SERVICE_KINDS = ("AACS", "RAIO")
SERVICE_POLICIES = ("warn", "block")
SERVICE_SCOPES = ("bundle:read", "release:acknowledge", "case:report")
RELEASE_STATES = ("requested", "approved", "released", "retired", "rejected", "withdrawn")

SOURCE_PURPOSES = ("models", "datasets")
