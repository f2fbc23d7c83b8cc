from __future__ import annotations

from pathlib import Path

import pytest

from mop.errors import ModelRevisionEmptyModelUrlError, ModelUrlForbiddenError, ModelUrlNotFoundError, MopError
from mop.storage import AccountKey, AzureAccount, SasToken, StorageConfig, open_source, parse_url, principal
from mop.storage.urls import BlobLocation, FileLocation

AZURITE = AzureAccount("devstoreaccount1", "http://127.0.0.1:10000/devstoreaccount1")
CONFIG = StorageConfig(
    file_roots=(Path("/srv/models"),), azure_accounts=(AzureAccount("raimodels", credential=AccountKey("key")), AZURITE)
)


@pytest.mark.parametrize(
    ("url", "container", "prefix"),
    [
        ("https://raimodels.blob.core.windows.net/models/hate/v1", "models", "hate/v1/"),
        ("https://raimodels.blob.core.windows.net/models/hate/v1/", "models", "hate/v1/"),
        (" HTTPS://RaiModels.blob.core.windows.net:443/models/hate ", "models", "hate/"),
        ("https://raimodels.blob.core.windows.net/models", "models", ""),
        ("https://raimodels.blob.core.windows.net/models/my%20model%2B%C3%A9", "models", "my model+é/"),
        ("https://raimodels.blob.core.windows.net/models/my model", "models", "my model/"),
        ("http://127.0.0.1:10000/devstoreaccount1/models/hate", "models", "hate/"),
    ],
)
def test_a_blob_url_is_normalised(url: str, container: str, prefix: str) -> None:
    location = parse_url(url, CONFIG)
    assert isinstance(location, BlobLocation)
    assert (location.container, location.prefix) == (container, prefix)


@pytest.mark.parametrize("url", ["file:///srv/models/hate", "file:///srv/models/hate/", "FILE:///srv/models/ha%74e"])
def test_a_file_url_is_normalised(url: str) -> None:
    assert parse_url(url, CONFIG) == FileLocation(root=Path("/srv/models"), parts=("hate",))


def test_a_path_is_answered_with_the_url_that_it_would_be() -> None:
    with pytest.raises(ModelUrlNotFoundError) as caught:
        parse_url("/srv/models/my model", CONFIG)
    assert caught.value.hint == "Write it as file:///srv/models/my%20model."
    assert parse_url(caught.value.hint.split()[-1].rstrip("."), CONFIG) == FileLocation(
        root=Path("/srv/models"), parts=("my model",)
    )


@pytest.mark.parametrize("url", ["", "   ", "\n"])
def test_an_empty_url_has_its_own_error(url: str) -> None:
    with pytest.raises(ModelRevisionEmptyModelUrlError):
        parse_url(url, CONFIG)


