"""Files as ordinary models bring them: real ones of scikit-learn, joblib, nltk and numpy, written by these libraries.

The formats of larger frameworks are written here byte by byte, with the names that those frameworks write.
"""

# ruff: noqa: S311 - bytes of no meaning, the same in every run

from __future__ import annotations

import array
import functools
import gzip
import io
import ipaddress
import itertools
import json
import logging
import operator
import pickle
import random
import re
import sqlite3
import struct
import uuid
import zipfile
import zlib
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import h5py
import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from nltk.classify import NaiveBayesClassifier
from nltk.lm import MLE
from nltk.lm.preprocessing import padded_everygram_pipeline
from nltk.stem import PorterStemmer, SnowballStemmer
from nltk.tokenize.casual import TweetTokenizer
from nltk.tokenize.punkt import PunktSentenceTokenizer, PunktTrainer
from pyarrow import feather, orc
from scipy.sparse import csr_matrix
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from security.hostile import MARK, REDUCE, STOP, call, named, tarred, text, zipped
from security.hostile_structures import field

TEXTS = ["this is good", "quite nice work", "that is bad", "very poor work"] * 5
LABELS = [0, 0, 1, 1] * 5
NUMBERS = np.random.default_rng(7).random((20, 4))


@dataclass(frozen=True)
class Ordinary:
    """One file, and whether it must come out clean; the others may at most warn."""

    name: str
    file: str
    write: Callable[[Path], object]
    clean: bool = True


ON_NUMBERS = {
    "logistic regression": LogisticRegression(),
    "random forest": RandomForestClassifier(5),
    "gradient boosting": GradientBoostingClassifier(n_estimators=3),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=3),
    "support vectors": SVC(),
    "neighbours": KNeighborsClassifier(3),
    "tree": DecisionTreeClassifier(),
    "perceptron": MLPClassifier(hidden_layer_sizes=(4,), max_iter=20),
    "gradient descent": SGDClassifier(),
    "k-means": KMeans(2, n_init=1),
    "components": PCA(2),
    "scaler": StandardScaler(),
    "calibrated": CalibratedClassifierCV(LinearSVC(), cv=2),
    "columns": ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", OneHotEncoder(handle_unknown="ignore"), [2])]),
}
ON_TEXTS = {
    "words and regression": make_pipeline(TfidfVectorizer(), LogisticRegression()),
    "counts and bayes": make_pipeline(CountVectorizer(), MultinomialNB()),
    "hashes and descent": make_pipeline(HashingVectorizer(n_features=64), SGDClassifier()),
    "words and components": make_pipeline(TfidfVectorizer(), TruncatedSVD(2), LogisticRegression()),
}
LABELLING = "labels"


@functools.cache
def trained(name: str) -> Any:
    """A fitted estimator; fitted when its file is written, not when tests are collected."""
    if name == LABELLING:
        return LabelEncoder().fit(["a", "b"])
    return ON_NUMBERS[name].fit(NUMBERS, LABELS) if name in ON_NUMBERS else ON_TEXTS[name].fit(TEXTS, LABELS)


def of_scikit_learn() -> Iterator[Ordinary]:
    """Pickles of several protocols, joblib plain and compressed."""
    for number, name in enumerate((*ON_NUMBERS, *ON_TEXTS, LABELLING)):
        protocol = (2, 4, 5)[number % 3]
        compress = (0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3))[number % 5]
        yield Ordinary(
            f"{name}, pickle",
            f"{number}.pkl",
            lambda path, name=name, protocol=protocol: path.write_bytes(pickle.dumps(trained(name), protocol)),
        )
        yield Ordinary(
            f"{name}, joblib {compress}",
            f"{number}.joblib",
            lambda path, name=name, compress=compress: joblib.dump(trained(name), path, compress=compress),
        )
    with_objects = {"names": np.array([{"a": 1}, "x"], dtype=object), "rows": np.zeros(3, dtype="f8,i4")}
    yield Ordinary("arrays of objects, joblib", "objects.joblib", lambda path: joblib.dump(with_objects, path))


