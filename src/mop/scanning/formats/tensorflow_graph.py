"""TensorFlow's SavedModel and its older graphs."""

from __future__ import annotations

from mop.scanning.findings import Severity
from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.protobuf import Message, fields_of, read_message
from mop.scanning.look import shown

_LENGTH = 2
_SAVES = frozenset(
    {
        *(
            "WriteFile",
            "PyFunc",
            "PyFuncStateless",
            "EagerPyFunc",
            "WriteAudioSummary",
            "WriteGraphSummary",
            "WriteSummary",
        ),
        *("WriteImageSummary", "WriteScalarSummary", "WriteHistogramSummary", "WriteRawProtoSummary"),
        *("CreateSummaryFileWriter", "CreateSummaryDbWriter", "ImportEvent", "SaveDataset", "SaveDatasetV2"),
        *("SnapshotDataset", "SnapshotDatasetV2", "DatasetToTFRecord", "PrintV2"),
        *("DebugIdentity", "DebugIdentityV2", "DebugIdentityV3", "DataServiceDataset", "DataServiceDatasetV2"),
        *(
            "DataServiceDatasetV3",
            "DataServiceDatasetV4",
            "RegisterDataset",
            "RegisterDatasetV2",
            "RpcCall",
            "RpcClient",
        ),
        *("RpcServer", "RpcServerStart", "GenerateBigQueryReaderPartitions", "BigQueryReader", "DistributedSave"),
        *("XlaHostCompute", "CompileCall", "DeleteFile", "RenameFile", "CopyFile", "MkDir"),
    }
)
_READS = frozenset(
    {
        *(
            "ReadFile",
            "MatchingFiles",
            "MatchingFilesDataset",
            "WholeFileReader",
            "WholeFileReaderV2",
            "TextLineReader",
        ),
        *(
            "TextLineReaderV2",
            "TFRecordReader",
            "TFRecordReaderV2",
            "TFRecordDataset",
            "TFRecordDatasetV2",
            "LMDBReader",
        ),
        *("LMDBDataset", "TextLineDataset", "FixedLengthRecordReader", "FixedLengthRecordReaderV2", "IdentityReader"),
        *("FixedLengthRecordDataset", "FixedLengthRecordDatasetV2", "CSVDataset", "CSVDatasetV2", "SqlDataset"),
        *("LoadDataset", "ImmutableConst", "ReaderReadV2", "IteratorFromStringHandle"),
    }
)
_REMEDY = "Export the model again without this operation; a model needs its weights and its inputs, no files."


class TensorFlowGraph(Format):
    """A SavedModel (version, meta graphs), a MetaGraph, or a frozen graph: nodes with operations."""

    name = "TensorFlow SavedModel, GraphDef"
    runs = "operations that write or read files, open connections or call Python run with the graph"
    seen = "the operation of every node, in the functions of the library too"
    is_searched = True
    urgency = 2

    def recognises(self, head: Head) -> bool:
        """By the fields that the beginning holds."""
        return _shape_of(head.data) is not None

    def examine(self, part: Part) -> None:
        """Follow every graph."""
        shape = _shape_of(part.reader.peek(4096))
        graph = GraphMessages(part)
        try:
            read_message(part.reader, graph.saved_model() if shape == "saved model" else graph.graph())
        except ValueError as error:
            part.look.incomplete(part.name, f"it is no graph of TensorFlow to its end: {error}")


def _shape_of(data: bytes) -> str | None:
    if data[:1] == b"\x08" and fields_of(data)[:2] == [(1, 0), (2, _LENGTH)] and _is_meta_graph(data):
        return "saved model"
    if data[:1] == b"\x12" and _holds_a_graph(_inner(data)):
        return "saved model"  # without its version, which no loader insists on
    if data[:1] == b"\x0a" and _is_node(data):
        return "graph"
    return None


def _holds_a_graph(meta_graph: bytes) -> bool:
    """MetaGraphDef: its information, which may be left out, and a graph whose first field is a node."""
    if meta_graph[:1] == b"\x0a":
        information = _inner(meta_graph)
        meta_graph = meta_graph[meta_graph.find(information) + len(information) :]
    return meta_graph[:1] == b"\x12" and _inner(meta_graph)[:1] == b"\x0a" and _is_node(_inner(meta_graph))


def _is_meta_graph(data: bytes) -> bool:
    """SavedModel: version 1, then meta graphs; the first field of one is its information or its graph."""
    inner = _inner(data[2:])
    return data[1] <= 2 and inner[:1] in {b"\x0a", b"\x12"}  # noqa: PLR2004 - the versions that there are


def _is_node(data: bytes) -> bool:
    """GraphDef: nodes, each a name, an operation, then inputs, a device and attributes."""
    inner = _inner(data)
    fields = fields_of(inner)
    if fields[:2] != [(1, _LENGTH), (2, _LENGTH)] or not {number for number, _ in fields} <= {1, 2, 3, 4, 5, 6, 7}:
        return False
    name_length = inner[1]
    return inner[2 : 2 + name_length].isascii() and name_length > 0


def _inner(data: bytes) -> bytes:
    """The content of the first field, as far as it is there."""
    at, length, shift = 1, 0, 0
    while at < len(data) and shift < 64:  # noqa: PLR2004 - bits
        length |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:  # noqa: PLR2004 - the last byte of a varint
            break
    return data[at : at + length]


class GraphMessages:
    """The messages of a graph, as far as they lead to nodes."""

    def __init__(self, part: Part) -> None:
        self._part = part

    def saved_model(self) -> Message:
        """The message of a SavedModel."""
        return Message(messages={2: self.meta_graph})

    def meta_graph(self) -> Message:
        """The message of a MetaGraph."""
        return Message(messages={2: self.graph})

    def graph(self) -> Message:
        """The message of a graph."""
        return Message(messages={1: self._node, 2: self._library})

    def _library(self) -> Message:
        return Message(messages={1: self._function})

    def _function(self) -> Message:
        return Message(messages={3: self._node})

    def _node(self) -> Message:
        return Message(texts={1: "name", 2: "operation"}, ended=self._look_at_node)

    def _look_at_node(self, texts: dict[str, str]) -> None:
        operation, part = texts.get("operation", ""), self._part
        name = shown(texts.get("name", ""))
        if operation in _SAVES:
            part.look.code(
                part.name,
                "graph-operation",
                f"has the operation {operation} (node {name!r}), which runs code, writes files or opens connections",
                _REMEDY,
            )
        elif operation in _READS:
            part.look.odd(
                part.name,
                "graph-operation",
                Severity.HIGH,
                f"has the operation {operation} (node {name!r}), which reads files",
                _REMEDY,
            )
