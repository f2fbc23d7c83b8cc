"""A sandbox that runs Python code, for the tests of this folder."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mop.sandbox import Job, Limits, Mount, Sandbox, python_mounts

PYTHON = Path(sys.executable).resolve()
MIB = 1024 * 1024


@dataclass
class Cage:
    """Runs Python code in a sandbox; `token` stands in the command line of every process of the job."""

    sandbox: Sandbox
    token: str

    def command(
        self, code: str, *, mounts: tuple[Mount, ...] = (), limits: dict[str, Any] | None = None, **job: Any
    ) -> list[str]:
        return self.sandbox.command(
            Job(
                argv=(str(PYTHON), "-I", "-S", "-c", code, self.token),
                mounts=(*python_mounts(PYTHON), *mounts),
                limits=Limits(**{"cpus": 1, "memory_bytes": 256 * MIB, "seconds": 60, **(limits or {})}),
                label=self.token,
                **job,
            )
        )

    def run(self, code: str, **job: Any) -> subprocess.CompletedProcess[str]:
        command = self.command(code, **job)
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def output(self, code: str, **job: Any) -> str:
        done = self.run(code, **job)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()

    def processes(self) -> list[str]:
        """The command lines of this job's living processes, as the host sees them."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if self.token in text:
                found.append(text)
        return found

    def cgroups(self) -> list[Path]:
        """The control groups of this job."""
        bases = {Path(controller.base) for controller in self.sandbox.controllers}
        return [folder for base in bases for folder in base.glob(f"mop-*{self.token}*")]
