"""Where a command writes: results on stdout, everything about them on stderr.

With `--json` stdout holds one JSON object and nothing else. Colours appear only on a terminal and never with NO_COLOR.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from mop.errors import MopError, ValidationFailedError

if TYPE_CHECKING:
    from rich.console import Console


def wants_colour(stream: IO[str]) -> bool:
    """Whether escape codes may be written to the stream."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console(stream: IO[str] | None = None) -> Console:
    """A Rich console on a stream (default stderr) without escape codes where they are not wanted."""
    from rich.console import Console

    target = stream or sys.stderr
    coloured = wants_colour(target)
    return Console(
        file=target,
        color_system="auto" if coloured else None,
        force_terminal=coloured,
        no_color=not coloured,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def say(line: str) -> None:
    """One line about what goes on, on stderr. What a server told in it steers no terminal."""
    print(printable(line), file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """The one JSON document of a command's stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str), flush=True)


def print_done(document: Any, line: str, *, as_json: bool) -> None:
    """What a command did that has nothing else to tell: one document, or one line."""
    if as_json:
        print_json(document)
    else:
        say(line)


def print_columns(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table on stdout, each column as wide as its longest cell; without rows nothing. Of a list: `print_list`."""
    if not rows:
        return
    table = [head, *(tuple(printable(cell) for cell in row) for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(head))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def moment(at: str | None) -> str:
    """A time that a server answered, for people: `2026-12-01 15:04 UTC`; empty where there is none."""
    return f"{at[:16].replace('T', ' ')} UTC" if at else ""


def print_list(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, empty: str) -> None:
    """The table of a list that may be empty: then stdout stays so, and stderr says what makes an entry appear."""
    if rows:
        print_columns(head, rows)
    else:
        say(empty)


def print_fields(document: Mapping[str, Any], *, without: Collection[str] = ()) -> None:
    """What a document says, field by field, on stdout; a field that is empty, or among `without`, is left out."""
    rows = [(name.replace("_", " "), _field_text(value)) for name, value in document.items() if name not in without]
    print_columns(("FIELD", "VALUE"), [row for row in rows if row[1]])


def _field_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_field_text, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def metric_text(value: float | None, *, absent: str = "undefined") -> str:
    """A metric as tables show it; `absent` stands where there is none."""
    return absent if value is None else f"{value:.4f}"


def stage_line(name: str, seconds: float | None, result: str) -> str:
    """`environment             12.3 s  passed`."""
    duration = f"{seconds:8.1f} s" if seconds is not None else " " * 10
    return f"{name:<20}{duration}  {result}".rstrip()


def error_lines(error: MopError) -> list[str]:
    """Name, message, hint and the fields of an error, each on a line of its own, or on several where its text has."""
    fields = _field_lines(error)
    lines = [f"{error.name}: {error.title if len(fields) > 1 else error.message}"]
    if error.place:
        lines.append(f"  at:   {error.place}")
    lines += [f"  also: {message}" for message in error.also]
    lines += fields
    if error.hint:
        lines.append(f"  hint: {error.hint}")
    return [printable(part) for line in lines for part in _split(line)]


def _field_lines(error: MopError) -> list[str]:
    """A line for each field that is not valid; none for a single one that the message tells already."""
    if not isinstance(error, ValidationFailedError):
        return []
    fields = sorted(error.fields.items())
    told = [" ".join(messages) for _, messages in fields]
    if len(told) == 1 and error.message in {told[0], f"{fields[0][0]}: {told[0]}"}:
        return []
    return [f"  {name}: " + "\n".join(messages) for name, messages in fields]


def _split(text: str) -> list[str]:
    """The lines of a text; those after the first stand further in, so that none passes for a field of its own."""
    first, *others = text.splitlines() or [""]
    return [first, *(f"    {other}" for other in others)]


def printable(text: str) -> str:
    """The text without control characters, so that a server or a model cannot steer the terminal."""
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


def print_error(error: MopError) -> None:
    """Show an error on stderr: its name, message and hint."""
    for line in error_lines(error):
        say(line)
