"""Where anything may be read from at all: the file roots and storage accounts of this installation."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from mop.storage.accounts import read_accounts
from mop.storage.config import StorageConfig


def storage_config() -> StorageConfig:
    """The configured file roots and storage accounts.

    Raises:
        ImproperlyConfigured: MOP_AZURE_ACCOUNTS cannot be used; the message repeats no value.
    """
    try:
        accounts = read_accounts(settings.MOP_AZURE_ACCOUNTS or "[]")
    except ValueError as error:
        raise ImproperlyConfigured(f"MOP_AZURE_ACCOUNTS: {error}") from None
    return StorageConfig(file_roots=tuple(settings.MOP_FILE_ROOTS), azure_accounts=accounts)
