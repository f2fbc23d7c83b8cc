"""The Python of a Jupyter notebook."""

from __future__ import annotations

import json


def python_of(data: bytes) -> str:
    """Its code cells one after the other; lines of the shell and of IPython's own are comments.

    Raises:
        ValueError: it is no notebook.
    """
    notebook = json.loads(data)
    if not isinstance(notebook, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - the file is wrong, no argument
    sheets = notebook.get("worksheets") or [notebook]
    cells = [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells") or ()]
    lines: list[str] = []
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", cell.get("input", ""))
        text = "".join(map(str, source)) if isinstance(source, list) else str(source)
        if text.lstrip().startswith("%%") and not text.lstrip().startswith(("%%time", "%%capture")):
            continue
        lines += [_line(line) for line in text.split("\n")]
    return "\n".join(lines) + "\n"


def _line(line: str) -> str:
    bare = line.lstrip()
    if not bare.startswith(("!", "%", "?")):
        return line
    return line[: len(line) - len(bare)] + "pass  # " + bare
