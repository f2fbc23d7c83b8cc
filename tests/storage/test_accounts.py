from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from mop.sources.storage_settings import storage_config
from mop.storage import (
    AccountKey,
    Anonymous,
    AzureAccount,
    ManagedIdentity,
    SasToken,
    ServicePrincipal,
    StorageConfig,
    WorkloadIdentity,
)
from mop.storage.accounts import read_accounts

CLIENT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
APPLICATION = {"tenant_id": "contoso.onmicrosoft.com", "client_id": CLIENT}
SECRET = "never-shown"


def read(**fields: Any) -> AzureAccount:
    [account] = read_accounts(json.dumps([{"name": "models", **fields}]))
    return account


@pytest.mark.parametrize(
    ("fields", "credential"),
    [
        ({"account_key": "c2VjcmV0"}, AccountKey("c2VjcmV0")),
        ({"sas": "?sv=1&sig=abc"}, SasToken("sv=1&sig=abc")),
        ({"anonymous": True}, Anonymous()),
        (
            {"service_principal": {**APPLICATION, "client_secret": SECRET}},
            ServicePrincipal("contoso.onmicrosoft.com", CLIENT, SECRET),
        ),
        (
            {"service_principal": {**APPLICATION, "certificate_file": "/c.pem", "certificate_password": SECRET}},
            ServicePrincipal("contoso.onmicrosoft.com", CLIENT, certificate_file="/c.pem", certificate_password=SECRET),
        ),
        ({"managed_identity": {}}, ManagedIdentity()),
        ({"managed_identity": {"client_id": CLIENT}}, ManagedIdentity(CLIENT)),
        (
            {"workload_identity": {**APPLICATION, "token_file": "/t", "authority": "https://login.example/"}},
            WorkloadIdentity("contoso.onmicrosoft.com", CLIENT, "/t", "https://login.example"),
        ),
    ],
)
def test_every_kind_of_credential_is_read_and_survives_the_way_to_the_job(
    fields: dict[str, Any], credential: object
) -> None:
    account = read(**fields, principal="mop reader", ca_file="/ca.pem", endpoint="https://models.example/")
    assert account == AzureAccount("models", "https://models.example", credential, "mop reader", "/ca.pem")  # type: ignore[arg-type]
    config = StorageConfig(azure_accounts=(account,))
    assert StorageConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert SECRET not in repr(config)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "exactly one of"),
        ({"anonymous": True, "sas": SECRET}, "exactly one of"),
        ({"anonymous": False}, "write true"),
        ({"account_key": ""}, "base64"),
        ({"account_key": SECRET}, "base64"),
        ({"sas": SECRET}, "sig="),
        ({"anonymous": True, "acount_key": SECRET}, "unknown field 'acount_key'"),
        ({"anonymous": True, "endpoint": "models.example"}, "endpoint must be a url"),
        ({"anonymous": True, "endpoint": f"https://u:{SECRET}@models.example"}, "endpoint must be a url"),
        ({"anonymous": True, "endpoint": f"https://models.example?sig={SECRET}"}, "endpoint must be a url"),
        ({"anonymous": True, "endpoint": "https://models.example:x"}, "endpoint must be a url"),
        ({"anonymous": True, "ca_file": "ca.pem"}, "ca_file must be an absolute path"),
        ({"anonymous": True, "principal": '"; rm -rf ~; "'}, "principal must be plain text"),
        ({"anonymous": True, "name": "Models"}, "name must be 3 to 24 lower-case"),
        ({"managed_identity": True}, "must be a JSON object"),
        ({"managed_identity": {"object_id": SECRET}}, "unknown field 'object_id'"),
        ({"managed_identity": {}, "endpoint": "http://models.example"}, "needs an https endpoint"),
        ({"service_principal": {**APPLICATION}}, "either client_secret or certificate_file"),
        (
            {"service_principal": {**APPLICATION, "client_secret": SECRET, "certificate_file": "/c"}},
            "either client_secret or certificate_file",
        ),
        (
            {"service_principal": {**APPLICATION, "client_secret": SECRET, "certificate_password": SECRET}},
            "needs certificate_file",
        ),
        ({"service_principal": {"client_id": CLIENT, "client_secret": SECRET}}, "tenant_id is missing"),
        ({"service_principal": {**APPLICATION, "tenant_id": "a/b", "client_secret": SECRET}}, "tenant_id must be"),
        ({"service_principal": {**APPLICATION, "client_id": SECRET, "client_secret": SECRET}}, "client_id must be"),
        ({"service_principal": {**APPLICATION, "client_secret": 12345}}, "client_secret must be text"),
        (
            {"service_principal": {**APPLICATION, "client_secret": SECRET, "authority": "http://login.example"}},
            "authority must be a url of https",
        ),
        ({"workload_identity": {**APPLICATION}}, "token_file is missing: an absolute path"),
        ({"workload_identity": {**APPLICATION, "token_file": "t", "x": SECRET}}, "unknown field 'x'"),
    ],
)
def test_what_can_not_be_used_is_named_and_no_value_is_repeated(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="account 1") as caught:
        read(**fields)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{", "not JSON"),
        (f'[{{"account_key": "{SECRET}", }}]', "not JSON"),
        ("{}", "JSON list"),
        ("[1]", "must be a JSON object"),
        ('[{"name": "models", "name": "others", "anonymous": true}]', "given twice"),
        ('[{"anonymous": true}]', "name is missing"),
        ('[{"name": "models", "anonymous": true}, {"name": "models", "managed_identity": {}}]', "listed twice"),
    ],
)
def test_a_text_that_is_no_list_of_accounts_is_refused(text: str, said: str, settings: Settings) -> None:
    settings.MOP_AZURE_ACCOUNTS = text
    with pytest.raises(ImproperlyConfigured, match="MOP_AZURE_ACCOUNTS") as caught:
        storage_config()
    assert said in str(caught.value)
    assert SECRET not in f"{caught.value}{caught.value.__cause__}"


def test_no_accounts_are_none(settings: Settings) -> None:
    settings.MOP_AZURE_ACCOUNTS = ""
    assert storage_config().azure_accounts == ()
