"""The portal and API as a WSGI application."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from mop.backup.occupancy import occupy
from mop.cycle_collector import paused_collector
from mop.engine.activity import report_changes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mop.conf.settings")
occupy(settings.MOP_HOME)
with paused_collector():
    application = get_wsgi_application()
    get_resolver().url_patterns  # noqa: B018 - imports every page and operation, for which the first request would wait
report_changes()
