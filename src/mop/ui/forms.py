"""What forms of every area share."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.validators import (
    BaseValidator,
    MaxLengthValidator,
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
)

from mop.errors import ValidationFailedError

PLAIN_MESSAGES = {
    "required": "Fill this in.",
    "invalid_choice": "Choose one of the values that are offered.",
    "invalid_list": "Choose among the values that are offered.",
    "invalid_pk_value": "Choose one of the values that are offered.",
}


class PlainForm(forms.Form):
    """A form that says what is wrong in the portal's words; a field with words of its own keeps them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.speak_plainly()

    def speak_plainly(self) -> None:
        """Give every field the portal's words; a form that makes fields of its own calls it again."""
        for field in self.fields.values():
            usual = _usual_messages(type(field))
            own = {key: text for key, text in field.error_messages.items() if text != usual.get(key)}
            field.error_messages = {**field.error_messages, **_plain_messages(field), **own}
            for validator in field.validators:  # limits of numbers and texts
                if isinstance(validator, BaseValidator) and (plain := _LIMITS.get(type(validator))):
                    validator.message = plain


def _usual_messages(kind: type[forms.Field]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        found |= getattr(base, "default_error_messages", {})
    return found


def _plain_messages(field: forms.Field) -> dict[str, str]:
    texts = dict(PLAIN_MESSAGES)
    if isinstance(field, forms.FloatField):
        texts["invalid"] = "Enter a number."
    elif isinstance(field, forms.IntegerField):
        texts["invalid"] = "Enter a whole number."
    elif isinstance(field, forms.DateField | forms.DateTimeField):
        texts["invalid"] = "Enter a date, such as 2026-11-30."
    elif isinstance(field, forms.EmailField):
        texts["invalid"] = "Enter an e-mail address."
    elif isinstance(field, forms.JSONField):
        texts["invalid"] = "This is not JSON. Check quotes, commas and brackets."
    return texts


_LIMITS: dict[type[BaseValidator], str] = {
    MaxValueValidator: "Enter at most %(limit_value)s.",
    MinValueValidator: "Enter at least %(limit_value)s.",
    MaxLengthValidator: "Use at most %(limit_value)d characters; there are %(show_value)d.",
    MinLengthValidator: "Use at least %(limit_value)d characters; there are %(show_value)d.",
}


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
