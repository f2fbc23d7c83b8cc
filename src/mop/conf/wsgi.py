"""The portal and API as a WSGI application."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from mop.backup.occupancy import occupy
from mop.engine.activity import report_changes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mop.conf.settings")
occupy(settings.MOP_HOME)
application = get_wsgi_application()
report_changes()
