"""Gathering the portal's static files: `python -m mop.cli.static_files`. Costly, so only when they changed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

from mop.cli.installation import open_settings

STAMP = ".gathered"
# the second documentation page of the API library: 4 MB that no page of ours links to
IGNORED = ("redoc*",)
# source maps are for debuggers: compressing them took most of the time
UNCOMPRESSED = ("map",)


def gather_static_files() -> bool:
    """Write hashed and compressed static files below STATIC_ROOT; False when they stood already."""
    from django.conf import settings
    from django.core.management import call_command
    from whitenoise.compress import Compressor

    root = Path(settings.STATIC_ROOT)
    stamp, fingerprint = root / STAMP, _fingerprint()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == fingerprint:
        return False
    settings.WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, *UNCOMPRESSED)
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=list(IGNORED))
    stamp.write_text(fingerprint, encoding="ascii")
    return True


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for name, path in sorted(_sources()):
        status = Path(path).stat()
        digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _sources() -> Iterator[tuple[str, str]]:
    from django.contrib.staticfiles.finders import get_finders

    for finder in get_finders():
        for name, storage in finder.list(list(IGNORED)):
            yield name, storage.path(name)


def gather() -> None:
    """Write the static files if they changed; the settings are open."""
    logging.getLogger("mop.ui.storage").setLevel(logging.WARNING)  # that there is no manifest yet is why we are here
    gather_static_files()


if __name__ == "__main__":
    open_settings()
    gather()
