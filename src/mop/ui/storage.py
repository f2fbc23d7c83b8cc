"""Static files under hashed, compressed names; under plain names before `collectstatic` ran (tests, development)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

from mop.ui.joined_files import ALL_SCRIPTS, ALL_STYLES, joined

logger = logging.getLogger(__name__)
_JOINED = (ALL_STYLES, ALL_SCRIPTS)


class _Compressor(Compressor):  # type: ignore[misc] # whitenoise is untyped
    """Gzip for every file, brotli too for the joined ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(use_brotli=False, **kwargs)
        self._of_joined = Compressor(**kwargs)

    def compress(self, path: str) -> list[str]:
        """The names of the compressed files that were written beside a file."""
        file = Path(path)
        is_joined = file.parent.joinpath(f"{file.name.partition('.')[0]}{file.suffix}").as_posix().endswith(_JOINED)
        return list(self._of_joined.compress(path) if is_joined else super().compress(path))


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise is untyped
    """Hashed names from the manifest of `collectstatic`; without a manifest, plain names and one line in the log."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plain = not self.hashed_files
        self.has_joined = ALL_STYLES in self.hashed_files
        if self._plain:
            logger.info("no manifest in %s: static files are served under plain names", self.location)

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:  # noqa: FBT001, FBT002 - the base class's signature
        """Hash and compress what was gathered, and the files that join some of it."""
        if not dry_run:
            for name, text in joined(lambda one: Path(self.path(one)).read_text(encoding="utf-8")).items():
                Path(self.path(name)).write_text(text, encoding="utf-8")
                paths[name] = (self, name)
        yield from super().post_process(paths, dry_run=dry_run, **options)

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Brotli beside gzip for what every page loads; for every file it made `collectstatic` four times as slow."""
        return _Compressor(**kwargs)

    def url(self, name: str | None, force: bool = False) -> str:  # noqa: FBT001, FBT002 - the base class's signature
        """The file's url."""
        if self._plain:
            return StaticFilesStorage.url(self, name)
        return str(super().url(name, force))
