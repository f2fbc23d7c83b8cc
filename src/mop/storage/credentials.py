"""What MOP shows to a storage account. Secrets stay out of `repr`, and so out of logs and tracebacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

PUBLIC_AUTHORITY = "https://login.microsoftonline.com"


@dataclass(frozen=True)
class AccountKey:
    """A storage account's shared key."""

    key: str = field(repr=False)


@dataclass(frozen=True)
class SasToken:
    """A shared access signature of the account or container, with read and list permission."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class Anonymous:
    """No credential: containers with public access only."""


@dataclass(frozen=True)
class ServicePrincipal:
    """An application of Microsoft Entra ID with a secret or a certificate.

    Attributes:
        tenant_id: the directory's id or domain.
        client_id: the application's id.
        client_secret: empty with a certificate.
        certificate_file: a PEM or PKCS#12 file with certificate and RSA key; read anew by each snapshot.
        certificate_password: of that file; empty for none.
        authority: who issues tokens; sovereign clouds have their own.
    """

    tenant_id: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    certificate_file: str = ""
    certificate_password: str = field(default="", repr=False)
    authority: str = PUBLIC_AUTHORITY


@dataclass(frozen=True)
class ManagedIdentity:
    """The identity that Azure gives to the machine MOP runs on; with a client id a user-assigned one of it."""

    client_id: str = ""


@dataclass(frozen=True)
class WorkloadIdentity:
    """A Kubernetes service account federated with an application of Microsoft Entra ID.

    Attributes:
        tenant_id: the directory's id or domain.
        client_id: the application's or user-assigned identity's id.
        token_file: the projected service account token; Kubernetes renews it.
        authority: who issues tokens; sovereign clouds have their own.
    """

    tenant_id: str
    client_id: str
    token_file: str
    authority: str = PUBLIC_AUTHORITY


TokenCredential = ServicePrincipal | ManagedIdentity | WorkloadIdentity
Credential = AccountKey | SasToken | Anonymous | TokenCredential

_KINDS: dict[str, type[Credential]] = {
    "account_key": AccountKey,
    "sas": SasToken,
    "anonymous": Anonymous,
    "service_principal": ServicePrincipal,
    "managed_identity": ManagedIdentity,
    "workload_identity": WorkloadIdentity,
}


def credential_to_json(credential: Credential) -> dict[str, Any]:
    """The JSON form, secrets included: for the standard input of the snapshot job only."""
    [kind] = [kind for kind, of_kind in _KINDS.items() if isinstance(credential, of_kind)]
    return {kind: asdict(credential)}


def credential_from_json(data: Mapping[str, Any]) -> Credential:
    """Read what `credential_to_json` wrote."""
    [(kind, values)] = data.items()
    return _KINDS[kind](**values)
