"""Forms of findings and waivers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone

from mop.accounts.models import User
from mop.findings.models import Scan
from mop.findings.selectors import SEVERITIES, VERDICTS, scanners_with_findings
from mop.findings.waivers import DAYS_MAX
from mop.scanning.policy import Action
from mop.ui.forms import PlainForm

ACTIONS = [
    ("", "All"),
    *((action.value, told) for action, told in zip(Action, ("blocks", "warns", "noted"), strict=True)),
]


class FindingFilterForm(PlainForm):
    """Which findings are shown."""

    severity = forms.ChoiceField(required=False, choices=[("", "All"), *((name, name) for name in SEVERITIES)])
    scanner = forms.ChoiceField(required=False)
    action = forms.ChoiceField(required=False, label="Policy", choices=ACTIONS)

    def __init__(self, *args: Any, scan: Scan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = [(name, f"{name} ({count})") for name, count in scanners_with_findings(scan)]
        self.fields["scanner"].choices = [("", "All"), *found]  # type: ignore[attr-defined] # a ChoiceField


class FileFilterForm(PlainForm):
    """Which files are shown."""

    verdict = forms.ChoiceField(
        required=False, choices=[("", "All"), *((name, name.replace("_", " ")) for name in VERDICTS)]
    )
    search = forms.CharField(required=False)


class WaiverForm(PlainForm):
    scanner = forms.CharField(max_length=64)
    rule = forms.CharField(max_length=100)
    path = forms.CharField(max_length=2000, help_text="As the finding has it; * stands for any characters.")
    identifier = forms.CharField(
        max_length=100,
        required=False,
        help_text="The advisory's identifier, where a package has several advisories. Empty: any.",
    )
    owner = forms.CharField(max_length=150, help_text="User name of the person who answers for it.")
    reason = forms.CharField(
        max_length=2000, widget=forms.Textarea(attrs={"rows": 3}), help_text="Why this finding is acceptable."
    )
    until = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=f"The last day of the waiver, at most {DAYS_MAX} days from today.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until"].initial = timezone.localdate() + dt.timedelta(days=90)

    def clean_owner(self) -> User:
        """The named user, an active one."""
        name = self.cleaned_data["owner"].strip()
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise forms.ValidationError(f"There is no user {name!r}.")
        return user
