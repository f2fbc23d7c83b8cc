"""The filter of the audit log."""

from __future__ import annotations

from typing import Any

from django import forms

from mop.areas.words import OBJECT_TYPES
from mop.history.selectors import EventFilter, known_actions
from mop.ui.forms import PlainForm


class EventFilterForm(PlainForm):
    person = forms.CharField(required=False, max_length=150)
    action = forms.ChoiceField(required=False)
    object_type = forms.ChoiceField(required=False, label="Type of object")
    object_id = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    object_label = forms.CharField(required=False, max_length=150, label="Object")
    since = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        actions = sorted(((action.value, action.label) for action in known_actions()), key=_by_label)
        types = sorted(OBJECT_TYPES.items(), key=_by_label)
        for name, choices, everything in (("action", actions, "All actions"), ("object_type", types, "All types")):
            self.fields[name].choices = [("", everything), *choices]  # type: ignore[attr-defined] # a ChoiceField

    def chosen(self) -> EventFilter:
        """What fits; a field that cannot be read leaves nothing out."""
        self.is_valid()
        return EventFilter(**{name: value for name, value in self.cleaned_data.items() if value})


def _by_label(choice: tuple[str, str]) -> str:
    return choice[1].casefold()
