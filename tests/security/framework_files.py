"""`python framework_files.py FOLDER PACKAGE ...`: files as frameworks themselves write them, one folder for each.

Runs in an environment that has them; each is small and trained on a few numbers.
"""

# ruff: noqa: PLC0415 - each framework is imported where its files are written

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np

NUMBERS = np.random.default_rng(7).random((60, 4))
LABELS = (NUMBERS.sum(axis=1) > 2).astype(int)


def scikit_learn(folder: Path) -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts = [f"word{number % 5} other{number % 3}" for number in range(60)]
    text = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, LABELS)
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(NUMBERS, LABELS)
    (folder / "text.pkl").write_bytes(pickle.dumps(text))
    joblib.dump(text, folder / "text.joblib")
    joblib.dump(forest, folder / "forest.joblib", compress=3)


def xgboost(folder: Path) -> None:
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=3).fit(NUMBERS, LABELS)
    model.save_model(folder / "model.ubj")
    model.save_model(folder / "model.json")
    (folder / "model.pkl").write_bytes(pickle.dumps(model))


def lightgbm(folder: Path) -> None:
    import lightgbm

    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(NUMBERS, LABELS)
    model.booster_.save_model(folder / "model.txt")
    joblib.dump(model, folder / "model.joblib")


def safetensors(folder: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"weight": NUMBERS.astype(np.float32)}, folder / "model.safetensors")


def onnx(folder: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    places = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    onnx.save(helper.make_model(helper.make_graph(nodes, "relu", places[:1], places[1:])), folder / "model.onnx")


def tokenizers(folder: Path) -> None:
    from tokenizers import Tokenizer, models, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.train_from_iterator(["some words", "more words"], trainers.BpeTrainer(vocab_size=40))
    tokenizer.save(str(folder / "tokenizer.json"))


def hdf5(folder: Path) -> None:
    import h5py

    with h5py.File(folder / "weights.h5", "w") as file:
        file.attrs["model_config"] = '{"class_name": "Sequential", "config": {"layers": []}}'
        group = file.create_group("model_weights/dense")
        group.attrs["weight_names"] = [b"kernel", b"bias"]
        group.create_dataset("kernel", data=NUMBERS, compression="gzip", shuffle=True)
        group.create_dataset("bias", data=NUMBERS[0])


def pandas(folder: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"number": NUMBERS[:, 0], "label": LABELS.astype(str), "when": pd.Timestamp("2024")})
    frame["kind"] = frame["label"].astype("category")
    frame.to_pickle(folder / "frame.pkl")
    frame.to_pickle(folder / "frame.pkl.gz")
    frame.set_index("when").groupby("label").sum(numeric_only=True).to_pickle(folder / "sums.pkl")
    joblib.dump(frame, folder / "frame.joblib")


def keras(folder: Path) -> None:
    """With the backend that is the smallest to install."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")
    (folder / "model.json").write_text(model.to_json())


def catboost(folder: Path) -> None:
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(iterations=3, verbose=False, allow_writing_files=False).fit(NUMBERS, LABELS)
    model.save_model(str(folder / "model.cbm"))
    model.save_model(str(folder / "model.json"), format="json")
    (folder / "model.pkl").write_bytes(pickle.dumps(model))


def skops(folder: Path) -> None:
    from sklearn.linear_model import LogisticRegression
    from skops.io import dump

    dump(LogisticRegression().fit(NUMBERS, LABELS), folder / "model.skops")


def sentencepiece(folder: Path) -> None:
    from sentencepiece import SentencePieceTrainer

    texts = folder.parent / "sentences"
    texts.write_text("\n".join(f"some words {number} and more words" for number in range(200)))
    SentencePieceTrainer.train(input=str(texts), model_prefix=str(folder / "words"), vocab_size=40, minloglevel=2)
    texts.unlink()


def statsmodels(folder: Path) -> None:
    from statsmodels.api import OLS

    OLS(LABELS, NUMBERS).fit().save(str(folder / "model.pickle"))


def gensim(folder: Path) -> None:
    from gensim.models import Word2Vec

    model = Word2Vec([["some", "words"], ["more", "words"]] * 20, vector_size=8, min_count=1, workers=1)
    model.save(str(folder / "words.model"))
    model.wv.save_word2vec_format(str(folder / "words.txt"))


def torch(folder: Path) -> None:
    """States in both formats, a whole module, TorchScript, an exported program, a package."""
    import torch
    from torch.package import PackageExporter

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.linear(x))

    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(3, 2)).eval()
    example = torch.zeros(1, 4)
    torch.save(net.state_dict(), folder / "state.pt")
    torch.save(net.state_dict(), folder / "state.pth", _use_new_zipfile_serialization=False)
    torch.save({"model": net.state_dict(), "step": 3, "at": torch.Size([1])}, folder / "checkpoint.ckpt")
    optimiser = torch.optim.AdamW(net.parameters())
    torch.save(optimiser.state_dict(), folder / "optimiser.pt")
    torch.save(torch.ones(3, dtype=torch.bfloat16), folder / "tensor.pt")
    torch.jit.trace(net, example).save(str(folder / "traced.pt"))
    torch.jit.script(Net()).save(str(folder / "scripted.pt"))
    torch.export.save(torch.export.export(net, (example,)), folder / "exported.pt2")
    with PackageExporter(str(folder / "package.pt")) as exporter:
        exporter.extern("torch.**")
        exporter.save_source_string("own.net", "import torch\n\nclass Net(torch.nn.Module):\n    pass\n")
        exporter.save_pickle("own", "model.pkl", net.state_dict())


ALL: dict[str, Callable[[Path], None]] = {
    "scikit-learn": scikit_learn,
    "torch": torch,
    "xgboost-cpu": xgboost,
    "lightgbm": lightgbm,
    "safetensors": safetensors,
    "onnx": onnx,
    "tokenizers": tokenizers,
    "h5py": hdf5,
    "pandas": pandas,
    "keras": keras,
    "catboost": catboost,
    "skops": skops,
    "sentencepiece": sentencepiece,
    "statsmodels": statsmodels,
    "gensim": gensim,
}
"""What writes the files of a package."""


def main() -> None:
    """Write the files of the packages that are named."""
    for package in sys.argv[2:]:
        folder = Path(sys.argv[1], package)
        folder.mkdir(parents=True)
        ALL[package](folder)


if __name__ == "__main__":
    main()
