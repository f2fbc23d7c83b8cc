"""`python -m support.fork_server`: a process that has imported MOP and forks the Python processes of the tests.

Importing MOP and what it is built on takes a process about two seconds of CPU; a fork takes a few milliseconds. Whoever
starts processes uses `support.forked`. What a forked process has of its own is what an executed one has: command line
and environment as /proc shows them, working folder, standard streams, signals, settings, database connections. It ends
as an executed one ends, because it leaves `serve` and runs its module in the ordinary main program.

The server has one thread and no database connection, so that nothing is left half done in a fork.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from support.forked_process import become

# settings and the portal's application are made by each fork, from its own environment; the others are scripts
OWN = ("mop.conf.settings", "mop.conf.wsgi", "mop.conf.portal_process", "mop.serving.model_process")
# what MOP imports only when it needs it, and what its libraries import late
LATE = (
    "bandit.core.manager",
    "dbos._sys_db_sqlite",
    "dbos._sys_db_postgres",
    "django.contrib.auth.hashers",
    "django.core.management.commands.migrate",
    "django.core.servers.basehttp",
    "django.template.loader_tags",
    "django.test.signals",
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "rich.live",
    "rich.markdown",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "support.factories",
    "uvicorn",
    "uvloop",
)
SETTINGS = "mop.conf.settings"


def import_everything(home: Path) -> None:
    """Import MOP with settings of an installation that nobody uses."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    os.environ["MOP_HOME"] = str(home)
    import django  # noqa: PLC0415 - the settings come first

    import mop  # noqa: PLC0415 - as above

    django.setup()
    for module in pkgutil.walk_packages(mop.__path__, "mop."):
        if module.name not in OWN and not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)


def serve(listener: socket.socket) -> dict[str, Any]:
    """Fork a process for each request; returns in each of them, with what it was asked for.

    A request is one connection: JSON with three descriptors and more; the answer is the process's id at once and, when
    it has ended, its status.
    """
    woken, wake = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno())
    children: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is woken:
                    woken.recv(4096)
                    _report_ended(children)
                    continue
                connection, _ = listener.accept()
                if not (received := receive(connection)):
                    connection.close()  # somebody looked whether we listen
                    continue
                request, descriptors = received
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    for other in (listener, woken, wake, connection, *children.values()):
                        other.close()
                    return request | {"descriptors": descriptors}
                for descriptor in descriptors:
                    os.close(descriptor)
                children[pid] = connection
                connection.sendall(f"{pid}\n".encode())


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """One request and the descriptors that came with it; None when nothing comes."""
    data, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 64)
    if not data:
        return None
    size, _, rest = data.partition(b"\n")
    while len(rest) < int(size):
        rest += connection.recv(1 << 16)
    return json.loads(rest), descriptors


def _report_ended(children: dict[int, socket.socket]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with children.pop(pid) as connection:
            try:
                connection.sendall(f"{status}\n".encode())
            except OSError:  # whoever started it has gone
                continue


def main() -> None:
    """Serve on the socket whose path is the first argument; what follows it is room for the forks' command lines."""
    with tempfile.TemporaryDirectory(prefix="mop-fork-") as folder:
        import_everything(Path(folder))
    if threading.active_count() != 1 or len(list(Path("/proc/self/task").iterdir())) != 1:
        raise SystemExit("an import started a thread: no process may be forked beside it")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        gc.collect()
        gc.freeze()
        request = serve(listener)
    become(request)
    run(request["argv"][1:])


def run(arguments: list[str]) -> None:
    """What Python does with these arguments: `-m module ...` or `-c code ...`."""
    kind, what, *rest = arguments
    sys.argv = [kind, *rest]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - as `python -c` does


if __name__ == "__main__":
    main()
