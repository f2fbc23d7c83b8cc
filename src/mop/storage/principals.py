"""Who reads a model url: what the form shows, and what a refusal names."""

from __future__ import annotations

import os
import pwd

from mop.errors import ModelUrlForbiddenError
from mop.storage.config import AzureAccount, StorageConfig
from mop.storage.credentials import AccountKey, ManagedIdentity, SasToken, ServicePrincipal, WorkloadIdentity
from mop.storage.urls import BlobLocation, parse_url

READER_ROLE = "Storage Blob Data Reader"


def principal(config: StorageConfig, url: str) -> str:
    """Which principal of this installation reads the url.

    Raises:
        ModelRevisionEmptyModelUrlError, ModelUrlNotFoundError, ModelUrlForbiddenError: as `parse_url`.
    """
    location = parse_url(url, config)
    return blob_principal(location.account) if isinstance(location, BlobLocation) else file_principal()


def blob_principal(account: AzureAccount) -> str:
    """The identity that MOP shows to a storage account."""
    return account.principal or _of_credential(account)


def _of_credential(account: AzureAccount) -> str:
    match account.credential:
        case ServicePrincipal(client_id=client_id):
            who = f"the service principal {client_id}"
        case WorkloadIdentity(client_id=client_id):
            who = f"the workload identity {client_id}"
        case ManagedIdentity(client_id=client_id):
            who = f"the managed identity {client_id or 'of the machine that MOP runs on'}"
        case AccountKey():
            who = f"the account key of {account.name} in this installation's settings"
        case SasToken():
            who = f"the shared access signature for {account.name} in this installation's settings"
        case _:
            who = f"anonymous (no credential is configured for {account.name})"
    return who


def file_principal() -> str:
    """The operating system user that MOP runs as."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user with uid {uid}"
    return f"the user {name} (uid {uid})"


def grant_command(location: BlobLocation) -> str:
    """The command that lets this installation's principal read the container."""
    account = location.account
    assignee = account.principal or getattr(account.credential, "client_id", "") or "<principal of MOP>"
    return (
        f'az role assignment create --role "{READER_ROLE}" --assignee "{assignee}" '
        f"--scope /subscriptions/<subscription>/resourceGroups/<group>/providers/Microsoft.Storage"
        f"/storageAccounts/{account.name}/blobServices/default/containers/{location.container}"
    )


def forbidden(location: BlobLocation, reason: str) -> ModelUrlForbiddenError:
    """The error for a container that the storage does not let MOP read."""
    who = blob_principal(location.account)
    return ModelUrlForbiddenError(
        f"{location} may not be read ({reason}): the principal of this installation, {who}, needs the role "
        f"{READER_ROLE} on the container {location.container}.",
        hint=f"Grant it: {grant_command(location)}",
    )
