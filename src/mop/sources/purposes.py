"""What a source prefix is for."""

from __future__ import annotations

import enum


class Purpose(enum.StrEnum):
    """A prefix for one purpose says nothing about the others."""

    MODELS = "models"
    DATASETS = "datasets"
