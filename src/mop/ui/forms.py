"""What forms of every area share."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from mop.errors import ValidationFailedError


class JsonField(forms.JSONField):
    """JSON in a text area; nothing given is None, and None shows as nothing."""

    widget = forms.Textarea(attrs={"rows": 4, "class": "code", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        """The text to show for a value."""
        return "" if value is None else super().prepare_value(value)


def take_errors(form: forms.BaseForm, error: ValidationFailedError) -> None:
    """Put a service's field errors beside the fields; what belongs to no field goes above the form."""
    for name, messages in (error.fields or {"": [error.message]}).items():
        for message in messages:
            form.add_error(name if name in form.fields else None, message)


def as_json(value: Any) -> str:
    """A value as people read JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)
