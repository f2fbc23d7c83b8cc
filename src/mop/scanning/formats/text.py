"""Texts: plain ones, tables, JSON, YAML and what is written in them."""

from __future__ import annotations

import codecs
import re

from mop.scanning.formats import json_text, templates, yaml_text
from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.pickles import follow_all, pickle_at_the_beginning
from mop.scanning.limits import MIB

_CONTROLS = re.compile(rb"[\0-\x06\x0e-\x1a\x1c-\x1f]")
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_WIDE_BEGINNINGS = frozenset("{[\"'%!-#<")
"""Of a text without a mark whose encoding its zeros tell, as `json.loads` does."""
_LEGACY_BYTES = 128
"""Of bytes without control characters, which no numbers are: a text in an older encoding of any language. In some a
backslash is half a character, so JSON in one is not known."""
_PIECE = MIB
_OVERLAP = 4096


class Text(Format):
    """UTF-8, UTF-16 with its mark, or an older encoding, without control characters."""

    name = "text: plain, CSV, JSON, YAML, XML, MLmodel, tokenizers, LightGBM, XGBoost's JSON"
    runs = (
        "YAML tags that construct objects, objects of jsonpickle, layers and classes that Keras imports by name, "
        "`auto_map` of Hugging Face, targets of Hydra, chat templates, a pickle of protocol 0 that is a text as well"
    )
    seen = "tokens of JSON with their escapes, events of YAML, templates, the opcodes that a text can be read as"
    urgency = 3

    def recognises(self, head: Head) -> bool:
        """No control characters, and UTF-8 or at least no more than one byte in three that is not ASCII."""
        data = head.data
        if _wide_encoding(data):
            return True
        if _CONTROLS.search(data):
            return False
        try:
            codecs.getincrementaldecoder("utf-8")().decode(data, final=head.is_whole)
        except UnicodeDecodeError:
            is_mostly_ascii = sum(byte > 0x7F for byte in data) * 3 < len(data)  # noqa: PLR2004 - ASCII
            return is_mostly_ascii or (len(data) >= _LEGACY_BYTES and not data.lstrip().startswith((b"{", b"[")))
        return True

    def examine(self, part: Part) -> None:
        """Look at each kind of text that this may be."""
        head = part.reader.peek(64 * 1024)
        encoding = _wide_encoding(head) or "utf-8"
        if encoding == "utf-8" and pickle_at_the_beginning(part, is_text=True) is not None:
            follow_all(part)
        json_reader = json_text.JsonTokens(part)
        yaml_reader = yaml_text.YamlEvents(part)
        template_reader = templates.Template(part)
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        is_text = True
        while piece := part.reader.read(_PIECE):
            if is_text and encoding == "utf-8" and _CONTROLS.search(piece):
                is_text = False
                part.look.incomplete(part.name, "a text in which other bytes follow")
            text = decoder.decode(piece)
            for reader in (json_reader, yaml_reader, template_reader):
                reader.feed(text)
        for reader in (json_reader, yaml_reader, template_reader):
            reader.end()


def _wide_encoding(data: bytes) -> str:
    """The encoding of a text of two or four bytes for each character; "" of any other."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith(_BOMS):
        return "utf-16"
    for encoding, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        begins = data[: 8 * width].decode(encoding, "replace")
        if begins[:1] in _WIDE_BEGINNINGS and not set(begins) & {"\0", "\ufffd"}:
            return encoding
    return ""
