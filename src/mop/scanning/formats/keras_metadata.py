"""What TensorFlow's Keras writes beside a SavedModel: the configuration of its layers, which it builds anew."""

from __future__ import annotations

from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.json_text import JsonTokens
from mop.scanning.formats.protobuf import Message, read_message
from mop.scanning.limits import MIB

_TEXT_BYTES = 16 * MIB
_IDENTIFIER = b'"'
"""The key of the field that says what a node is."""
_KERAS = b"_tf_keras_"


class KerasMetadata(Format):
    """Nodes, each with a path, the name of its kind and its configuration as JSON."""

    name = "keras_metadata.pb of a SavedModel"
    runs = "Lambda layers and classes that the configuration names"
    seen = "tokens of each node's JSON"
    is_searched = True
    urgency = 2

    def recognises(self, head: Head) -> bool:
        """By the first node: fields of its kind alone, and a name that Keras gives."""
        if head.data[:1] != b"\x0a" or _IDENTIFIER not in head.data[:256]:
            return False
        _, _, named = head.data[:256].partition(_IDENTIFIER)
        return named[1:].startswith(_KERAS)

    def examine(self, part: Part) -> None:
        """Follow every node."""
        try:
            read_message(part.reader, keras_metadata(part))
        except ValueError as error:
            part.look.incomplete(part.name, f"it is no metadata of Keras to its end: {error}")


def keras_metadata(part: Part) -> Message:
    """The message of the whole file."""

    def look_at(texts: dict[str, str]) -> None:
        tokens = JsonTokens(part)
        tokens.feed(texts.get("metadata", ""))
        tokens.end()

    node = Message(texts={5: "metadata"}, ended=look_at, text_bytes=_TEXT_BYTES)
    return Message(messages={1: lambda: node}, known=frozenset((1,)))
