"""Names that both sides of the contract rely on."""

CM_MODEL_WRAPPER_NAME = "inference"
"""The module that MOP imports from the model folder's `src`: `inference.py`."""
