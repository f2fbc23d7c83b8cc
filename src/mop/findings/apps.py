from __future__ import annotations

from django.apps import AppConfig


class FindingsConfig(AppConfig):
    name = "mop.findings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Show what was found beside a revision; declare the work that is started by name; match after an import."""
        from mop.advisories.services import AFTER_IMPORT  # noqa: PLC0415 - models load after the app registry
        from mop.engine.names import declare  # noqa: PLC0415 - as above
        from mop.findings.rescans import RESCAN_WORKFLOW  # noqa: PLC0415 - as above
        from mop.findings.sections import scan_of_revision  # noqa: PLC0415 - as above
        from mop.findings.selectors import revisions_scanned_again  # noqa: PLC0415 - as above
        from mop.findings.triggers import match_soon  # noqa: PLC0415 - as above
        from mop.registry.unsettled import WORK_ON_REVISIONS  # noqa: PLC0415 - as above
        from mop.ui.extensions import REVISION_SECTIONS  # noqa: PLC0415 - as above

        declare(RESCAN_WORKFLOW)
        WORK_ON_REVISIONS.append(revisions_scanned_again)
        REVISION_SECTIONS.register(scan_of_revision)
        AFTER_IMPORT.append(match_soon)
