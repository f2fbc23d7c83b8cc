from __future__ import annotations

from django.apps import AppConfig

from mop.engine.names import declare


class LoadTestConfig(AppConfig):
    name = "mop.loadtest"
    label = "loadtest"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let load tests be started by name, and show them with the revisions."""
        from mop.loadtest.places import COLUMN, PANEL, result_section  # noqa: PLC0415 - models load after the registry
        from mop.loadtest.services import LOAD_TEST_WORKFLOW  # noqa: PLC0415 - as above
        from mop.ui.extensions import MODEL_PANELS, REVISION_COLUMNS, REVISION_SECTIONS  # noqa: PLC0415 - as above

        declare(LOAD_TEST_WORKFLOW)
        REVISION_COLUMNS.register(COLUMN)
        REVISION_SECTIONS.register(result_section)
        MODEL_PANELS.register(PANEL)
