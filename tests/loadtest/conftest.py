"""People and a model whose load tests are looked at."""

from __future__ import annotations

from support.people import model, owner, revision, stranger  # noqa: F401 - fixtures
