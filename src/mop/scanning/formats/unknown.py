"""What no format recognises."""

from __future__ import annotations

import contextlib

from mop.scanning.formats.base import HEAD_BYTES, Format, Head, Part
from mop.scanning.formats.keras_metadata import keras_metadata
from mop.scanning.formats.onnx import OnnxModel
from mop.scanning.formats.pickles import WINDOW, Window, follow_all, pickle_at_the_beginning
from mop.scanning.formats.protobuf import Message, fields_of, read_message
from mop.scanning.formats.tensorflow_graph import GraphMessages
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
        _follow_as_message(part)
        part.look.incomplete(
            part.name,
            "it is of no format that MOP knows",
            "Save it in a format of docs/scanning.md, such as safetensors, ONNX, JSON or plain text.",
            rule="unknown-format",
        )


_OPCODES_MIN = 1
_MESSAGE_WINDOW = 1024 * 1024


def _follow_as_message(part: Part) -> None:
    """Look at it as models of ONNX, TensorFlow and Keras: who reads them takes their fields in any order."""
    if not fields_of(part.reader.peek(HEAD_BYTES)):
        return
    graph = GraphMessages(part)
    kinds = (OnnxModel(part).model, graph.graph, graph.saved_model, graph.meta_graph, lambda: keras_metadata(part))
    window = part.reader.peek(_MESSAGE_WINDOW)
    fitting = [kind for kind in kinds if _fits(window, kind())]
    for kind in fitting[1:]:
        _fits(window, kind())
    if fitting:
        with contextlib.suppress(ValueError, EOFError):
            read_message(part.reader, fitting[0]())


def _fits(window: bytes, message: Message) -> bool:
    try:
        read_message(Reader(Window(window)), message)
    except EOFError:
        return True
    except ValueError:
        return False
    return True


def _goes_on(window: bytes) -> bool:
    """Whether a long text leads an unpickler out of the window, or it comes to its end in it."""
    trace = Trace()
    reader = Reader(Window(window))
    try:
        run(reader, trace, arrays=False)
    except (BrokenPickleError, TooLongError, AmbiguousError):
        return len(window) == WINDOW and not reader.peek(1) and trace.opcodes >= _OPCODES_MIN
    return not reader.peek(1)
