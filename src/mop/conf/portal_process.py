"""The portal in one process: `python -m mop.conf.portal_process`, with the arguments of `gunicorn`.

gunicorn's own program keeps a first process, of 26 MB, that starts a second one again when it ends and kills it when it
hangs. `mop up` starts its parts again anyway, and a process that hangs is ended by its own watchdog, which also says
where it hangs: see `PortalWorker`. What is lost: while the portal is started again nothing listens on its port.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.sock import create_sockets


class PortalProcess(WSGIApplication):  # type: ignore[misc] # gunicorn is untyped
    """gunicorn's application, answered by this process itself."""

    def run(self) -> None:
        """Answer requests until SIGTERM, or the end of the process that started this one."""
        log = self.cfg.logger_class(self.cfg)
        worker = self.cfg.worker_class(
            age=1,
            ppid=os.getppid(),
            sockets=create_sockets(self.cfg, log),
            app=self,
            timeout=self.cfg.timeout,
            cfg=self.cfg,
            log=log,
        )
        worker.pid = os.getpid()
        try:
            worker.init_process()
        except SystemExit:
            if not worker.booted:  # Python prints the reason
                raise
        except Exception:
            if not worker.booted:
                raise
            log.exception("the portal cannot go on")
            _end(os.EX_SOFTWARE)
        _end(os.EX_OK)


def _end(status: int) -> NoReturn:
    """End at once: Python would wait for threads whose requests had their time to end."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    PortalProcess("%(prog)s [OPTIONS] APP").run()
