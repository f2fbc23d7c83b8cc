"""MOP_HOME: the folder that holds an embedded installation."""

from __future__ import annotations

import os
import secrets
import tempfile
import zlib
from pathlib import Path

from mop.conf.option_values import SOCKET_FOLDER_BYTES_MAX


def find_home(environment: dict[str, str] | os._Environ[str]) -> Path:
    """MOP_HOME, or `mop` below XDG_DATA_HOME (default ~/.local/share)."""
    if text := environment.get("MOP_HOME"):
        return Path(text).expanduser().absolute()
    data = environment.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "mop"


def runtime_folder(environment: dict[str, str] | os._Environ[str], home: Path) -> Path:
    """A short, private folder for sockets: their path may be 107 bytes long at most."""
    base = environment.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    # one installation, one folder: two installations of one user do not meet
    mark = format(hash_of(str(home)), "08x")
    name = f"mop-{os.getuid()}-{mark}"
    folder = Path(base) / name
    return folder if len(os.fsencode(folder)) <= SOCKET_FOLDER_BYTES_MAX else Path("/tmp") / name  # noqa: S108 - the same name in a shorter place


def hash_of(text: str) -> int:
    """A stable 32-bit number of a text."""
    return zlib.crc32(text.encode())


def keep_secret(home: Path) -> str:
    """The installation's secret key, made at first use and readable by its user alone."""
    path = home / "secret-key"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = secrets.token_urlsafe(48)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process of the installation was first
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret)
    return secret
