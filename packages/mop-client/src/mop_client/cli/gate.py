"""`mop gate`: how a version comes out of its gates, for people and CI systems, over the REST API."""

from decimal import Decimal
from typing import Annotated, Any, Optional

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_columns, print_json, say

app = typer.Typer()

EXIT_CODES = {
    "pass": ExitCode.DONE,
    "pass, close": ExitCode.DONE,
    "fail": ExitCode.FAILED,
    "not measured": ExitCode.UNDECIDED,
}

# places after the point, and what follows the number
_WRITTEN = {
    "rate": (4, " %"),
    "percent": (1, " %"),
    "milliseconds": (1, " ms"),
    "rps": (1, " RPS"),
    "count": (0, ""),
}


@app.command()
def gate(
    model: Annotated[
        str, typer.Argument(help="The model's name.", show_default=False, autocompletion=completion.models)
    ],
    version: Annotated[
        str, typer.Argument(help="The version.", show_default=False, autocompletion=completion.versions)
    ],
    *,
    service: Annotated[
        Optional[str], typer.Option(help="Also by the conditions of this downstream service.", show_default=False)
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge a version by the conditions of its tasks.

    Exit code: 0 when every condition holds, 1 when one fails, 3 when none fails and one is not measured.
    """
    with open_server() as server:
        query = {} if service is None else {"service": service}
        report = server.get("models", model, "revisions", version, "gates", **query)
    if as_json:
        print_json(report)
    else:
        _print(report)
    raise typer.Exit(EXIT_CODES[report["result"]])


def _print(report: dict[str, Any]) -> None:
    rows = [line for row in report["rows"] for line in _lines(row)]
    if rows:
        print_columns(("CONDITION", "WHERE", "MEASURED", "RESULT", "NOTE"), rows)
    else:
        say("No conditions concern this version.")
    say(f"{report['model']} {report['version']}: {report['result']}")


def _lines(row: dict[str, Any]) -> list[tuple[str, ...]]:
    if not row["parts"]:
        return [(row["condition"], "", "", row["result"], row["why"])]
    lines: list[tuple[str, ...]] = [
        ("" if place else row["condition"], part["where"], _measured(part, row["unit"]), part["result"], part["reason"])
        for place, part in enumerate(row["parts"])
    ]
    if len(lines) > 1:
        lines.append(("", "together", "", row["result"], row["why"]))
    return lines


def _measured(part: dict[str, Any], unit: str) -> str:
    if part["value"] is None:
        return ""
    text = _number(part["value"], unit)
    return text if part["low"] is None else f"{text} ({_number(part['low'], unit)} to {_number(part['high'], unit)})"


def _number(value: float, unit: str) -> str:
    """As conditions and the portal write it: shares to four places, rates in per cent, the others with their unit."""
    digits, ending = _WRITTEN.get(unit, (4, ""))
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits))
    text = format(rounded * 100 if unit == "rate" else rounded, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) + ending
