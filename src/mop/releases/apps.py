from __future__ import annotations

from typing import Any

from mop.areas import config
from mop.areas.references import Ref

FORGET: Ref[Any] = Ref("mop.releases.judging:forget_reports")  # no start of a process needs it


class ReleasesConfig(config.AreaConfig):
    name = "mop.releases"

    def ready(self) -> None:
        """Register the area, say who is told of releases and of what is live, and what goes with a dataset."""
        super().ready()
        from mop.datasets.notices import FORGET_HOOKS  # noqa: PLC0415 - models load after the registry
        from mop.findings.notices import OTHERS_TOLD  # noqa: PLC0415 - as above
        from mop.notifications.scopes import SCOPES, TEAMS  # noqa: PLC0415 - as above
        from mop.registry.notices import MODEL_SCOPE  # noqa: PLC0415 - as above
        from mop.releases.requests import notices  # noqa: PLC0415 - as above

        SCOPES[notices.RELEASE_SCOPE] = notices.seen_releases
        TEAMS[notices.RELEASE_SCOPE] = notices.team_of_release
        # admins answer for what their services run, so they are told of its findings
        SCOPES[MODEL_SCOPE] = notices.told_of_models
        if notices.admins_told not in OTHERS_TOLD:
            OTHERS_TOLD.append(notices.admins_told)
        if FORGET not in FORGET_HOOKS:
            FORGET_HOOKS.append(FORGET)
