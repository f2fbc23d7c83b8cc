"""What WhiteNoise knows of the static files is gathered once in a test process.

Django's test client makes every middleware anew for each client, and WhiteNoise's looks through all static files when
it is made: two thirds of the processor time of a request that has a client of its own.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware

_gathered: dict[tuple[str, ...], dict[str, Any]] = {}
_gather = WhiteNoiseMiddleware.add_files_from_finders


def gather_static_files_once() -> None:
    """From now on; settings of static files that a test changes are another key."""
    WhiteNoiseMiddleware.add_files_from_finders = _add_files_from_finders


def _add_files_from_finders(middleware: Any) -> None:
    names = ("STATIC_URL", "STATIC_ROOT", "STATICFILES_DIRS", "STATICFILES_FINDERS", "STORAGES", "INSTALLED_APPS")
    key = (middleware.static_prefix, str(middleware.max_age), *(repr(getattr(settings, name)) for name in names))
    if key not in _gathered:
        _gather(middleware)
        _gathered[key] = dict(middleware.files)
    middleware.files = dict(_gathered[key])
