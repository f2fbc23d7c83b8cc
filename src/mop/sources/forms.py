"""The form of a source prefix."""

from __future__ import annotations

from django import forms

from mop.accounts.models import Team
from mop.sources.models import PREFIX_MAX
from mop.sources.purposes import Purpose
from mop.ui.forms import PlainForm


class SourcePrefixForm(PlainForm):
    """A place for a team."""

    team = forms.ModelChoiceField(
        Team.objects.order_by("is_personal", "name"), required=False, empty_label="Every team"
    )
    purpose = forms.ChoiceField(choices=[(purpose.value, purpose.value) for purpose in Purpose])
    prefix = forms.CharField(  # type: ignore[assignment] # a field is taken off the class, where `prefix` is another
        max_length=PREFIX_MAX,
        help_text="The url of an Azure account, container or folder, or of a folder below a file root. It covers "
        "everything below it. * stands for every configured file root and storage account.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
