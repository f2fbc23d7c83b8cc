"""The portal's gunicorn worker: how long a request may take to arrive and to be answered, and the portal to hang."""

from __future__ import annotations

import faulthandler
import time

from mop.slow_client_worker import SlowClientWorker

REARM_SECONDS = 5.0


class PortalWorker(SlowClientWorker):
    """A body has 5 MiB at most; an answer may be a long log over a slow line."""

    head_seconds = 10.0
    body_seconds = 60.0
    answer_seconds = 900.0
    _armed_at = float("-inf")

    def notify(self) -> None:
        """Called by the loop every second: put off the end of a process that hangs.

        The watchdog is a thread of C, which needs no lock of the interpreter. It writes what every thread does to
        stderr and ends the process with status 1, so that it is started again.
        """
        super().notify()
        now = time.monotonic()
        if self.cfg.timeout and now - self._armed_at >= min(REARM_SECONDS, self.cfg.timeout / 2):
            self._armed_at = now
            faulthandler.dump_traceback_later(self.cfg.timeout, exit=True)
