"""ONNX models."""

from __future__ import annotations

from mop.scanning.findings import Severity
from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.member_names import leads_out
from mop.scanning.formats.protobuf import Message, fields_of, read_message
from mop.scanning.look import shown

_FIELDS = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26))
_LENGTH = 2
_DOMAINS = frozenset(
    {
        *("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training"),
        *(
            "com.microsoft",
            "com.microsoft.nchwc",
            "com.microsoft.dml",
            "com.microsoft.experimental",
            "org.pytorch.aten",
        ),
        *("com.ms.internal.nhwc",),
    }
)
_EXPORT = "Export the model with the operators of ONNX."
_PYTHON = frozenset(("PyOp", "PythonOp", "PyCustomOp", "PythonFunction"))


class Onnx(Format):
    """A ModelProto: the version of its format first, then the fields of a model and no others."""

    name = "ONNX"
    runs = "external data are read from where the model says; operators of other domains need native code or Python"
    seen = "every node's domain and operator, in subgraphs and functions too; every tensor's external data"
    is_searched = True
    urgency = 2

    def recognises(self, head: Head) -> bool:
        """By the fields that the beginning holds."""
        if not head.data.startswith(b"\x08") or len(head.data) < 4 or head.data[1] > 0x20:  # noqa: PLR2004 - ir_version
            return False
        fields = fields_of(head.data)
        numbers = {number for number, _ in fields}
        return numbers <= _FIELDS and (7, _LENGTH) in fields and fields[0] == (1, 0)

    def examine(self, part: Part) -> None:
        """Follow the graph."""
        try:
            read_message(part.reader, OnnxModel(part).model())
        except ValueError as error:
            part.look.incomplete(part.name, f"it is no ONNX model to its end: {error}")


class OnnxModel:
    """The messages of a model, as far as they can name something outside of it."""

    def __init__(self, part: Part) -> None:
        self._part = part

    def model(self) -> Message:
        """The message of a whole model."""
        return Message(messages={7: self._graph, 25: self._function, 20: self._training})

    def _training(self) -> Message:
        return Message(messages={1: self._graph, 2: self._graph})

    def _function(self) -> Message:
        return Message(messages={7: self._node})

    def _graph(self) -> Message:
        return Message(messages={1: self._node, 5: self._tensor, 15: self._sparse})

    def _sparse(self) -> Message:
        return Message(messages={1: self._tensor, 2: self._tensor})

    def _node(self) -> Message:
        return Message(texts={4: "operator", 7: "domain"}, messages={5: self._attribute}, ended=self._look_at_node)

    def _attribute(self) -> Message:
        tensors = {5: self._tensor, 10: self._tensor, 22: self._sparse, 23: self._sparse}
        return Message(messages={6: self._graph, 11: self._graph, **tensors})

    def _tensor(self) -> Message:
        return Message(messages={13: self._entry})

    def _entry(self) -> Message:
        return Message(texts={1: "key", 2: "value"}, ended=self._look_at_entry)

    def _look_at_node(self, texts: dict[str, str]) -> None:
        domain, operator, part = texts.get("domain", ""), texts.get("operator", ""), self._part
        if operator in _PYTHON:
            part.look.code(
                part.name,
                "custom-operator",
                f"calls Python by its operator {shown(operator)}",
                "Use operators of ONNX.",
            )
        elif domain not in _DOMAINS and not domain.startswith("pkg."):
            part.look.odd(
                part.name,
                "custom-operator",
                Severity.MEDIUM,
                f"uses operators of the domain {shown(domain)!r}, which run native code from elsewhere",
                _EXPORT,
            )

    def _look_at_entry(self, texts: dict[str, str]) -> None:
        place, part = texts.get("value", ""), self._part
        if texts.get("key") == "location" and leads_out(place):
            part.look.code(
                part.name,
                "external-data",
                f"reads its weights from {shown(place)!r}, outside of its folder",
                "Save the model with its weights inside, or beside it.",
            )
