"""Sample post data that people send: bounded, and compared by a tag."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from mop.errors import ValidationFailedError

SAMPLE_BYTES_MAX = 4 * 1024**2  # an image in base64, not a dataset; the portal takes bodies of 5 MiB
DEPTH_MAX = 50


def check_sample(sample: Any) -> None:
    """Refuse what would not fit a request of a model service.

    Raises:
        ValidationFailedError: it is too large, too deep, or no JSON.
    """
    if problem := sample_problem(sample):
        raise ValidationFailedError(f"sample_post_data: {problem}", fields={"sample_post_data": [problem]})


def sample_tag(sample: Any) -> str:
    """Tells samples apart: the same for the same JSON, however it is written."""
    return hashlib.sha256(json.dumps(sample, sort_keys=True).encode()).hexdigest()[:32]


def sample_problem(sample: Any) -> str:
    """Why a sample would not fit a request of a model service; empty where it would."""
    level, depth = [sample], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            return f"It is nested deeper than {DEPTH_MAX} levels."
        level = [child for value in level for child in _children(value)]
    try:
        size = len(json.dumps(sample, allow_nan=False))
    except ValueError:
        return "NaN and Infinity are no JSON."
    return f"It has {size:,} bytes; at most {SAMPLE_BYTES_MAX:,} are taken." if size > SAMPLE_BYTES_MAX else ""


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []
