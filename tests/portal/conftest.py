"""People and a model that the tests of the portal look at."""

from __future__ import annotations

from support.people import administrator, model, owner, revision, stranger  # noqa: F401 - fixtures
