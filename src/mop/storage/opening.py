"""From a model url to the source that reads it."""

from __future__ import annotations

from mop.storage.config import StorageConfig
from mop.storage.file_source import FileSource
from mop.storage.source import Source
from mop.storage.urls import BlobLocation, parse_url


def open_source(url: str, config: StorageConfig) -> Source:
    """The source that reads a model url; nothing is fetched yet. Close it when done.

    Raises:
        ModelRevisionEmptyModelUrlError: no url is given.
        ModelUrlNotFoundError: it is not a url that names a folder.
        ModelUrlForbiddenError: the operator does not allow it, or it carries a credential.
    """
    location = parse_url(url, config)
    if isinstance(location, BlobLocation):
        from mop.storage.azure_source import AzureSource  # noqa: PLC0415  # the SDK takes most of a second to import

        return AzureSource(location, config.retry)
    return FileSource(location)
