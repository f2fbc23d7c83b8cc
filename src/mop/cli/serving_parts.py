"""The processes of an embedded installation: portal and worker, and what is done before they start."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from mop.areas.references import Ref
from mop.cli.failures import PartFailedError, PortTakenError
from mop.cli.supervisor import Part, Supervisor, dies_with_us, python

THREADS = 8
READY_SECONDS = 60.0
POLL_SECONDS = 0.1


def prepare_installation() -> None:
    """Bring databases and static files of the installation up to date, in a process for each.

    They are forks of this one, which opens the settings and runs no thread: importing everything once more took most of
    their time where nothing had changed.

    Raises:
        PartFailedError: it failed; its output is on stderr.
    """
    from mop.cli.installation import open_settings

    open_settings()
    sys.stderr.flush()
    running = [(name, _forked(work)) for name, work in (("database", _databases), ("static files", _static_files))]
    ended = [(name, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])) for name, pid in running]
    for name, status in ended:
        if status:
            raise PartFailedError(f"Preparing the {name} ended with status {status}.")


def _forked(work: Callable[[], object]) -> int:
    """The pid of a fork that does this and ends; what it prints goes to stderr."""
    die_with_parent = dies_with_us()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        die_with_parent()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        work()
        status = 0
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - the fork must not go on in its parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _databases() -> None:
    # what the worker does as well; it stands beside the commands and is reached by name alone
    Ref("mop.worker.setup:prepare_databases").load()()


def _static_files() -> None:
    from mop.cli.static_files import gather

    gather()


def parts(host: str, port: int) -> tuple[Part, Part]:
    """Portal (with the API) and worker."""
    portal = python(
        "-m",
        "mop.conf.portal_process",
        "mop.conf.wsgi:application",
        f"--bind={_bind(host)}:{port}",
        "--worker-class=mop.conf.portal_worker.PortalWorker",
        f"--threads={THREADS}",
        "--graceful-timeout=10",
        "--no-control-socket",
        "--limit-request-line=8190",
        "--limit-request-fields=64",
        "--limit-request-field_size=8190",
        "--access-logfile=/dev/null",
        "--log-level=warning",
    )
    # the worker may be killed at any moment by design, and a hanging one must not outlive us
    return (
        Part("portal", portal),
        Part("worker", python("-m", "mop.worker"), death_signal=signal.SIGKILL, ready_line="ready", may_leave=True),
    )


def check_port(host: str, port: int) -> None:
    """Refuse a port that is taken before anything starts.

    Raises:
        PortTakenError: something listens there, or the address is not this host's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(f"{host}:{port} cannot be listened on: {error.strerror}.") from error


async def serve(host: str, port: int, work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run portal and worker while `work` goes on; it starts when both are ready.

    Args:
        host: address to listen on.
        port: port to listen on.
        work: is given an event that SIGINT and SIGTERM set; when it returns, the parts are stopped.

    Raises:
        PartFailedError: they did not start.
    """
    supervisor = Supervisor(parts(host, port))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    async def start_and_work() -> None:
        starting = asyncio.ensure_future(asyncio.wait_for(_all_ready(supervisor, host, port), READY_SECONDS))
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if stop.is_set():
            starting.cancel()
            return
        try:
            await starting
        except TimeoutError as error:
            raise PartFailedError(f"Portal and worker were not ready within {READY_SECONDS:.0f} s.") from error
        supervisor.ready()
        await work(stop)

    await supervisor.run(start_and_work)


async def _all_ready(supervisor: Supervisor, host: str, port: int) -> None:
    await supervisor.announced()
    while not await asyncio.to_thread(_answers, host, port):  # noqa: ASYNC110 - another process's state is no event
        await asyncio.sleep(POLL_SECONDS)


def address(host: str, port: int) -> str:
    """The url that people open; a wildcard address is shown as localhost."""
    shown = "localhost" if host in {"", "0.0.0.0", "::"} else _bind(host)  # noqa: S104 - compared, not bound
    return f"http://{shown}:{port}"


def _bind(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _answers(host: str, port: int) -> bool:
    wildcard = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound
    connection = http.client.HTTPConnection(wildcard.get(host, host), port, timeout=10)
    try:
        connection.request("GET", "/accounts/login/", headers={"Host": "localhost"})
        return connection.getresponse().status < HTTPStatus.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