BASE = "https://raimodels.blob.core.windows.net"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("models/hate", "no scheme"),
        ("https:models/hate", "no scheme"),
        (f"{BASE}/models/hate?restype=container", "query"),
        (f"{BASE}/models/hate#x", "fragment"),
        (f"{BASE}/models/../secret", "'..'"),
        (f"{BASE}/models/./x", "'.'"),
        (f"{BASE}/models//x", "empty segment"),
        (f"{BASE}//models/x", "absolute"),
        (f"{BASE}/models/x//", "empty segment"),
        (f"{BASE}/models/%2e%2e/x", "hides a dot"),
        (f"{BASE}/models/a%2Fb", "hides a dot, slash"),
        (f"{BASE}/models/a%5cb", "hides"),
        (f"{BASE}/models/a%252fb", "hides"),
        (f"{BASE}/models/a%00b", "hides"),
        (f"{BASE}/models/a%0Ab", "control character"),
        (f"{BASE}/models/a%zz", "hexadecimal"),
        (f"{BASE}/models/a%ff", "UTF-8"),
        (f"{BASE}/models/a\\b", "backslash"),
        (f"{BASE}/mod\nels/a", "line break"),
        (f"{BASE}/models/{'a' * 5000}", "4096"),
        (f"{BASE}/", "no container"),
        (f"{BASE}/Models/x", "container"),
        (f"{BASE}/ab/x", "container"),
        (f"{BASE}/a--b/x", "container"),
        (f"{BASE}/$root/x", "container"),
        ("https://raimodels.blob.core.windows.net:x/models", "port"),
        ("https://[::1/models", "host or port"),
        ("file://srv/models/hate", "three slashes"),
        ("file:///srv/models/../../etc", "'..'"),
        ("file:///srv/models/%2e%2e/etc", "hides"),
    ],
)
def test_a_malformed_url_is_not_found_with_its_reason(url: str, said: str) -> None:
    with pytest.raises(ModelUrlNotFoundError) as caught:
        parse_url(url, CONFIG)
    assert said in caught.value.message
    assert "<account>.blob.core.windows.net" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://raimodels.blob.core.windows.net/models/x", "scheme"),
        ("http://raimodels.blob.core.windows.net/models/x", "allowed accounts"),
        ("https://raimodels.blob.core.windows.net:444/models/x", "allowed accounts"),
        ("https://raimodels.blob.core.windows.net.evil.example/models/x", "allowed accounts"),
        ("https://raimodels.blob.core.windows.net./models/x", "allowed accounts"),
        ("https://other.blob.core.windows.net/models/x", "allowed accounts"),
        ("https://169.254.169.254/metadata/identity", "allowed accounts"),
        ("http://127.0.0.1:10000/otheraccount/models", "allowed accounts"),
        ("http://127.0.0.1:10001/devstoreaccount1/models", "allowed accounts"),
        ("http://127.0.0.1:10000/devstoreaccount11/models", "allowed accounts"),
        ("file:///etc", "not under an allowed root"),
        ("file:///srv/models2/hate", "not under an allowed root"),
        ("file:///", "not under an allowed root"),
    ],
)
def test_what_the_operator_does_not_allow_is_forbidden(url: str, said: str) -> None:
    with pytest.raises(ModelUrlForbiddenError) as caught:
        open_source(url, CONFIG)
    assert said in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        f"{BASE}/models/x?sv=2024-01-01&se=2030&sp=rl&sig=SECRETSIGNATURE%3D",
        "https://user:SECRETSIGNATURE@raimodels.blob.core.windows.net/models/x",
        "https://SECRETSIGNATURE@raimodels.blob.core.windows.net/models/x",
        f"{BASE}/models/x?SIG=SECRETSIGNATURE",
        "https://elsewhere.example/models/x?sig=SECRETSIGNATURE",
        f"{BASE}/models/x?token=SECRETSIGNATURE",
    ],
)
def test_a_secret_in_the_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(MopError) as caught:
        parse_url(url, CONFIG)
    assert isinstance(caught.value, ModelUrlForbiddenError | ModelUrlNotFoundError)
    assert "SECRETSIGNATURE" not in str(caught.value.to_dict())


def test_without_roots_and_accounts_nothing_is_read() -> None:
    for url in ("file:///srv/models/hate", f"{BASE}/models/hate"):
        with pytest.raises(ModelUrlForbiddenError):
            parse_url(url, StorageConfig())


def test_a_root_that_is_a_symbolic_link_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "real/model").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    config = StorageConfig(file_roots=(tmp_path / "link",))
    expected = FileLocation(root=tmp_path / "real", parts=("model",))
    assert parse_url(f"file://{tmp_path}/link/model", config) == expected
    assert parse_url(f"file://{tmp_path}/real/model", config) == expected


def test_the_principal_of_a_url_is_named_for_the_form() -> None:
    named = AzureAccount("one", principal="0b7c-mop")
    sas = AzureAccount("two", credential=SasToken("sig=SECRET"))
    config = StorageConfig(file_roots=(Path("/srv"),), azure_accounts=(named, sas, *CONFIG.azure_accounts))
    assert principal(config, "https://one.blob.core.windows.net/models") == "0b7c-mop"
    assert "shared access signature for two" in principal(config, "https://two.blob.core.windows.net/models")
    assert "account key of raimodels" in principal(config, f"{BASE}/models")
    assert "anonymous" in principal(config, "http://127.0.0.1:10000/devstoreaccount1/models")
    assert "uid" in principal(config, "file:///srv/x")


def test_secrets_do_not_appear_in_the_configuration_s_text_but_survive_its_json() -> None:
    config = StorageConfig(
        file_roots=(Path("/srv"),),
        azure_accounts=(
            AzureAccount("one", credential=AccountKey("SECRET1")),
            AzureAccount("two", "http://x/two", SasToken("SECRET2"), "me"),
            AzureAccount("three"),
        ),
    )
    assert "SECRET" not in repr(config)
    assert StorageConfig.from_json(config.to_json()) == config
