"""`mop_client.cli.credentials`, for the commands that stand in the server's package."""

from __future__ import annotations

from mop_client.cli.credentials import load_credentials, normalise_url, save_credentials
from mop_client.credentials import Credentials, credentials_path

__all__ = ["Credentials", "credentials_path", "load_credentials", "normalise_url", "save_credentials"]
