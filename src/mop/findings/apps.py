from __future__ import annotations

from mop.areas import config


class FindingsConfig(config.AreaConfig):
    name = "mop.findings"

    def ready(self) -> None:
        """Register the area, and match after an import of advisories."""
        super().ready()
        from mop.advisories.services import AFTER_IMPORT  # noqa: PLC0415 - models load after the app registry
        from mop.findings.triggers import match_soon  # noqa: PLC0415 - as above

        AFTER_IMPORT.append(match_soon)
