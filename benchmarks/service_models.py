"""The models that benchmarks/serving.py serves, the environments they run in, and what they can do by themselves."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SKLEARN = ("scikit-learn==1.9.1", "numpy==2.4.6", "scipy==1.17.1", "joblib==1.6.0")
ORIGINAL = ("azureml-inference-server-http==1.4.1", "mop-utils==2.6", "pyraisdk==0.5.6")
SDK = Path(__file__).resolve().parents[1] / "packages" / "mop-utils"
TEXT_CHARACTERS = 1000
TEXTS = 128
BATCH = 12
MIB = 1 << 20
BATCH_S, ITEM_S = 0.005, 0.0002  # of "one stream"
STREAM_WORK = f"time.sleep({BATCH_S} + {ITEM_S} * len(items))"

WRAPPER = """
import fcntl, threading, time
from mop_utils.base_model_wrapper import BaseModelWrapper

class Wrapper(BaseModelWrapper):
    def init(self, model_root): {init}
    def inference(self, item): return self.inference_batch([item])[0]
    def inference_batch(self, items):
{work}
    def convert_mop_input_to_model_input(self, mop_input): return {{"text": mop_input.text}}
    def convert_model_output_to_mop_output(self, output): return output
"""
FIXED = """        return [{"label": 1, "score": 0.5}] * len(items)"""


def _wrapper(work: str, init: str = "self.lock = threading.Lock()") -> str:
    return WRAPPER.format(work=work, init=init)


MODELS = {
    "near-zero": _wrapper(FIXED),
    "scikit-learn": _wrapper(
        """
        scores = self.model.predict_proba([item["text"] for item in items])[:, 1].tolist()
        return [{"label": int(score > 0.5), "score": score} for score in scores]
""",
        init="import joblib; self.model = joblib.load(model_root + '/model.joblib')",
    ),
    "one stream": _wrapper(f"        with self.lock:\n            {STREAM_WORK}\n{FIXED}"),
    "shares one stream": _wrapper(
        f"""
        with open(self.stream, "w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            {STREAM_WORK}
{FIXED}""",
        init="self.stream = model_root + '/stream'",
    ),
    "waits 5 ms an item": _wrapper("        time.sleep(0.005 * len(items))\n" + FIXED),
    "waits 20 ms a batch": _wrapper("        time.sleep(0.02)\n" + FIXED),
}

TRAIN = """
import json, sys
import joblib, numpy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
texts = [json.loads(line)["text"] for line in open(sys.argv[1])]
labels = numpy.random.default_rng(7).integers(0, 2, len(texts))
model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=200))
joblib.dump(model.fit(texts, labels), sys.argv[2])
"""

# What a model does with nothing around it: its init, its best batch throughput, its memory.
BARE = """
import json, os, sys, time
sys.path.insert(0, sys.argv[1])
start = time.perf_counter()
import inference
model = inference.Wrapper()
model.init(sys.argv[2])
init = time.perf_counter() - start
items = [json.loads(line) for line in open(sys.argv[3])]
first = model.inference_batch(items[:1])[0]
print(json.dumps({"init": init, "pid": os.getpid(), "first": first}), flush=True)
for line in sys.stdin:
    seconds, size = json.loads(line)
    batches = [items[i:i + size] for i in range(0, len(items) - size + 1, size)]
    count, start, end = 0, time.perf_counter(), time.perf_counter() + seconds
    while time.perf_counter() < end:
        model.inference_batch(batches[count % len(batches)])
        count += 1
    print(json.dumps({"rps": count * size / (time.perf_counter() - start)}), flush=True)
