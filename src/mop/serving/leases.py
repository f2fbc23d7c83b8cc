"""Leases of the services on this host: one folder each, with a file that says who holds how much.

Every process that starts services in the same runtime folder sees the same leases; a file lock orders them.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LEASE_FILE = "lease.json"
LONGEST_SOCKET_PATH = 100  # the kernel takes 107 bytes


@dataclass(frozen=True)
class ProcessId:
    """A process that is not mistaken for a later one with the same number."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """The living process `pid`."""
        return cls(pid, _start_ticks(pid) or 0)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.started != 0 and _start_ticks(self.pid) == self.started


@dataclass(frozen=True)
class Lease:
    """Who holds what: `cpus` and `memory_bytes` for `name`, by the process `holder`."""

    name: str
    owner: str
    cpus: float
    memory_bytes: int
    holder: ProcessId
    ttl_s: float | None = None
    front: ProcessId | None = None


class LeaseFolder:
    """All leases under one runtime folder."""

    def __init__(self, root: Path) -> None:
        if len(os.fsencode(root)) > LONGEST_SOCKET_PATH - len("/0123456789abcdef/s.sock"):
            raise ValueError(f"The runtime folder {root} is too long for unix sockets; choose a shorter path.")
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else reserves meanwhile."""
        with (self._root / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def add(self, lease: Lease) -> Path:
        """A new private folder that holds the lease."""
        folder = self._root / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        self.write(folder, lease)
        return folder

    def write(self, folder: Path, lease: Lease) -> None:
        """Replace the lease of a folder, completely or not at all."""
        draft = folder / f"{LEASE_FILE}.new"
        draft.write_text(json.dumps(dataclasses.asdict(lease)))
        draft.replace(folder / LEASE_FILE)

    def renew(self, folder: Path) -> None:
        """The time to live starts again."""
        os.utime(folder / LEASE_FILE)

    def remove(self, folder: Path) -> None:
        """The room is free again."""
        shutil.rmtree(folder, ignore_errors=True)

    def living(self) -> list[Lease]:
        """The leases whose holder lives and whose time is not over."""
        return [lease for folder, lease in self._all() if not self._over(folder, lease)]

    def sweep(self) -> None:
        """Kill the fronts of dead holders and remove their folders."""
        for folder, lease in self._all():
            if self._over(folder, lease):
                self._end(folder, lease)

    def end_all_of(self, holder: ProcessId) -> None:
        """Kill the fronts of a living holder and remove their folders."""
        for folder, lease in self._all():
            if lease.holder == holder:
                self._end(folder, lease)

    def _end(self, folder: Path, lease: Lease) -> None:
        if lease.front is not None and lease.front.alive:
            os.kill(lease.front.pid, signal.SIGKILL)  # its model processes follow by their parent-death signal
        self.remove(folder)

    def _over(self, folder: Path, lease: Lease) -> bool:
        if not lease.holder.alive:
            return True
        if lease.ttl_s is None:
            return False
        try:
            return (folder / LEASE_FILE).stat().st_mtime + lease.ttl_s < time.time()
        except FileNotFoundError:
            return True

    def _all(self) -> list[tuple[Path, Lease]]:
        found = []
        for file in self._root.glob(f"*/{LEASE_FILE}"):
            try:
                data = json.loads(file.read_text())
            except FileNotFoundError:
                continue
            front = ProcessId(**data["front"]) if data["front"] else None
            found.append((file.parent, Lease(**{**data, "holder": ProcessId(**data["holder"]), "front": front})))
        return found


def _start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None if it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else int(fields[19])
