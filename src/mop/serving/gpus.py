"""NVIDIA's GPUs, by the driver's own library NVML; nothing where there is no driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mop.deferred import deferred

if TYPE_CHECKING:
    import pynvml
else:
    pynvml = deferred("pynvml")


class Gpus:
    """Some GPUs of this host.

    Args:
        handles: of NVML.
    """

    def __init__(self, handles: tuple[object, ...]) -> None:
        self._handles = handles

    @classmethod
    def open(cls, indices: tuple[int, ...] | None = None) -> Gpus | None:
        """Those with these indices, or all; None where there are none or no driver answers."""
        try:
            pynvml.nvmlInit()
            places = range(pynvml.nvmlDeviceGetCount()) if indices is None else indices
            handles = tuple(pynvml.nvmlDeviceGetHandleByIndex(place) for place in places)
        except pynvml.NVMLError:
            return None
        return cls(handles) if handles else None

    def shares(self) -> tuple[float | None, float | None]:
        """Shares of the recent time in which they computed, and of their memory in use, averaged; None: not told."""
        try:
            busy = [pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100 for handle in self._handles]
            memory = [pynvml.nvmlDeviceGetMemoryInfo(handle) for handle in self._handles]
        except pynvml.NVMLError:
            return None, None
        count = len(self._handles)
        return sum(busy) / count, sum(info.used / info.total for info in memory) / count