"""


@dataclass(frozen=True)
class Environments:
    """The two Pythons of the comparison: a model's environment under MOP, and the original stack's."""

    ours: Path
    original: Path


@dataclass(frozen=True)
class ModelFolder:
    """One model, with src/ and model/, and the bodies that clients send it."""

    name: str
    root: Path
    bodies: Path

    @property
    def src(self) -> Path:
        """The folder of inference.py."""
        return self.root / "src"

    @property
    def model(self) -> Path:
        """The folder that init gets."""
        return self.root / "model"


def stream_rate(batch: int) -> float:
    """Items a second of "one stream" in batches of this size, if waking up took no time."""
    return batch / (BATCH_S + ITEM_S * batch)


def make_environments(cache: Path) -> Environments:
    """Both environments, installed by uv into `cache`; those that stand are taken as they are."""
    return Environments(our_environment(cache), make_environment(cache / "original", (*ORIGINAL, *SKLEARN)))


def our_environment(cache: Path) -> Path:
    """The Python of a model's environment alone."""
    return make_environment(cache / "ours", (*SKLEARN, str(SDK)))


def make_environment(folder: Path, requirements: tuple[str, ...]) -> Path:
    """The interpreter of an environment with these packages, installed by uv into `folder` unless it stands there."""
    python, wanted = folder / "bin" / "python", json.dumps([sys.version, requirements])
    marker = folder / "complete"
    if marker.exists() and marker.read_text() == wanted:
        return python
    print(f"installing {folder.name}: {' '.join(requirements)}", flush=True)
    uv = Path(sys.executable).with_name("uv")
    base = Path(sys.base_prefix, "bin", "python3")
    subprocess.run([uv, "venv", "-q", "--clear", "--python", base, folder], check=True)
    install = [uv, "pip", "install", "-q", "--compile-bytecode", "--python", python, *requirements]
    subprocess.run(install, check=True)
    marker.write_text(wanted)
    return python


def make_models(root: Path, environments: Environments) -> dict[str, ModelFolder]:
    """The folder of every model, and the bodies; everything from fixed seeds."""
    bodies = root / "bodies"
    bodies.write_text("\n".join(json.dumps({"text": text}) for text in make_texts(TEXTS)))
    folders = {}
    for number, (name, wrapper) in enumerate(MODELS.items()):
        folder = ModelFolder(name, root / f"model-{number}", bodies)
        folder.src.mkdir(parents=True)
        folder.model.mkdir()
        (folder.src / "inference.py").write_text(wrapper)
        folders[name] = folder
    training = root / "training"
    training.write_text("\n".join(json.dumps({"text": text}) for text in make_texts(2000)))
    target = folders["scikit-learn"].model / "model.joblib"
    subprocess.run([environments.ours, "-c", TRAIN, training, target], check=True)
    return folders


def make_texts(count: int, characters: int = TEXT_CHARACTERS) -> list[str]:
    """Texts of so many characters out of 5,000 made-up words, some frequent, most rare."""
    chance = random.Random(7)  # noqa: S311 - the same texts every time
    words = ["".join(chance.choices("abcdefghijklmnoprstuvw", k=chance.randint(2, 11))) for _ in range(5000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    most = max(400, characters // 2)
    return [" ".join(chance.choices(words, weights, k=most))[:characters] for _ in range(count)]


class BareModel:
    """A model in its interpreter, with no service around it.

    Args:
        python: the interpreter.
        folder: of the model.
        command: what runs BARE instead, for example in the cage.

    Attributes:
        first: its output for the first of the texts.
    """

    def __init__(self, python: Path, folder: ModelFolder, command: Sequence[str] = ()) -> None:
        argv = command or [python, "-c", BARE, folder.src, folder.model, folder.bodies]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started = self._read()
        self.init_s: float = started["init"]
        self.pid = int(started["pid"])
        self.first: dict[str, float] = started["first"]

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def items_per_second(self, seconds: float, *, batch: int = BATCH) -> float:
        """Its own throughput in full batches, one after the other."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([seconds, batch]) + "\n")
        self._process.stdin.flush()
        rate: float = self._read()["rps"]
        return rate

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def memory_mb(pid: int) -> tuple[float, float]:
    """RSS and PSS of a process in MB (2**20 bytes)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split()[0]: int(line.split()[1]) for line in lines if line.endswith("kB")}
    return sizes["Rss:"] * 1024 / MIB, sizes["Pss:"] * 1024 / MIB
