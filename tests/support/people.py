"""People and a model that tests of pages and of the API look at. Import what a suite needs into its conftest."""

from __future__ import annotations

import pytest

from mop.accounts.models import User
from mop.registry.models import Model, Revision
from support.factories import make_model, make_task, make_user


@pytest.fixture
def owner(db: None) -> User:
    return make_user("olivia")


@pytest.fixture
def stranger(db: None) -> User:
    return make_user("sam")


@pytest.fixture
def administrator(db: None) -> User:
    return make_user("ada", is_administrator=True)


@pytest.fixture
def model(owner: User) -> Model:
    return make_model("toxicity", owner=owner, tasks=(make_task("hate in text"),), version="v1.0.0")


@pytest.fixture
def revision(model: Model) -> Revision:
    """A revision whose pipeline has not begun."""
    return model.revisions.get()
