"""A key of a JSON column gets another name, and its old one back."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as DatabaseSchemaEditor

from mop.engine.json_migrations import rename_key
from mop.registry.models import Revision
from support.factories import make_model

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]
OLD = {"name": "LabelSetError", "mend": "Return them.", "also": [{"name": "ShapeError", "mend": ""}], "place": "mend"}
NEW = {"name": "LabelSetError", "hint": "Return them.", "also": [{"name": "ShapeError", "hint": ""}], "place": "mend"}


def test_a_key_is_renamed_at_every_depth_and_back():
    failed, fine = (make_model().revisions.get() for _ in range(2))
    Revision.objects.filter(pk=failed.pk).update(error=OLD)
    operation = rename_key("registry", "revision", "error", old="mend", new="hint")
    editor = DatabaseSchemaEditor(connection)  # not entered: that is not allowed in a transaction of a test
    operation.code(apps, editor)
    failed.refresh_from_db()
    fine.refresh_from_db()
    assert (failed.error, fine.error) == (NEW, None)
    assert operation.reverse_code is not None
    operation.reverse_code(apps, editor)
    failed.refresh_from_db()
    assert failed.error == OLD
