"""Garbage collection on a schedule: each host for itself, however many workers it has."""

from __future__ import annotations

import socket

from django.conf import settings

from mop.engine.schedules import register_schedule
from mop.hosting.garbage import collect_garbage

HOUR = 3600.0

if settings.MOP_GC_HOURS > 0:
    register_schedule(f"garbage@{socket.gethostname()}", settings.MOP_GC_HOURS * HOUR, collect_garbage)
