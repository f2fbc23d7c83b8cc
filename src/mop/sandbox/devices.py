"""The GPUs of this host: NVIDIA's device nodes, which a job of a GPU instance type sees and no other."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from mop.errors import HostLostError

DEVICES = Path("/dev")
_GPU = re.compile(r"nvidia[0-9]+")
# what every process that uses a GPU opens beside it, and what divides one (MIG, multi-node memory)
_SHARED = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")
_FOLDERS = ("nvidia-caps", "nvidia-caps-imex-channels")


def host_gpus(folder: Path = DEVICES) -> int:
    return sum(_GPU.fullmatch(node.name) is not None for node in _nodes(folder))


def gpu_devices(count: int, folder: Path = DEVICES) -> list[tuple[Path, str]]:
    """Device nodes for a job that needs so many GPUs, each with its path in the cage; none if it needs none.

    All of the host's GPUs: processes of one service share them, and nobody divides them among services.

    Raises:
        HostLostError: this host has fewer.
    """
    if not count:
        return []
    found = host_gpus(folder)
    if found < count:
        raise HostLostError(
            f"The instance type has {count} GPU{'s' if count > 1 else ''}; this host has {found or 'none'}.",
            hint="Run a worker for this instance type on a host with NVIDIA's driver, or choose a type without a GPU.",
        )
    return [(node, f"/dev/{node.relative_to(folder)}") for node in _nodes(folder)]


def _nodes(folder: Path) -> list[Path]:
    named = [*(folder / name for name in _SHARED), *sorted(folder.glob("nvidia[0-9]*"))]
    named += [node for name in _FOLDERS for node in sorted((folder / name).glob("nvidia-*"))]
    return [node for node in named if _is_device(node)]


def _is_device(path: Path) -> bool:
    try:
        return stat.S_ISCHR(path.stat().st_mode)
    except OSError:
        return False
