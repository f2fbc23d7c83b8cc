from __future__ import annotations

from typing import Any

from mop.areas import config
from mop.areas.references import Ref

FORGET: Ref[Any] = Ref("mop.evaluation.notices:forget_results")  # no start of a process needs it


class EvaluationConfig(config.AreaConfig):
    name = "mop.evaluation"

    def ready(self) -> None:
        """Register the area, and say what goes with a dataset."""
        super().ready()
        from mop.datasets.notices import FORGET_HOOKS  # noqa: PLC0415 - models load after the registry

        if FORGET not in FORGET_HOOKS:
            FORGET_HOOKS.append(FORGET)
