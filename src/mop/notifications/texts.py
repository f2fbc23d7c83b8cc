"""Making texts of others harmless: they come from models, storage and people."""

from __future__ import annotations


def one_line(text: str, length_max: int) -> str:
    """The text on one line, without control and formatting characters, cut with an ellipsis.

    No newline can start a header of an e-mail, no escape code can steer a terminal, no mark can turn the reading order.
    """
    printable = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(printable.split())
    return line if len(line) <= length_max else f"{line[: length_max - 1]}…"
