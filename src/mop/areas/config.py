"""The Django app of an area."""

from __future__ import annotations

from django.apps import AppConfig

from mop.areas.registry import area_of, register


class AreaConfig(AppConfig):
    """Registers the `AREA` of the app's file `area.py`. An app that overrides `ready` calls this one first.

    Write `config.AreaConfig` in `apps.py`: Django takes the class of an app from there, and must find one alone.
    """

    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the area known to everything that is assembled from areas."""
        register(area_of(self.name))
