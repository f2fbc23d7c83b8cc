"""`mop load-test`: a load test of any HTTP endpoint, without a server; `mop model load-test` is the one of versions."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from mop.cli.load_test_progress import LoadTestProgress
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.load_test_views import print_steps
from mop_client.cli.options import JsonFlag, one_of
from mop_client.cli.output import print_json
from mop_client.words import ARRIVALS, MODALITIES, STRATEGIES

if TYPE_CHECKING:
    from mop.loadtest.endpoint import Endpoint
    from mop.loadtest.plan import Plan
    from mop.loadtest.results import LoadTestResult

app = typer.Typer()

SERVICE_PATH = "/score"
SOCKET_HOST = "service"
MOP_FORMAT = ("X-MOP-Format", "mop")
_PORTS = {"http": 80, "https": 443}


@app.command("load-test")
def load_test(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]",
            help="http or https address; with --uds its host and path are used over the socket.",
            show_default=False,
        ),
    ] = None,
    *,
    uds: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Connect to this unix socket; without a URL to /score.", show_default=False),
    ] = None,
    strategy: Annotated[
        str,
        typer.Option(
            parser=one_of(STRATEGIES), help="PerRPS: requests per second. PerConcurrency: concurrent clients."
        ),
    ] = "PerConcurrency",
    steps: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...",
            help="Targets of the steps, ascending. Left out: 1, 10, 20, 30 ... up to --maximum.",
            show_default=False,
        ),
    ] = None,
    maximum: Annotated[int, typer.Option(min=1, max=100_000, help="Last target without --steps.")] = 1000,
    duration: Annotated[float, typer.Option(min=0.1, help="Measured seconds of each step.")] = 300,
    warm_up: Annotated[
        float, typer.Option(min=0, help="Seconds of warm-up before each step, which are not measured.")
    ] = 5,
    timeout: Annotated[
        float, typer.Option(min=0.001, help="Seconds after which a request without an answer counts as failed.")
    ] = 30,
    budget: Annotated[
        float, typer.Option(min=0.1, help="Seconds for the whole test; no step begins that would end later.")
    ] = 7200,
    precision: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            min=0.01,
            max=99,
            help="End a step early when its percentiles are known to this share of themselves, with 95 % confidence.",
            show_default=False,
        ),
    ] = None,
    payload: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Body of every request. Without it and without --modality: GET.",
            show_default=False,
        ),
    ] = None,
    modality: Annotated[
        str | None,
        typer.Option(
            parser=one_of(MODALITIES),
            help="Instead of --payload: MOP's own payload, in MOP format.",
            show_default=False,
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:VALUE", help="A header of every request. Repeatable.", show_default=False),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="CA certificates to verify https with; left out: the system's.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the arrival times; left out: a random one, which is shown.")
    ] = None,
    arrivals: Annotated[
        str, typer.Option(parser=one_of(ARRIVALS), help="With PerRPS: evenly spaced requests, or a Poisson process.")
    ] = "uniform",
    as_json: JsonFlag = False,
) -> None:
    """Load-test an HTTP endpoint, step by step."""
    import asyncio
    import secrets

    from mop.loadtest.plan import Arrivals, Plan, Strategy

    endpoint = _endpoint(url, uds, payload, modality, header or [], ca_file)
    try:
        plan = Plan(
            strategy=Strategy(strategy),
            targets=_targets(steps, maximum),
            duration_s=duration,
            warm_up_s=warm_up,
            timeout_s=timeout,
            budget_s=budget,
            seed=secrets.randbelow(1 << 32) if seed is None else seed,
            arrivals=Arrivals(arrivals),
            precision=None if precision is None else precision / 100,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    result = asyncio.run(_run(plan, endpoint))
    if as_json:
        print_json(result.to_dict())
    else:
        print_steps([step.to_dict() for step in result.steps], result.ended, result.seed)
    raise typer.Exit(exit_code(result))


def exit_code(result: LoadTestResult) -> ExitCode:
    """130 for a cancelled test; 1 when a step failed more than 1 % of its requests or is not trusted; else 0."""
    from mop.loadtest.steps import Ending

    if result.ended is Ending.CANCELLED:
        return ExitCode.INTERRUPTED
    return ExitCode.FAILED if result.ended is Ending.FAILING or not result.trusted else ExitCode.DONE


async def _run(plan: Plan, endpoint: Endpoint) -> LoadTestResult:
    import asyncio

    from mop.loadtest.process import generate

    cancelled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, cancelled.set)
    with LoadTestProgress(plan, endpoint) as view:
        return await generate(plan, endpoint, listener=view, cancelled=cancelled)


def _targets(steps: str | None, maximum: int) -> tuple[int, ...]:
    from mop.loadtest.steps import default_targets

    if steps is None:
        return default_targets(maximum)
    try:
        return tuple(int(part) for part in steps.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"--steps: {steps!r} is not a list of numbers such as 1,10,20.") from error


def _endpoint(
    url: str | None,
    uds: Path | None,
    payload: Path | None,
    modality: str | None,
    headers: list[str],
    ca_file: Path | None,
) -> Endpoint:
    from mop.loadtest.endpoint import Endpoint
    from mop.loadtest.payloads import payload_for

    if url is None and uds is None:
        raise typer.BadParameter("give a URL or --uds.")
    if payload is not None and modality is not None:
        raise typer.BadParameter("give --payload or --modality, not both.")
    given = [_header(text) for text in headers]
    body = b""
    if payload is not None:
        body = _read(payload)
    elif modality is not None:
        body = payload_for(modality).body
        given.append(MOP_FORMAT)
    try:
        scheme, host, port, path = _parts(url)
        return Endpoint(
            host=host,
            port=port,
            path=path,
            tls=scheme == "https",
            uds=None if uds is None else str(uds.absolute()),
            ca_file=None if ca_file is None else str(ca_file.absolute()),
            method="POST" if body else "GET",
            headers=tuple(given),
            payload=body,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _parts(url: str | None) -> tuple[str, str, int, str]:
    """Scheme, host, port and path."""
    if url is None:
        return "http", SOCKET_HOST, _PORTS["http"], SERVICE_PATH
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url!r} is not an http or https address.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("a URL with credentials or a fragment is not taken; give credentials as --header.")
    path = parts.path or "/"
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], f"{path}?{parts.query}".removesuffix("?")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise typer.BadParameter("--header: it has the form NAME:VALUE.")
    return name.strip(), value.strip()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"--payload: {path} cannot be read: {error}") from error
