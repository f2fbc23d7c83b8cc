"""Addresses of the pages, and how a person gets them."""

from __future__ import annotations

from mop.accounts.models import User
from support.browsing import client_of

VERSION = "/models/toxicity/versions/v1.0.0/"
FINDINGS = f"{VERSION}findings/"
FILES_PAGE = f"{VERSION}findings/files/"
WAIVERS = "/models/toxicity/waivers/"


def page(user: User, url: str, **query: str) -> str:
    response = client_of(user).get(url, query)
    assert response.status_code == 200
    return response.content.decode()
