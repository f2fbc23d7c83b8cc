from __future__ import annotations

from pathlib import Path

import pytest

from mop.errors import NotAuthenticatedError, ValidationFailedError
from mop_client.cli.credentials import load_credentials, normalise_url, save_credentials
from mop_client.credentials import Credentials, credentials_path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("MOP_URL", raising=False)
    monkeypatch.delenv("MOP_TOKEN", raising=False)


def test_the_file_is_for_its_user_alone_even_when_an_open_one_stood_there():
    path = credentials_path()
    path.parent.mkdir()
    path.write_text("{}")
    path.chmod(0o644)
    save_credentials(Credentials("https://a", "mop_1"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_credentials() == Credentials("https://a", "mop_1")
    assert [one.name for one in path.parent.iterdir()] == ["credentials.json"]


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch):
    save_credentials(Credentials("https://a", "mop_1"))
    monkeypatch.setenv("MOP_URL", "https://b/")
    monkeypatch.setenv("MOP_TOKEN", "mop_2")
    assert load_credentials() == Credentials("https://b", "mop_2")


def test_a_kept_token_is_never_lent_to_another_server(monkeypatch: pytest.MonkeyPatch):
    save_credentials(Credentials("https://a", "mop_1"))
    monkeypatch.setenv("MOP_URL", "https://b")
    with pytest.raises(NotAuthenticatedError, match="No token is known"):
        load_credentials()


def test_without_credentials_the_hint_says_how_to_get_them():
    with pytest.raises(NotAuthenticatedError) as caught:
        load_credentials()
    assert "mop login" in caught.value.hint


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"url": "https://a"}', "\udcff"])
def test_a_broken_file_is_named(content: str):
    path = credentials_path()
    path.parent.mkdir()
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(NotAuthenticatedError, match="credentials"):
        load_credentials()


@pytest.mark.parametrize(
    "text", ["https://mop.example.com/", " https://mop.example.com ", "https://mop.example.com/api/v1"]
)
def test_addresses_are_normalised(text: str):
    assert normalise_url(text) == "https://mop.example.com"


@pytest.mark.parametrize(
    "text", ["", "mop.example.com", "ftp://x", "https://u:p@x", "https://", "https://x?y", "file:///x"]
)
def test_other_addresses_are_refused(text: str):
    with pytest.raises(ValidationFailedError):
        normalise_url(text)
