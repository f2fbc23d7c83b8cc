"""`mop demo`: an installation of its own that onboards the text sample for real."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mop.cli.platforms import require_linux
from mop.errors import from_dict
from mop_client.cli.exit_codes import ExitCode, of_result
from mop_client.cli.output import error_lines, say, stage_line
from mop_client.credentials import Credentials

if TYPE_CHECKING:
    import asyncio

    from mop.cli.demo_data import DemoPeople
    from mop_client.cli.client import Server

app = typer.Typer()

PORT_DEFAULT = 8000
DATASET_SECONDS = 120.0
EVALUATION_SECONDS = 600.0  # the load test has the host to itself before
SHORT_LOAD_TEST = {
    "MOP_LOAD_TEST_STEP_SECONDS": "5",
    "MOP_LOAD_TEST_WARM_UP_SECONDS": "1",
    "MOP_LOAD_TEST_TARGET_MAX": "30",
}
HOST = "127.0.0.1"
HOME_DEFAULT = Path(".mop/demo")
BROKEN = "broken"  # of the samples


@app.command()
def demo(
    *,
    until_result: Annotated[
        bool, typer.Option("--exit", help="End after the result, with its exit code, instead of serving on.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the portal.")] = PORT_DEFAULT,
    home: Annotated[
        Path, typer.Option(file_okay=False, help="Folder that the demonstration keeps everything in; remove it freely.")
    ] = HOME_DEFAULT,
    samples: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Folder of the samples.", show_default="of the source checkout"
        ),
    ] = None,
) -> None:
    """Onboard the sample text model for real, in an installation of its own, and keep serving the portal."""
    import asyncio

    require_linux("demo")
    from mop.cli.demo_data import find_samples, make_demo_data
    from mop.cli.installation import open_settings
    from mop.cli.serving_parts import check_port, prepare_installation, serve

    folder = find_samples(samples)
    check_port(HOST, port)
    os.environ.update(
        MOP_HOME=str(home.absolute()),
        MOP_FILE_ROOTS=str(folder),
        DJANGO_SETTINGS_MODULE="mop.conf.settings",
    )
    # for MOP's own sample the weakest cage will do, and the result says so
    os.environ.setdefault("MOP_SANDBOX_MINIMUM_LEVEL", "3")
    os.environ.setdefault(
        "MOP_SOURCE_PREFIXES",
        '[{"team": "*", "purpose": "models", "prefix": "*"}, {"team": "*", "purpose": "datasets", "prefix": "*"}]',
    )
    # half a minute shows what a load test is; it has the one host of the demonstration to itself
    for name, seconds in SHORT_LOAD_TEST.items():
        os.environ.setdefault(name, seconds)
    clock = _Clock()
    clock.start("preparing")
    prepare_installation()
    open_settings()
    people = make_demo_data(folder)
    clock.end()
    codes: list[ExitCode] = []
    clock.start("starting")

    async def show(stop: asyncio.Event) -> None:
        clock.end()
        onboarding = _in_thread(lambda: _onboard(port, people, folder))
        interrupted = asyncio.create_task(stop.wait())
        either: tuple[asyncio.Future[Any], ...] = (onboarding, interrupted)
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        interrupted.cancel()
        if stop.is_set():
            return
        revision = await onboarding
        codes.append(of_result(revision["status"], revision["warnings"]))
        _tell(revision, port, people, home, folder.resolve(), seconds=clock.total())
        if not until_result:
            say("serving until interrupted (Ctrl-C)")
            await stop.wait()

    asyncio.run(serve(HOST, port, show))
    raise typer.Exit(codes[0] if codes else ExitCode.INTERRUPTED)


def _in_thread(work: Callable[[], dict[str, Any]]) -> asyncio.Future[dict[str, Any]]:
    """Do blocking work in a thread that does not keep the process alive: an interrupt need not wait for it."""
    import asyncio
    import threading

    loop = asyncio.get_running_loop()
    future: asyncio.Future[dict[str, Any]] = loop.create_future()

    def settle(result: dict[str, Any] | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        elif result is not None:
            future.set_result(result)

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - handed on to the code that awaits it
            loop.call_soon_threadsafe(settle, None, error)
        else:
            loop.call_soon_threadsafe(settle, result, None)

    threading.Thread(target=run, daemon=True, name="demo").start()
    return future


def _onboard(port: int, people: DemoPeople, samples: Path) -> dict[str, Any]:
    """Add the samples through the REST API, as a contributor's script would, and follow the model."""
    from mop.cli.demo_data import MODEL_NAME, revision_request
    from mop.errors import NotFoundError
    from mop_client.cli.client import Server
    from mop_client.cli.watch_views import LineView
    from mop_client.cli.watching import follow

    server = Server(Credentials(url=f"http://{HOST}:{port}", token=people.token))
    try:
        request = revision_request(samples)
        try:
            server.get("models", MODEL_NAME)
        except NotFoundError:
            revision = server.post("models", body=request)
        else:
            again = {name: request[name] for name in ("model_url", "load_test_option")}
            revision = server.post("models", MODEL_NAME, "revisions", body=again)
        say(f"onboarding {MODEL_NAME} {revision['version']} from {request['model_url']}")
        dataset = _add_dataset(server, samples)
        # a line each: the worker writes to the same terminal
        revision = follow(server, MODEL_NAME, revision["version"], LineView(), through_retries=False)
        _approve_dataset(server, dataset)
        if revision["status"] == "verified":
            _tell_scores(MODEL_NAME, revision["version"], dataset["name"])
        return revision
    finally:
        server.close()


