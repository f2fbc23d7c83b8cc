"""Compiles an environment once, because a read-only one would be compiled again at every start."""

from __future__ import annotations

import os
import stat
from pathlib import Path

# Runs with -I -S: no `.pth`, no sitecustomize, nothing of the environment is imported, only parsed.
SCRIPT = """
import compileall, os, sys
folder, sys.pycache_prefix = sys.argv[1:3]
workers = min(4, os.cpu_count() or 1)
try:
    compileall.compile_dir(folder, maxlevels=30, quiet=2, workers=workers)
except Exception:
    compileall.compile_dir(folder, maxlevels=30, quiet=2)
"""


def compile_arguments(library: Path, output: Path) -> tuple[str, ...]:
    """Arguments for the environment's Python: compile `library`, write below `output`."""
    return ("-I", "-S", "-c", SCRIPT, str(library), str(output))


def move_bytecode(library: Path, output: Path) -> int:
    """Move what `compile_arguments` wrote into the library's `__pycache__` folders; returns how many files."""
    library = library.resolve()
    compiled = output.joinpath(*library.parts[1:])
    moved = 0
    for folder, _, names in os.walk(compiled):
        source = library / Path(folder).relative_to(compiled)
        target = source / "__pycache__"
        # A build script may have left links: nothing is written through one.
        if not source.is_dir() or target.resolve() != target or (target.exists() and not target.is_dir()):
            continue
        for name in names:
            path = Path(folder, name)
            if name.endswith(".pyc") and stat.S_ISREG(path.lstat().st_mode):
                target.mkdir(exist_ok=True)
                path.replace(target / name)
                moved += 1
    return moved
