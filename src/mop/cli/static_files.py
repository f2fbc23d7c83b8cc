"""Gathering the portal's static files: `python -m mop.cli.static_files [--for-package]`. Costly, so only on a change.

Hashing and compressing is done once, when MOP's package is built or installed from a checkout (`--for-package`); an
installation copies the result at its first start. Where the sources are others than those of the package, as while
somebody edits a style sheet, the installation gathers them itself.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from mop.cli.installation import open_settings

OF_PACKAGE = Path(__file__).parents[1] / "gathered_static"
STAMP = ".gathered"
# the second documentation page of the API library: 4 MB that no page of ours links to
IGNORED = ("redoc*",)
# source maps are for debuggers: compressing them took most of the time
UNCOMPRESSED = ("map",)


def gather_static_files() -> bool:
    """Bring hashed and compressed static files below STATIC_ROOT; False when they stood already."""
    from django.conf import settings

    root, fingerprint = Path(settings.STATIC_ROOT), _fingerprint()
    if _stamp(root) == fingerprint:
        return False
    (root / STAMP).unlink(missing_ok=True)
    if _stamp(OF_PACKAGE) == fingerprint:
        shutil.copytree(OF_PACKAGE, root, ignore=shutil.ignore_patterns(STAMP), dirs_exist_ok=True)
    else:
        _collect()
    (root / STAMP).write_text(fingerprint, encoding="ascii")
    return True


def gather_for_package() -> None:
    """Write them into the package itself, whatever stood there."""
    from django.conf import settings

    if _stamp(OF_PACKAGE) == (fingerprint := _fingerprint()):
        return
    shutil.rmtree(OF_PACKAGE, ignore_errors=True)
    settings.STATIC_ROOT = str(OF_PACKAGE)
    _collect()
    (OF_PACKAGE / STAMP).write_text(fingerprint, encoding="ascii")


def _collect() -> None:
    from django.conf import settings
    from django.core.management import call_command
    from whitenoise.compress import Compressor

    settings.WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, *UNCOMPRESSED)
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=list(IGNORED))


def _stamp(folder: Path) -> str | None:
    try:
        return (folder / STAMP).read_text(encoding="ascii")
    except FileNotFoundError:
        return None


def _fingerprint() -> str:
    """By content: times of files are others after an installation."""
    digest = hashlib.sha256()
    for name, path in sorted(_sources()):
        digest.update(f"{name}\0".encode() + hashlib.sha256(Path(path).read_bytes()).digest())
    return digest.hexdigest()


def _sources() -> Iterator[tuple[str, str]]:
    from django.contrib.staticfiles.finders import get_finders

    from mop.ui import joined_files

    yield "what is joined", joined_files.__file__
    for finder in get_finders():
        for name, storage in finder.list(list(IGNORED)):
            yield name, storage.path(name)


def gather() -> None:
    """Write the static files if they changed; the settings are open."""
    logging.getLogger("mop.ui.storage").setLevel(logging.WARNING)  # that there is no manifest yet is why we are here
    gather_static_files()


def main(arguments: list[str]) -> None:
    """What the module does as a command."""
    open_settings()
    logging.getLogger("mop.ui.storage").setLevel(logging.WARNING)
    if arguments == ["--for-package"]:
        gather_for_package()
    else:
        gather_static_files()


if __name__ == "__main__":
    main(sys.argv[1:])