def of_numpy_and_nltk() -> Iterator[Ordinary]:
    """Arrays, tokenizers, language models."""
    yield Ordinary("array", "a.npy", lambda path: np.save(path, NUMBERS))
    yield Ordinary("array of objects", "o.npy", lambda path: np.save(path, np.array(["a", {1: 2}], dtype=object)))
    yield Ordinary("arrays", "a.npz", lambda path: np.savez(path, a=NUMBERS, b=NUMBERS))
    yield Ordinary("arrays, compressed", "c.npz", lambda path: np.savez_compressed(path, a=NUMBERS))
    yield Ordinary("generator of numpy", "g.pkl", _saying(pickle.dumps(np.random.default_rng(3))))
    yield Ordinary("sparse matrix", "s.pkl", _saying(pickle.dumps(csr_matrix(NUMBERS))))
    trainer = PunktTrainer()
    trainer.train("Hello Mr. Smith. This is it. Dr. Who went. Home.")
    yield Ordinary("punkt", "punkt.pickle", _saying(pickle.dumps(PunktSentenceTokenizer(trainer.get_params()))))
    bayes = NaiveBayesClassifier.train([({"a": 1}, "x"), ({"a": 2}, "y")])
    yield Ordinary("bayes of nltk", "bayes.pickle", _saying(pickle.dumps(bayes)))
    yield Ordinary("stemmers", "stem.pickle", _saying(pickle.dumps([PorterStemmer(), SnowballStemmer("english")]))
                   )  # fmt: skip
    grams, words = padded_everygram_pipeline(2, [["a", "b"], ["b", "c"]])
    model = MLE(2)
    model.fit(grams, words)
    yield Ordinary("language model", "lm.pickle", _saying(pickle.dumps(model)))


def of_the_standard_library() -> Iterator[Ordinary]:
    """Containers, numbers, dates, in every protocol."""
    value = {
        "counts": Counter("abca"),
        "order": OrderedDict(a=1),
        "groups": defaultdict(list, a=[1]),
        "last": deque([1, 2], 5),
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "price": Decimal("1.5"),
        "sets": [{1}, frozenset({2}), range(3), slice(1, 2), 1j, bytearray(b"x"), b"y" * 300],
        "random": random.Random(4),
    }
    for protocol in range(6):
        yield Ordinary(f"values, protocol {protocol}", f"p{protocol}.pkl", _saying(pickle.dumps(value, protocol)))
    yield Ordinary(
        "vocabulary", "vocab.txt", _saying("\n".join(["os", "system", "cos", "system", ".", "ios"] * 99).encode())
    )
    yield Ordinary("settings", "config.json", _saying(json.dumps({"class_name": "Dense", "layers": [1, 2]}).encode()))
    yield Ordinary("random bytes", "weights.bin", _saying(random.Random(5).randbytes(3_000_000)), clean=False)
    yield Ordinary("table", "labels.csv", _saying(b"id,label\n1,hate\n2,none\n" * 500))
    yield Ordinary("zlib of text", "text.z", _saying(zlib.compress(b"hello " * 1000)))
    yield Ordinary(
        "archive of texts", "vocab.tar", _saying(tarred({"a/vocab.txt": b"a\nb\n", "a/merges.txt": b"a b\n"}))
    )
    yield Ordinary("empty", "empty", _saying(b""))
    yield Ordinary("one byte", "one", _saying(b"\x80"), clean=False)
    yield Ordinary("picture", "logo.png", _saying(b"\x89PNG\r\n\x1a\n" + random.Random(6).randbytes(50_000)))


