from __future__ import annotations

from mop.areas import config


class DatasetsConfig(config.AreaConfig):
    name = "mop.datasets"

    def ready(self) -> None:
        """Register the area, and say who is told of datasets and their bindings."""
        super().ready()
        from mop.datasets.notices import DATASET_SCOPE, REQUEST_SCOPE  # noqa: PLC0415 - models load after the registry
        from mop.datasets.selectors import (  # noqa: PLC0415 - as above
            answered_for_datasets,
            decided_bindings,
            team_of_binding,
            team_of_dataset,
        )
        from mop.notifications.scopes import SCOPES, TEAMS  # noqa: PLC0415 - as above

        SCOPES[DATASET_SCOPE] = answered_for_datasets
        SCOPES[REQUEST_SCOPE] = decided_bindings
        TEAMS[DATASET_SCOPE] = team_of_dataset
        TEAMS[REQUEST_SCOPE] = team_of_binding
