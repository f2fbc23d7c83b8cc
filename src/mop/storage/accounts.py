"""The text of MOP_AZURE_ACCOUNTS, read strictly: a typing error must not end in a credential that is never used.

A JSON list with one object for each storage account:

    {"name": "models", "account_key": "..."}
    {"name": "models", "sas": "sv=...&sig=..."}
    {"name": "models", "anonymous": true}
    {"name": "models", "service_principal": {"tenant_id": "...", "client_id": "...", "client_secret": "..."}}
    {"name": "models", "service_principal": {"tenant_id": "...", "client_id": "...", "certificate_file": "/...",
                                             "certificate_password": "..."}}
    {"name": "models", "managed_identity": {}}          or {"client_id": "..."} for a user-assigned one
    {"name": "models", "workload_identity": {"tenant_id": "...", "client_id": "...", "token_file": "/..."}}

Each may have "endpoint", "principal" (how messages call MOP's identity) and "ca_file"; a service principal or workload
identity may have "authority". No message repeats a value.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import urlsplit

from mop.storage.config import AzureAccount
from mop.storage.credentials import (
    PUBLIC_AUTHORITY,
    AccountKey,
    Anonymous,
    Credential,
    ManagedIdentity,
    SasToken,
    ServicePrincipal,
    TokenCredential,
    WorkloadIdentity,
)

_KINDS = ("account_key", "sas", "anonymous", "service_principal", "managed_identity", "workload_identity")
_COMMON = ("name", "endpoint", "principal", "ca_file")
_NAME = re.compile(r"[a-z0-9]{3,24}")
_CLIENT_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_PRINCIPAL = re.compile(r"[^\x00-\x1f\x7f\"'`$\\<>]{1,200}")  # stands in a command that people paste into a shell


def read_accounts(text: str) -> tuple[AzureAccount, ...]:
    """The storage accounts that the text lists.

    Raises:
        ValueError: names the account and the field that cannot be used, never a value.
    """
    try:
        entries = json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg}, line {error.lineno} column {error.colno}") from None
    if not isinstance(entries, list):
        _refuse("the whole", 'write a JSON list such as [{"name": "models", "managed_identity": {}}]')
    accounts = tuple(_account(entry, f"account {number}") for number, entry in enumerate(entries, 1))
    for number, account in enumerate(accounts, 1):
        if any(other.url == account.url for other in accounts[: number - 1]):
            _refuse(f"account {number} ({account.name})", "its endpoint is listed twice")
    return accounts


def _account(entry: object, where: str) -> AzureAccount:
    fields = _object(entry, where)
    name = _text(fields, "name", where, _NAME, "3 to 24 lower-case letters and digits")
    where = f"{where} ({name})"
    _only(fields, (*_COMMON, *_KINDS), where)
    kinds = [kind for kind in _KINDS if kind in fields]
    if len(kinds) != 1:
        _refuse(where, f"give exactly one of {', '.join(_KINDS)}")
    credential = _credential(kinds[0], fields[kinds[0]], where)
    endpoint = _endpoint(fields, where)
    if isinstance(credential, TokenCredential) and endpoint.startswith("http:"):
        _refuse(where, f"{kinds[0]} needs an https endpoint: a token must not travel in the clear")
    return AzureAccount(
        name=name,
        endpoint=endpoint,
        credential=credential,
        principal=_text(fields, "principal", where, _PRINCIPAL, "plain text without quotes", default=""),
        ca_file=_file(fields, "ca_file", where, default=""),
    )


def _credential(kind: str, value: object, where: str) -> Credential:
    where = f"{where}, {kind}"
    if kind == "anonymous":
        if value is not True:
            _refuse(where, "write true")
        return Anonymous()
    if kind == "account_key":
        return AccountKey(_account_key(value, where))
    if kind == "sas":
        return SasToken(_sas(value, where))
    fields = _object(value, where)
    if kind == "managed_identity":
        _only(fields, ("client_id",), where)
        return ManagedIdentity(_client_id(fields, where, default=""))
    if kind == "workload_identity":
        return _workload_identity(fields, where)
    return _service_principal(fields, where)


def _service_principal(fields: Mapping[str, Any], where: str) -> ServicePrincipal:
    _only(
        fields,
        ("tenant_id", "client_id", "client_secret", "certificate_file", "certificate_password", "authority"),
        where,
    )
    if ("client_secret" in fields) == ("certificate_file" in fields):
        _refuse(where, "give either client_secret or certificate_file")
    if "certificate_password" in fields and "certificate_file" not in fields:
        _refuse(where, "certificate_password needs certificate_file")
    return ServicePrincipal(
        tenant_id=_text(fields, "tenant_id", where, _TENANT, "the directory's id or domain"),
        client_id=_client_id(fields, where),
        client_secret=_text(fields, "client_secret", where, default=""),
        certificate_file=_file(fields, "certificate_file", where, default=""),
        certificate_password=_text(fields, "certificate_password", where, default=""),
        authority=_authority(fields, where),
    )


def _workload_identity(fields: Mapping[str, Any], where: str) -> WorkloadIdentity:
    _only(fields, ("tenant_id", "client_id", "token_file", "authority"), where)
    return WorkloadIdentity(
        tenant_id=_text(fields, "tenant_id", where, _TENANT, "the directory's id or domain"),
        client_id=_client_id(fields, where),
        token_file=_file(fields, "token_file", where),
        authority=_authority(fields, where),
    )


def _account_key(value: object, where: str) -> str:
    if not isinstance(value, str) or not _is_base64(value):
        _refuse(where, "it must be the account's key in base64")
    return value


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _sas(value: object, where: str) -> str:
    token = value.removeprefix("?") if isinstance(value, str) else ""
    if not re.search(r"(?:^|&)sig=[^&]", token) or not token.isprintable() or " " in token:
        _refuse(where, "it must be a signature's query, with sig=")
    return token


def _client_id(fields: Mapping[str, Any], where: str, *, default: str | None = None) -> str:
    return _text(fields, "client_id", where, _CLIENT_ID, "the application's id (a GUID)", default=default)


def _authority(fields: Mapping[str, Any], where: str) -> str:
    if "authority" not in fields:
        return PUBLIC_AUTHORITY
    return _url(fields["authority"], "authority", ("https",), where)


def _endpoint(fields: Mapping[str, Any], where: str) -> str:
    return _url(fields["endpoint"], "endpoint", ("https", "http"), where) if "endpoint" in fields else ""


def _url(value: object, field: str, schemes: Sequence[str], where: str) -> str:
    text = value if isinstance(value, str) and value.isprintable() else ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in schemes and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment or "\\" in text or " " in text:
        _refuse(where, f"{field} must be a url of {' or '.join(schemes)} with a host and nothing behind the path")
    return text.rstrip("/")


def _file(fields: Mapping[str, Any], field: str, where: str, *, default: str | None = None) -> str:
    return _text(fields, field, where, re.compile(r"/[^\x00]*"), "an absolute path", default=default)


def _text(
    fields: Mapping[str, Any],
    field: str,
    where: str,
    shape: re.Pattern[str] = re.compile(r"(?s).+"),
    what: str = "text",
    *,
    default: str | None = None,
) -> str:
    if default is not None and field not in fields:
        return default
    value = fields.get(field)
    if not isinstance(value, str) or not shape.fullmatch(value):
        _refuse(where, f"{field} must be {what}" if field in fields else f"{field} is missing: {what}")
    return value


def _only(fields: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    if unknown := sorted(set(fields) - set(known)):
        _refuse(where, f"unknown field {unknown[0][:40]!a}; known are {', '.join(known)}")


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _refuse(where, "it must be a JSON object")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field is given twice in one object")
    return fields


def _refuse(where: str, why: str) -> NoReturn:
    raise ValueError(f"{where}: {why}")
