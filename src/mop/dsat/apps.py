from __future__ import annotations

from mop.areas import config


class DsatConfig(config.AreaConfig):
    name = "mop.dsat"

    def ready(self) -> None:
        """Register the area, and say who is told of cases."""
        super().ready()
        from mop.dsat.notices import CASE_SCOPE, team_of_case, told_of  # noqa: PLC0415 - models load after the registry
        from mop.notifications.scopes import SCOPES, TEAMS  # noqa: PLC0415 - as above

        SCOPES[CASE_SCOPE] = told_of
        TEAMS[CASE_SCOPE] = team_of_case
