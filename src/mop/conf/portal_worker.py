"""The portal's gunicorn worker: how long a request may take to arrive and to be answered."""

from __future__ import annotations

from mop.slow_client_worker import SlowClientWorker


class PortalWorker(SlowClientWorker):
    """A body has 5 MiB at most; an answer may be a long log over a slow line."""

    head_seconds = 10.0
    body_seconds = 60.0
    answer_seconds = 900.0
