from __future__ import annotations

from typing import TYPE_CHECKING

from mop.areas import config

if TYPE_CHECKING:
    from mop.datasets.models import Dataset


class EvaluationConfig(config.AreaConfig):
    name = "mop.evaluation"

    def ready(self) -> None:
        """Register the area, and say what goes with a dataset."""
        super().ready()
        from mop.datasets.notices import FORGET_HOOKS  # noqa: PLC0415 - models load after the registry

        if _forget not in FORGET_HOOKS:
            FORGET_HOOKS.append(_forget)


def _forget(dataset: Dataset) -> None:
    from mop.evaluation.notices import forget_results  # noqa: PLC0415 - no start of a process needs it

    forget_results(dataset)