def _add_dataset(server: Server, samples: Path) -> dict[str, Any]:
    """Add the sample dataset, unless it stands there from an earlier call."""
    from mop.cli.demo_data import DATASET_NAME, dataset_request
    from mop.errors import NotFoundError

    try:
        dataset: dict[str, Any] = server.get("datasets", DATASET_NAME)
    except NotFoundError:
        (dataset,) = server.post("datasets", body=dataset_request(samples))
        say(f"reading the dataset {DATASET_NAME} from {dataset['path']}")
    return dataset


def _approve_dataset(server: Server, dataset: dict[str, Any]) -> None:
    """Wait for the verification, then let the task's owner approve the dataset."""
    from mop.cli.demo_data import approve_dataset

    patience = time.monotonic() + DATASET_SECONDS
    while not dataset["is_final"] and time.monotonic() < patience:
        time.sleep(0.5)
        dataset = server.get("datasets", dataset["name"])
    if dataset["status"] == "verified":
        approve_dataset()
    say(f"the dataset {dataset['name']} is {dataset['status']}")


def _tell_scores(model: str, version: str, dataset: str) -> None:
    """Wait for the evaluation that MOP starts by itself, and print its numbers with their 95 % intervals."""
    from mop.evaluation.models import Evaluation
    from mop.evaluation.results import document_of
    from mop.evaluation.states import EvaluationState

    found = Evaluation.objects.filter(revision__model__name=model, revision__version=version, dataset__name=dataset)
    say(f"evaluating {model} {version} on {dataset}")
    patience = time.monotonic() + EVALUATION_SECONDS
    while time.monotonic() < patience:
        evaluation = found.select_related("task").first()
        # with a time for another try it waits for a cause outside the model, such as a host with too weak a cage
        if evaluation is not None and (evaluation.get_state().is_final or evaluation.retry_at is not None):
            break
        time.sleep(1)
    else:
        say(f"the evaluation on {dataset} is not at its end after {EVALUATION_SECONDS:.0f} s; see the portal")
        return
    if evaluation.get_state() != EvaluationState.FINISHED:
        state = "tried again later" if evaluation.retry_at is not None else evaluation.state
        say(f"the evaluation on {dataset} is {state}: {(evaluation.error or {}).get('message', '')}")
        return
    document = document_of(evaluation)
    say(f"{model} {version} on {dataset}, {evaluation.rows:,} rows, task {evaluation.task}:")
    if document.representing is not None:
        say(f"  positive is {' | '.join(document.representing.upper)}, the partition with the highest F1")
    for name, value in document.report().metrics.items():
        interval = document.intervals.get(name)
        shown = "undefined" if value is None else f"{value:.4f}"
        say(f"  {name:<22} {shown}" + (f"  (95 %: {interval.low:.4f} to {interval.high:.4f})" if interval else ""))


def _tell(
    revision: dict[str, Any], port: int, people: DemoPeople, home: Path, samples: Path, *, seconds: float
) -> None:
    print()
    print(f"{revision['model']} {revision['version']} is {revision['status']} after {seconds:.0f} s in all")
    for line in error_lines(from_dict(revision["error"])) if revision["error"] else ():
        print(line)
    for warning in revision["warnings"]:
        print(f"warning: {warning}")
    if weak := _weak_cage(revision["granted"]):
        print(weak)
    print()
    print(f"  portal          http://{HOST}:{port}/")
    print(f"  contributor     {people.user}    password {people.user_password}")
    print(f"  administrator   {people.administrator}   password {people.administrator_password}")
    print(f"  models          below {samples.as_uri()}/, where you may copy your own folder;")
    print(f"                  {(samples / BROKEN).as_uri()}/ has one for each way to fail")
    print(f"  everything is kept in {home}; remove that folder to forget it")
    print(flush=True)


def _weak_cage(granted: dict[str, Any]) -> str:
    """What to say of a cage that MOP would not take for a stranger's model; "" for a stronger one."""
    from mop.sandbox import SandboxLevel, describe_sandbox

    if granted.get("level") != SandboxLevel.LANDLOCK:
        return ""
    stronger = next(result for result in describe_sandbox() if result.level == SandboxLevel.RLIMIT)
    more = (
        f"Level 2 does not work here, {stronger.reason}: {stronger.hint}" if stronger.reason else "Level 2 works here."
    )
    return f"the sample ran at sandbox level 3, which MOP takes for its own sample alone. {more}"


class _Clock:
    """Prints how long each stage of the demonstration took."""

    def __init__(self) -> None:
        self._began = self._stage_began = time.monotonic()
        self._name = ""

    def start(self, name: str) -> None:
        self._name, self._stage_began = name, time.monotonic()

    def end(self) -> None:
        say(stage_line(self._name, time.monotonic() - self._stage_began, ""))

    def total(self) -> float:
        return time.monotonic() - self._began
