"""A copy of the repository with an environment of its own, in which every process imports the copy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from fault import Fault, FaultError, changed_files

TEST_SECONDS = 60
"""Of one test without its set-up: a fault may make it hang."""
OTHERS_ENDED = 5

Outcomes = dict[str, tuple[str, int]]
"""How each test ended, and its tier."""


class Scratch:
    """The copy. The environment is made of hard links where the file system allows it; its paths are the copy's."""

    def __init__(self, repository: Path, folder: Path) -> None:
        self.root = folder / "mop"
        self._record = folder / "record.json"
        self._log = folder / "log"
        listed = subprocess.check_output(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=repository
        )
        for name in listed.decode().split("\0"):
            if name and (repository / name).is_file():
                target = self.root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(repository / name, target, follow_symlinks=False)
        _copy_environment(Path(sys.prefix), repository, self.root)

    @contextmanager
    def broken_by(self, fault: Fault) -> Iterator[None]:
        """The fault is in the copy while the block runs.

        Raises:
            FaultError: it does not fit the code.
        """
        texts = changed_files(fault, self.root)
        kept = {path: path.read_bytes() for path in texts}
        times = {path: path.stat() for path in texts}
        for path, text in texts.items():
            path.write_text(text)
            _forget_bytecode(path)
        try:
            yield
        finally:
            for path, content in kept.items():
                path.write_bytes(content)
                os.utime(path, ns=(times[path].st_atime_ns, times[path].st_mtime_ns))
                _forget_bytecode(path)

    def run(self, tests: Sequence[str], *, database: str, seconds: float) -> Outcomes:
        """Run tests in the copy, one after the other.

        Raises:
            FaultError: pytest did not run; the message ends with its last lines.
        """
        self._record.unlink(missing_ok=True)
        command = [self.root / ".venv/bin/python", "-m", "pytest", "-p", "faults.recorder", "-p", "no:cacheprovider"]
        command += ["-p", "no:randomly", "-n", "0", "-q", "--tb=short", f"--timeout={TEST_SECONDS}"]
        # the databases are made in the set-up of a test: the time of the run limits that
        command += ["-o", "timeout_func_only=true", *tests]
        with self._log.open("w") as log:
            process = subprocess.Popen(
                command, cwd=self.root, env=self._environment(database), stdout=log, stderr=log, start_new_session=True
            )
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                _end(process)
                raise FaultError(
                    f"{' '.join(tests)} did not end within {seconds:.0f} s:\n{self.last_lines()}"
                ) from None
            finally:
                _end(process)
        if not self._record.exists():
            raise FaultError(f"pytest ended with {process.returncode}:\n{self.last_lines()}")
        return {name: (outcome, tier) for name, (outcome, tier) in json.loads(self._record.read_text()).items()}

    def last_lines(self) -> str:
        """What the last run wrote at its end."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-40:])

    def _environment(self, database: str) -> Mapping[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTHONDONTWRITEBYTECODE"}}
        programs = [str(self.root / ".venv/bin"), inherited.get("PATH", ""), *_postgresql_folders()]
        return inherited | {
            "PATH": os.pathsep.join(programs),
            "PYTHONPATH": str(self.root / "tests"),
            "FAULTS_RECORD": str(self._record),
            "MOP_TEST_DATABASE": database,
        }


@contextmanager
def scratch(repository: Path) -> Iterator[Scratch]:
    """A copy that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mop-faults-"))
    folder.chmod(0o755)  # the cage's user reads MOP's own Python from here
    try:
        yield Scratch(repository, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_environment(environment: Path, repository: Path, root: Path) -> None:
    target = root / ".venv"
    shutil.copytree(environment, target, symlinks=True, copy_function=_link_or_copy)
    places = [*(target / "bin").iterdir(), *target.glob("lib/*/site-packages/*.pth")]
    for path in places:
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if str(repository).encode() in content and b"\0" not in content:
            mode = path.stat().st_mode
            path.unlink()  # the link; the file that it led to stays as it is
            path.write_bytes(content.replace(str(repository).encode(), str(root).encode()))
            path.chmod(mode)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _forget_bytecode(path: Path) -> None:
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def _postgresql_folders() -> list[str]:
    return [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"))]


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    try:
        process.wait(OTHERS_ENDED)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
