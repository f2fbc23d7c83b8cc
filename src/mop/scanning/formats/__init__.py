"""The formats that a scan knows, one class for each, by content. The first that recognises a file reads it."""

from __future__ import annotations

from mop.scanning.formats.base import HEAD_BYTES, Format, Head
from mop.scanning.formats.binary import Boosted, Database, Empty, Picture, SentencePiece, Table, TensorIndex, TfLite
from mop.scanning.formats.compiled import Bytecode, Native
from mop.scanning.formats.compressed import Compressed, Unreadable
from mop.scanning.formats.gguf import Gguf
from mop.scanning.formats.hdf5 import Hdf5
from mop.scanning.formats.keras_metadata import KerasMetadata
from mop.scanning.formats.numpy_array import NumpyArray
from mop.scanning.formats.onnx import Onnx
from mop.scanning.formats.pickles import Pickle
from mop.scanning.formats.raw_numbers import RawNumbers
from mop.scanning.formats.safetensors import Safetensors
from mop.scanning.formats.tar_archive import Tar
from mop.scanning.formats.tensorflow_graph import TensorFlowGraph
from mop.scanning.formats.text import Text
from mop.scanning.formats.unknown import Unknown
from mop.scanning.formats.zip_archive import Zip

FORMATS: tuple[Format, ...] = (
    *(Empty(), Zip(), Pickle(), NumpyArray(), Compressed(), Unreadable(), Tar(), Native(), Bytecode(), Hdf5(), Gguf()),
    *(Picture(), Table(), Database(), TfLite(), Boosted(), Safetensors(), Onnx(), TensorFlowGraph(), KerasMetadata()),
    *(SentencePiece(), Text(), TensorIndex(), RawNumbers(), Unknown()),
)

__all__ = ["FORMATS", "HEAD_BYTES", "Format", "Head", "format_of"]


def format_of(head: Head) -> Format:
    """The format of a file by its beginning."""
    return next(known for known in FORMATS if known.recognises(head))
