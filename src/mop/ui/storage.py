"""Static files under hashed, compressed names; under plain names before `collectstatic` ran (tests, development)."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

logger = logging.getLogger(__name__)


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise is untyped
    """Hashed names from the manifest of `collectstatic`; without a manifest, plain names and one line in the log."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plain = not self.hashed_files
        if self._plain:
            logger.info("no manifest in %s: static files are served under plain names", self.location)

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Gzip alone: brotli at its highest level made `collectstatic` four times as slow, at the first `mop up`."""
        return Compressor(use_brotli=False, **kwargs)

    def url(self, name: str | None, force: bool = False) -> str:  # noqa: FBT001, FBT002 - the base class's signature
        """The file's url."""
        if self._plain:
            return StaticFilesStorage.url(self, name)
        return str(super().url(name, force))
