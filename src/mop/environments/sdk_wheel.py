"""MOP's own mop-utils as a wheel: what `mop-utils>=2.0` in a model's requirements gets."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import io
import os
import zipfile
from pathlib import Path

from packaging.utils import parse_wheel_filename

DISTRIBUTION = "mop-utils"
PACKAGE = "mop_utils"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build_mop_utils_wheel(target: Path) -> Path:
    """Write the wheel of the mop-utils that MOP itself runs with into `target`; returns its path.

    Works from an installation and from an editable checkout alike, needs no network, and gives the same bytes for
    the same sources, so that environments keep their key. A wheel that is there with these bytes is left alone.

    Raises:
        RuntimeError: mop-utils is not installed beside MOP.
    """
    metadata = importlib.metadata.distribution(DISTRIBUTION).read_text("METADATA")
    spec = importlib.util.find_spec(PACKAGE)
    if metadata is None or spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{DISTRIBUTION} is not installed beside MOP")
    version = importlib.metadata.version(DISTRIBUTION)
    files = _files(Path(spec.submodule_search_locations[0]))
    info = f"{PACKAGE}-{version}.dist-info"
    files[f"{info}/METADATA"] = metadata.encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: mop\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    path = target / f"{PACKAGE}-{version}-py3-none-any.whl"
    target.mkdir(parents=True, exist_ok=True)
    _write_if_changed(path, _archive(files))
    return path


def newest_mop_utils_wheel(folder: Path) -> Path:
    """The wheel of the highest version in `folder`.

    Raises:
        FileNotFoundError: there is none.
    """
    wheels = {parse_wheel_filename(path.name)[1]: path for path in folder.glob(f"{PACKAGE}-*.whl")}
    if not wheels:
        raise FileNotFoundError(f"{folder} holds no mop-utils wheel; build_mop_utils_wheel makes it")
    return wheels[max(wheels)]


def _files(package: Path) -> dict[str, bytes]:
    return {
        f"{PACKAGE}/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _record(files: dict[str, bytes], own_name: str) -> bytes:
    lines = []
    for name, content in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}\n")
    return "".join([*lines, f"{own_name},,\n"]).encode()


def _archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, date_time=_EPOCH)
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    return buffer.getvalue()


def _write_if_changed(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.chmod(0o644)
    temporary.replace(path)
