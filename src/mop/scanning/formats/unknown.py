"""What no format recognises."""

from __future__ import annotations

from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.pickles import WINDOW, Window, follow_all, pickle_at_the_beginning
from mop.scanning.pickles.machine import AmbiguousError, BrokenPickleError, TooLongError, run
from mop.scanning.pickles.values import Trace
from mop.scanning.reader import Reader


class Unknown(Format):
    """Bytes without a known beginning: a pickle without a header, or something that MOP cannot read."""

    name = "unknown, or a pickle without a header"
    runs = "a pickle needs no header"
    seen = "the opcodes that an unpickler would follow from the first byte on; a search of all of it; never clean"
    is_searched = True
    urgency = 1

    def recognises(self, head: Head) -> bool:  # noqa: ARG002 - it is the last that is asked
        """Anything."""
        return True

    def examine(self, part: Part) -> None:
        """Follow it as a pickle, as far as one goes."""
        window = part.reader.peek(WINDOW)
        if pickle_at_the_beginning(part, is_text=False) is not None or _goes_on(window):
            follow_all(part)
            return
        part.look.incomplete(
            part.name,
            "it is of no format that MOP knows",
            "Save it in a format of docs/scanning.md, such as safetensors, ONNX, JSON or plain text.",
            rule="unknown-format",
        )


_OPCODES_MIN = 1


def _goes_on(window: bytes) -> bool:
    """Whether a long text leads an unpickler out of the window, or it comes to its end in it."""
    trace = Trace()
    reader = Reader(Window(window))
    try:
        run(reader, trace, arrays=False)
    except (BrokenPickleError, TooLongError, AmbiguousError):
        return len(window) == WINDOW and not reader.peek(1) and trace.opcodes >= _OPCODES_MIN
    return not reader.peek(1)