def of_larger_frameworks() -> Iterator[Ordinary]:
    """What torch, safetensors, ONNX, Keras, xgboost, lightgbm and tokenizers write."""
    yield Ordinary("state of torch", "model.pt", _saying(_torch_zip()))
    yield Ordinary("state of torch, old format", "model.pth", _saying(_torch_legacy()))
    yield Ordinary("safetensors", "model.safetensors", _saying(_safetensors()))
    yield Ordinary("ONNX", "model.onnx", _saying(_onnx()))
    layers = {"config": {"layers": [{"class_name": "Dense", "config": {"units": 3}}]}}
    keras = {"config.json": json.dumps(layers).encode(), "metadata.json": b"{}", "model.weights.h5": _hdf5()}
    yield Ordinary("Keras", "model.keras", _saying(zipped(keras, zipfile.ZIP_DEFLATED)))
    configured = {"model_config": json.dumps(layers), "keras_version": "2.15.0", "backend": b"tensorflow"}
    yield Ordinary("HDF5 of Keras", "model.h5", _saying(_hdf5(configured)))
    yield Ordinary("HDF5 with attributes of Python", "store.h5", _saying(_hdf5({"pickled": pickle.dumps([1, 2], 0)})))
    yield Ordinary("HDF5, newest format", "new.h5", _saying(_hdf5(configured, libver="latest")), clean=False)
    yield Ordinary(
        "xgboost's classifier", "xgb.pkl", _saying(_estimator("xgboost.sklearn", "XGBClassifier", "xgboost.core"))
    )
    yield Ordinary(
        "xgboost's own", "xgb.ubj", _saying(b"{L\x00\x00\x00\x07learner{" + random.Random(9).randbytes(5000))
    )
    yield Ordinary("lightgbm's", "lgb.pkl", _saying(_estimator("lightgbm.sklearn", "LGBMClassifier", "lightgbm.basic")))
    yield Ordinary("lightgbm's text", "lgb.txt", _saying(b"tree\nversion=v4\nnum_class=1\nTree=0\nnum_leaves=3\n"))
    tokens = {"model": {"type": "BPE", "vocab": {"os": 1, "system": 2}, "merges": ["o s"]}}
    yield Ordinary("tokenizer", "tokenizer.json", _saying(json.dumps(tokens).encode()))
    yield Ordinary(
        "sentencepiece",
        "spiece.model",
        _saying(_sentencepiece()),
    )
    yield Ordinary("GGUF", "model.gguf", _saying(_gguf()))
    yield Ordinary("SavedModel", "saved_model.pb", _saying(_saved_model()))
    yield Ordinary("frozen graph", "graph.pb", _saying(field(1, field(1, b"x") + field(2, b"Placeholder")) * 3))
    yield Ordinary("checkpoint of TensorFlow", "variables.data", _saying(_floats(4000)))
    yield Ordinary("TorchScript", "script.pt", _saying(_torchscript()))
    yield Ordinary("CatBoost", "model.cbm", _saying(b"CBM1" + random.Random(3).randbytes(4000)))
    yield Ordinary("TFLite", "model.tflite", _saying(b"\x1c\0\0\0TFL3" + random.Random(4).randbytes(4000)))
    yield Ordinary("Parquet", "rows.parquet", _saying(b"PAR1" + random.Random(5).randbytes(4000) + b"PAR1"))
    yield Ordinary("pictures", "p.jpg", _saying(b"\xff\xd8\xff\xe0\0\x10JFIF" + random.Random(6).randbytes(4000)))
    chat = "{% for message in messages %}{{ message['content'] | trim }}{% endfor %}"
    yield Ordinary("chat template", "tokenizer_config.json", _saying(json.dumps({"chat_template": chat}).encode()))
    yield Ordinary("MLmodel", "MLmodel", _saying(b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n"))
    yield Ordinary("YAML of tuples", "a.yaml", _saying(b"a: !!python/tuple [1, 2]\nb: !!set {x}\n"))
    yield Ordinary("YAML of Hydra", "b.yaml", _saying(b"model:\n  _target_: nemo.collections.asr.EncDecModel\n"))
    yield Ordinary("prose about YAML", "README.md", _saying(b"# Hi!\n\nNever load `!!python/object` tags!\n"))
    yield Ordinary("archive in an archive", "a.zip", _saying(zipped({"in.zip": zipped({"a.txt": b"a" * 99})})))
    yield Ordinary("nemo", "m.nemo", _saying(tarred({"model_config.yaml": b"a: 1\n", "weights.ckpt": _torch_zip()})))


def of_what_looks_odd() -> Iterator[Ordinary]:
    """Tables, large texts, other encodings, old formats."""
    yield from _of_tables()
    old = b"ZF" + hex(7).encode().ljust(19) + zlib.compress(pickle.dumps([1, 2], 2))
    yield Ordinary("joblib before 0.10", "old.joblib", _saying(old))
    model = {
        "__class__": "LogisticRegression",
        "__module__": "sklearn.linear_model._logistic",
        "__loader__": "ObjectNode",
    }
    yield Ordinary("skops", "model.skops", _saying(zipped({"schema.json": json.dumps(model).encode()})))
    entries = {f"token{number}": number for number in range(300_000)} | {",!": 300_000, " !!python": 300_001}
    compact = json.dumps(entries, separators=(",", ":")).encode()
    yield Ordinary("a vocabulary of over 4 MiB", "vocab.json", _saying(compact))
    yield Ordinary("numbers with a word", "numbers.json", _saying(json.dumps([" !a", *range(500_000)]).encode()))
    yield Ordinary("prose of over 4 MiB", "corpus.txt", _saying(b"wow !!great <x> 100% !<3 and !important\n" * 120_000))
    yield Ordinary("rows with marks", "rows2.jsonl", _saying(b'{"text": " !!py 5%20 !<x>", "label": 1}\n' * 20_000))
    yield Ordinary("JSON in UTF-16", "a.json", _saying('{"a": 1}'.encode("utf-16")))
    yield Ordinary("JSON in UTF-32", "b.json", _saying('{"a": 1}'.encode("utf-32")))
    yield Ordinary("a tar with a short end", "s.tar", _saying(tarred({"a.txt": b"a" * 99})[:2048]))
    yield Ordinary("a tar without end", "t.tar", _saying(tarred({"a.txt": b"a" * 99})[:1024]))
    yield Ordinary("a tar with a long end", "a.tar", _saying(tarred({"a.txt": b"a" * 99}) + bytes(100_000)))
    code = {"m/.data/extern_modules": b"torch\n", "m/net/__init__.py": b"", "m/net/own.py": _CODE}
    yield Ordinary("torch.package", "net.pt", _saying(zipped(code)))
    code = {"MAR-INF/MANIFEST.json": b'{"model": {"handler": "handler.py"}}', "handler.py": _CODE}
    yield Ordinary("TorchServe", "net.mar", _saying(zipped(code)))
    code = {"code/inference.py": b"", "code/own.py": _CODE, "model.joblib": pickle.dumps({})}
    yield Ordinary("SageMaker", "model.tar.gz", _saying(gzip.compress(tarred(code))))
    words = {"shift_jis": "日本語のテキスト、ラベル\n", "gbk": "这是一个测试文件\n", "koi8-r": "Это русский текст\n"}
    for encoding, line in words.items():
        yield Ordinary(f"rows in {encoding}", "rows.csv", _saying(f"1,{line}".encode(encoding) * 40))
    icon = (
        struct.pack("<HHH", 0, 1, 3)
        + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, 500, 22) * 3
        + bytes(range(256)) * 6
    )
    yield Ordinary("an icon of three sizes", "favicon.ico", _saying(icon))
    yield Ordinary("a database", "rows.sqlite", _database)
    yield Ordinary("HDF5 behind a user block", "data.mat", _saying(_hdf5(userblock_size=512)))
    node = field(1, field(3, b"root") + field(4, b"_tf_keras_layer") + field(5, b'{"class_name": "Dense"}'))
    yield Ordinary("Keras' metadata", "keras_metadata.pb", _saying(node))
    yield Ordinary("members with names of the world", "b.zip", _saying(zipped({"âge/日本.txt": b"a" * 99})))
    yield Ordinary("a module beside the weights", "modeling_own.py", _saying(_MODULE))


_CODE = b"""import torch


class Net(torch.nn.Module):
    def forward(self, x):
        return x.relu()
"""
_MODULE = b"""import os
from typing import Any

import torch
from torch import *

HOME = os.environ.get("HOME", os.path.expanduser("~"))
ACTIVATIONS = {"gelu": torch.nn.GELU, "relu": torch.nn.ReLU}


class OwnModel(torch.nn.Module):
    def __init__(self, config: Any, dtype: str = getattr(torch, "float32")):
        super().__init__()
        self.layers = torch.nn.ModuleList(map(torch.nn.Linear, config.sizes, config.sizes[1:]))
        self.act = ACTIVATIONS[config.act]()

    def forward(self, x):
        self.eval()
        return getattr(self, "act")(x)


if "__main__" == __name__:
    os.makedirs("out")
"""


def _of_tables() -> Iterator[Ordinary]:
    table = pa.table({"text": ["ARROW:schema", "a"], "label": [0, 1], "when": pa.array([1, 2], pa.timestamp("s"))})

    def stream(path: Path) -> None:
        with pa.ipc.new_stream(str(path), table.schema) as writer:
            writer.write_table(table)

    yield Ordinary("rows of Parquet", "rows.parquet", lambda path: pq.write_table(table, path))
    yield Ordinary("rows of Feather", "rows.feather", lambda path: feather.write_feather(table, str(path)))
    yield Ordinary("a stream of Arrow", "rows.arrow", stream)
    yield Ordinary("rows of ORC", "rows.orc", lambda path: orc.write_table(table, str(path)))


def of_people() -> Iterator[Ordinary]:
    """What people put into the pickles of their own models."""
    harmless = {
        "namespace": SimpleNamespace(a=1),
        "logger": logging.getLogger("tone"),
        "buffer": io.BytesIO(b"abc"),
        "zone": ZoneInfo("Europe/Paris"),
        "functions": [hash, max, min, len, abs],
        "methods": [str.lower, str.split, str.strip, "a,b".split, bytes.decode, dict.fromkeys],
        "pattern": re.compile(r"\w+").findall,
        "tokenizer": TweetTokenizer().tokenize,
        "stemmer": PorterStemmer().stem,
        "partial": functools.partial(max, 1),
        "path": Path("a", "b"),
        "uuid": uuid.UUID(int=7),
        "address": ipaddress.ip_address("10.0.0.1"),
        "chain": ChainMap({1: 2}),
        "record": array.array("f", [1.0]),
        "none": type(None),
        "error": ValueError("a"),
        "operators": [operator.add, operator.itemgetter(1)],
        "iterators": [itertools.count(3), iter([1, 2])],
    }
    for name, value in harmless.items():
        for protocol in (2, 4):
            if name != "buffer" or protocol == 4:
                yield Ordinary(f"{name}, protocol {protocol}", f"{name}.pkl", _saying(pickle.dumps(value, protocol)))
    lowering = TfidfVectorizer(tokenizer=str.split, preprocessor=str.lower, token_pattern=None)
    yield Ordinary("words by str.split", "w.pkl", _saying(pickle.dumps(lowering)))
    yield Ordinary("words by str.split, joblib", "w.joblib", lambda path: joblib.dump(lowering, path))
    words = {f"word{number}": number for number in range(20_000)}
    yield Ordinary("a large vocabulary", "vocab.pkl", _saying(pickle.dumps(words)))
    yield Ordinary(
        "words, one a line", "words.txt", _saying("\n".join(["cat", "dog", "cos", "iota", "."] * 99).encode())
    )
    yield Ordinary("JSON lines", "rows.jsonl", _saying(b'{"text": "a", "label": 1}\n' * 200))
    yield Ordinary("XML", "a.xml", _saying(b"<?xml version='1.0'?><PMML><Header/></PMML>"))
    yield Ordinary("Latin-1", "a.csv", _saying("nom;âge\nRené;3\n".encode("latin-1")))
    yield Ordinary("UTF-16", "a.txt", _saying("hello".encode("utf-16")))
    for dtype in ("f8", "f4", "i8", "U9", "S5", "M8[ns]", "?", "c16", "f8,i4"):
        yield Ordinary(f"array of {dtype}", "a.npy", lambda path, dtype=dtype: np.save(path, np.zeros(7, dtype)))
        yield Ordinary(
            f"array of {dtype}, joblib",
            "a.joblib",
            lambda path, dtype=dtype: joblib.dump({"a": np.zeros(7, dtype)}, path),
        )


def _database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table rows (text, label)")
        database.executemany(
            "insert into rows values (?, ?)", [(f"text {number}", number % 2) for number in range(900)]
        )
        database.commit()


def _saying(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _torch_zip() -> bytes:
    members = {"archive/data.pkl": _state(), "archive/data/0": np.ones(12, "f4").tobytes(), "archive/version": b"3\n"}
    return zipped(members)


def _torch_legacy() -> bytes:
    magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
    parts = [pickle.dumps(1001, 2), pickle.dumps({"little_endian": True}, 2), _state(), pickle.dumps(["0"], 2)]
    return magic + b"".join(parts) + struct.pack("<q", 12) + np.ones(12, "f4").tobytes()


def _state() -> bytes:
    """`{"weight": tensor}` as torch.save writes it: the storage by a persistent id."""
    storage = MARK + text("storage") + named("torch", "FloatStorage") + text("0") + text("cpu") + b"K\x0ctQ"
    hooks = named("collections", "OrderedDict") + b")R"
    tensor = (
        named("torch._utils", "_rebuild_tensor_v2")
        + MARK
        + storage
        + b"K\x00K\x03K\x04\x86K\x04K\x01\x86\x89"
        + hooks
        + b"tR"
    )
    return (
        b"\x80\x02" + named("collections", "OrderedDict") + b")" + REDUCE + MARK + text("weight") + tensor + b"u" + STOP
    )


def _estimator(module: str, name: str, core: str) -> bytes:
    booster = (
        named("copyreg", "__newobj__")
        + named(core, "Booster")
        + b"\x85R}"
        + text("handle")
        + b"\x96"
        + struct.pack("<Q", 5)
    )
    booster += b"abcdesb"
    numbers = call(
        named("numpy.core.multiarray", "scalar"), call(named("numpy", "dtype"), text("f8")), b"C\x08" + bytes(8)
    )
    made = named(module, name) + b")\x81}" + MARK + text("_Booster") + booster + text("score") + numbers + b"ub"
    return b"\x80\x05" + made + STOP


def _safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}).encode()
    return struct.pack("<Q", len(header)) + header + np.ones(3, "f4").tobytes()


