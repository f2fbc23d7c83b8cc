from __future__ import annotations

from mop.areas import config


class EvaluationConfig(config.AreaConfig):
    name = "mop.evaluation"

    def ready(self) -> None:
        """Register the area, and say what goes with a dataset."""
        super().ready()
        from mop.datasets.services import DELETION_HOOKS  # noqa: PLC0415 - models load after the registry
        from mop.evaluation.notices import forget_results  # noqa: PLC0415 - as above

        if forget_results not in DELETION_HOOKS:
            DELETION_HOOKS.append(forget_results)
