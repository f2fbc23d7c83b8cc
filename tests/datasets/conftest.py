"""Azure Blob storage for datasets."""

from support.azurite import azurite  # noqa: F401 - the fixture