def _floats(count: int) -> bytes:
    return np.random.default_rng(3).normal(0, 0.02, count).astype("f4").tobytes()


def _onnx() -> bytes:
    weights = field(2, 1) + field(8, b"w") + field(9, _floats(500))
    graph = field(1, field(1, b"x") + field(2, b"y") + field(4, b"Relu")) + field(2, b"relu") + field(5, weights)
    return field(1, 8) + field(2, b"pytorch") + field(3, b"2.1.0") + field(7, graph) + field(8, field(2, 17))


def _saved_model() -> bytes:
    nodes = b"".join(
        field(1, field(1, name) + field(2, name)) for name in (b"Const", b"MatMul", b"SaveV2", b"RestoreV2")
    )
    return field(1, 1) + field(2, field(1, field(4, b"serve")) + field(2, nodes))


def _sentencepiece() -> bytes:
    pieces = (b"<unk>", b"<s>", b"os", b"system")
    return b"".join(field(1, field(1, piece) + b"\x15\0\0\0\0") for piece in pieces) + field(2, field(3, 1))


def _gguf() -> bytes:
    def string(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    pairs = string("general.name") + struct.pack("<I", 8) + string("tone")
    pairs += string("tokenizer.chat_template") + struct.pack("<I", 8) + string("{{ messages[0]['content'] }}")
    pairs += string("tokens") + struct.pack("<IIQ", 9, 8, 2) + string("os") + string("system")
    tensor = string("w") + struct.pack("<IQIQ", 1, 500, 0, 0)
    return b"GGUF" + struct.pack("<IQQ", 3, 1, 3) + pairs + tensor + _floats(500)


def _torchscript() -> bytes:
    data = b"\x80\x02c__torch__.torch.nn.modules.linear\nLinear\n)\x81}(X\x06\0\0\0weightNub."
    lists = b"\x80\x02ctorch.jit._pickle\nbuild_intlist\n](K\x01K\x02e\x85R."
    method = b"  def forward(self, x: Tensor) -> Tensor:\n    return torch.relu(x)\n"
    code = b"class Linear(Module):\n  weight : Tensor\n" + method
    members = {"s/data.pkl": data, "s/constants.pkl": lists, "s/code/__torch__.py": code, "s/data/0": _floats(4)}
    return zipped(members | {"s/version": b"3\n", "s/byteorder": b"little"})


def _hdf5(attributes: dict[str, Any] | None = None, **options: Any) -> bytes:
    """Weights in groups, as Keras keeps them, written by h5py."""
    content = io.BytesIO()
    with h5py.File(content, "w", **options) as file:
        file.attrs.update(attributes or {})
        layer = file.create_group("model_weights/dense/sequential")
        layer.create_dataset("kernel", data=NUMBERS)
        layer.create_dataset("packed", data=NUMBERS, chunks=(5, 4), compression="gzip", shuffle=True, fletcher32=True)
        layer.create_dataset("words", data=["one", "two", "three"], dtype=h5py.string_dtype())
        layer["alias"] = h5py.SoftLink("/model_weights/dense/sequential/kernel")
        layer.attrs["weight_names"] = [b"kernel:0", b"bias:0"]
    return content.getvalue()


ALL: tuple[Ordinary, ...] = (
    *of_scikit_learn(),
    *of_numpy_and_nltk(),
    *of_the_standard_library(),
    *of_larger_frameworks(),
    *of_what_looks_odd(),
    *of_people(),
)
