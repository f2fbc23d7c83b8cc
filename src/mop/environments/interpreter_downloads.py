"""Fetching a Python that a model asks for and this host lacks, where the operator allows it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mop.environments.commands import run_step
from mop.environments.config import EnvironmentConfig, Log
from mop.environments.installed import open_to_read
from mop.environments.interpreters import find_interpreters, has_minor
from mop.environments.locks import key_lock
from mop.environments.uv_errors import disk_error, last_lines
from mop.errors import InterpreterDownloadError

_UNKNOWN = re.compile(r"No download found|No interpreter found", re.IGNORECASE)
_HTTP_TIMEOUT_SECONDS = 60
_HINT = "The operator installs that Python, or checks MOP_PYTHON_DOWNLOADS, MOP_PYTHON_MIRROR and the network."


async def with_interpreter(wanted: str, config: EnvironmentConfig, *, log: Log) -> EnvironmentConfig:
    """The configuration with a Python of the minor of `wanted`, fetched if it is allowed and none is here.

    uv fetches it into `config.downloads.folder`, once for all builds, on the host and not in the cage: nothing of a
    model takes part. Its SHA-256 is checked against uv's list, or the operator's.

    Args:
        wanted: as settings.yml says, `3.12` or `3.12.4`.
        config: the installation's rules.
        log: gets uv's lines.

    Raises:
        InterpreterDownloadError: it could not be fetched.
        DiskFullError: the disk is full.
    """
    downloads = config.downloads
    if downloads is None or has_minor(wanted, config.interpreters):
        return config
    # beside the folder: in it, uv has a lock of its own
    async with key_lock(downloads.folder.with_name(f"{downloads.folder.name}.lock"), log=log):
        fetched = await asyncio.to_thread(_with_found, config, downloads.folder)
        if has_minor(wanted, fetched.interpreters):  # another build fetched it
            return fetched
        downloads.folder.mkdir(exist_ok=True)
        minor = ".".join(wanted.split(".")[:2])
        log(f"fetches Python {minor}, which this host lacks")
        try:
            async with asyncio.timeout(config.build_seconds):
                finished = await run_step(
                    [str(config.uv), "python", "install", "--no-bin", "--install-dir", str(downloads.folder), minor],
                    env=_environment(config, downloads.folder, downloads.mirror),
                    cwd=downloads.folder,
                    log=log,
                )
        except TimeoutError:
            raise InterpreterDownloadError(
                f"Python {minor} was not fetched within {config.build_seconds:.0f} s.", hint=_HINT
            ) from None
        if finished.status:
            raise _failed(minor, finished.status, finished.lines)
        await asyncio.to_thread(open_to_read, downloads.folder)
        return await asyncio.to_thread(_with_found, config, downloads.folder)


def _with_found(config: EnvironmentConfig, folder: Path) -> EnvironmentConfig:
    return replace(config, interpreters=(*config.interpreters, *find_interpreters([folder])))


def _environment(config: EnvironmentConfig, folder: Path, mirror: str | None) -> dict[str, str]:
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "UV_CACHE_DIR": str(folder / ".cache"),
        "UV_HTTP_RETRIES": str(config.index_retries),
        "UV_HTTP_TIMEOUT": str(_HTTP_TIMEOUT_SECONDS),
        "UV_NO_CONFIG": "1",
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "manual",
        "UV_SYSTEM_CERTS": "true",
    }
    if mirror:
        # a list names files and their SHA-256; anything else stands in for the host of uv's own list
        name = "UV_PYTHON_DOWNLOADS_JSON_URL" if mirror.endswith(".json") else "UV_PYTHON_INSTALL_MIRROR"
        variables[name] = mirror
    if config.certificates:
        variables["SSL_CERT_FILE"] = str(config.certificates)
    return variables


def _failed(minor: str, status: int, lines: Sequence[str]) -> Exception:
    text = "\n".join(lines)
    if full := disk_error(text):
        return full
    if _UNKNOWN.search(text):
        return InterpreterDownloadError(f"Python {minor} is not among the Pythons that can be fetched.", hint=_HINT)
    return InterpreterDownloadError(f"Python {minor} could not be fetched ({status}): {last_lines(lines)}", hint=_HINT)
