"""What the operator allows to be read, with which credentials, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mop.storage.credentials import Anonymous, Credential, credential_from_json, credential_to_json

GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class AzureAccount:
    """One storage account that model urls may name.

    Attributes:
        name: the account's name.
        endpoint: the blob endpoint; empty means `https://<name>.blob.core.windows.net`.
        credential: what MOP shows to the account.
        principal: how the operator calls MOP's identity (an object id, best), for messages and the form.
        ca_file: certificates (PEM) that sign the endpoint and the authority; empty: those that the machine trusts.
    """

    name: str
    endpoint: str = ""
    credential: Credential = field(default_factory=Anonymous)
    principal: str = ""
    ca_file: str = ""

    @property
    def url(self) -> str:
        """The endpoint without a trailing slash."""
        return (self.endpoint or f"https://{self.name}.blob.core.windows.net").rstrip("/")


@dataclass(frozen=True)
class RetryPolicy:
    """How long a source is asked before it counts as unavailable; times in seconds.

    Attributes:
        attempts: tries beyond the first for each request.
        first_backoff_s: the pause before the first further try, doubled each time.
        connect_timeout_s: for a connection.
        read_timeout_s: without a byte.
        forbidden_delays_s: pauses before a refused listing is asked again, as role grants arrive late.
        retry_after_max_s: the longest wait that a busy storage may ask for; asked for more, MOP gives up at once.
    """

    attempts: int = 4
    first_backoff_s: float = 0.5
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    forbidden_delays_s: tuple[float, ...] = (5.0, 15.0, 30.0)
    retry_after_max_s: float = 60.0


@dataclass(frozen=True)
class StorageConfig:
    """The roots and accounts that model urls may lie under; every other url is refused unasked."""

    file_roots: tuple[Path, ...] = ()
    azure_accounts: tuple[AzureAccount, ...] = ()
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def to_json(self) -> dict[str, Any]:
        """The JSON form, credentials included: for the standard input of the snapshot job only."""
        return {
            "file_roots": [str(root) for root in self.file_roots],
            "azure_accounts": [
                {
                    "name": account.name,
                    "endpoint": account.endpoint,
                    "credential": credential_to_json(account.credential),
                    "principal": account.principal,
                    "ca_file": account.ca_file,
                }
                for account in self.azure_accounts
            ],
            "retry": {**vars(self.retry), "forbidden_delays_s": list(self.retry.forbidden_delays_s)},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StorageConfig:
        """Read back what `to_json` wrote."""
        retry = dict(data.get("retry") or {})
        if "forbidden_delays_s" in retry:
            retry["forbidden_delays_s"] = tuple(retry["forbidden_delays_s"])
        return cls(
            file_roots=tuple(Path(root) for root in data.get("file_roots") or ()),
            azure_accounts=tuple(
                AzureAccount(
                    name=account["name"],
                    endpoint=account.get("endpoint", ""),
                    credential=credential_from_json(account["credential"]),
                    principal=account.get("principal", ""),
                    ca_file=account.get("ca_file", ""),
                )
                for account in data.get("azure_accounts") or ()
            ),
            retry=RetryPolicy(**retry),
        )


@dataclass(frozen=True)
class SnapshotLimits:
    """Caps of one snapshot; a folder over one of them is refused before a byte of it is read."""

    files: int = 10_000
    total_bytes: int = 20 * GIGABYTE
    file_bytes: int = 20 * GIGABYTE
