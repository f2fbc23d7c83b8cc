"""Files of a model folder that stand for content which was never fetched: Git LFS pointers and empty checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_POINTER = b"version https://git-lfs.github.com/spec/v"
_POINTER_BYTES = 1024  # the specification's limit
_CHECKPOINTS = frozenset(
    [
        ".bin",
        ".ckpt",
        ".h5",
        ".hdf5",
        ".joblib",
        ".keras",
        ".npy",
        ".npz",
        ".onnx",
        ".pb",
        ".pickle",
        ".pkl",
        ".pt",
        ".pth",
        ".safetensors",
        ".tflite",
    ]
)


@dataclass(frozen=True)
class Unfetched:
    """A file without its content.

    Attributes:
        path: inside the model folder.
        problem: what it is, as a sentence without its stop.
        hint: how its content is fetched.
    """

    path: str
    problem: str
    hint: str


def unfetched_files(folder: Path) -> Iterator[Unfetched]:
    """Every Git LFS pointer of the folder, and the checkpoints of model/ without a byte, by path."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        path = file.relative_to(folder).as_posix()
        size = file.stat().st_size
        if _is_pointer(file, size):
            yield Unfetched(
                path,
                f"{path} is a Git LFS pointer, a text of {size} bytes in the place of the file itself",
                "Run `git lfs pull` in the repository, and upload the folder again.",
            )
        elif size == 0 and path.startswith("model/") and file.suffix.lower() in _CHECKPOINTS:
            yield Unfetched(
                path,
                f"{path} is empty",
                "Compare the file with the one that was saved (`ls -l`), and upload it again.",
            )


def _is_pointer(file: Path, size: int) -> bool:
    if not len(_POINTER) < size <= _POINTER_BYTES:
        return False
    with file.open("rb") as opened:
        return opened.read(len(_POINTER)) == _POINTER
