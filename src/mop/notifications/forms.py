"""Forms of notifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from mop.accounts.models import User
from mop.areas.words import NotificationKind
from mop.notifications.models import Preference
from mop.ui.forms import PlainForm


class ReadAllForm(PlainForm):
    """The newest notification that the page showed."""

    newest = forms.IntegerField(min_value=0, max_value=2**63 - 1)


class PreferencesForm(PlainForm):
    """A person's e-mail address, and two check boxes for each kind that they can be told of."""

    email = forms.EmailField(
        label="E-mail address",
        required=False,
        help_text="Where e-mails go. Without an address you are notified in the portal only.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, user: User, choices: Mapping[NotificationKind, Preference], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kinds = list(choices)
        self.initial.setdefault("email", user.email)
        for kind, wanted in choices.items():
            for channel, name, is_on in (
                ("portal", "In the portal", wanted.in_portal),
                ("email", "By e-mail", wanted.by_email),
            ):
                self.fields[f"{kind.value}-{channel}"] = forms.BooleanField(
                    label=f"{name}: {kind.label}", required=False, initial=is_on
                )

    def rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """For each kind its text and its two check boxes."""
        return [(kind.label, self[f"{kind.value}-portal"], self[f"{kind.value}-email"]) for kind in self._kinds]

    def wanted(self) -> dict[NotificationKind, tuple[bool, bool]]:
        given = self.cleaned_data
        return {kind: (given[f"{kind.value}-portal"], given[f"{kind.value}-email"]) for kind in self._kinds}
