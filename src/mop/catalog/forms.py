"""Forms of tasks, taxonomies and instance types."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms

from mop.accounts.forms import PeopleField
from mop.accounts.models import Team, User
from mop.accounts.validation import DESCRIPTION_MAX
from mop.catalog.models import LABELS_MAX, LABELS_MIN, ORDINAL_LABELS_MIN, LabelType, Modality, Taxonomy
from mop.ui.forms import PlainForm


class TaskForm(PlainForm):
    name = forms.CharField(max_length=100)
    description = forms.CharField(required=False, max_length=DESCRIPTION_MAX, widget=forms.Textarea(attrs={"rows": 3}))
    team = forms.ModelChoiceField(Team.objects.none(), empty_label="Choose a team")
    owners = PeopleField(
        help_text="User names, separated by commas. Owners approve datasets and set gating conditions."
    )
    modality = forms.ChoiceField(choices=Modality.choices)
    taxonomy = forms.ModelChoiceField(Taxonomy.objects.none(), empty_label="Choose a taxonomy")
    label_type = forms.ChoiceField(
        choices=LabelType.choices,
        help_text="Categorical: labels exclude each other and have no order. Ordinal: labels ascend.",
    )
    labels = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=f"One a line, ascending for Ordinal. {LABELS_MIN} to {LABELS_MAX}, Ordinal {ORDINAL_LABELS_MIN} or "
        "more.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.all()  # type: ignore[attr-defined] # a ModelChoiceField
        self.fields["taxonomy"].queryset = Taxonomy.objects.all()  # type: ignore[attr-defined] # as above

    def clean_labels(self) -> list[str]:
        """The lines that hold something."""
        return [line.strip() for line in self.cleaned_data["labels"].splitlines() if line.strip()]


class TaskChangeForm(PlainForm):
    """What of a task may change. It knows what was changed since it was shown: the rest may be others' work."""

    description = forms.CharField(
        required=False,
        max_length=DESCRIPTION_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        show_hidden_initial=True,
    )
    owners = PeopleField(help_text="User names, separated by commas.", show_hidden_initial=True)

    def __init__(self, *args: Any, owners: Collection[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owners"].known = owners  # type: ignore[attr-defined] # a PeopleField


class DescriptionForm(PlainForm):
    description = forms.CharField(required=False, max_length=DESCRIPTION_MAX, widget=forms.Textarea(attrs={"rows": 3}))


class TaxonomyForm(PlainForm):
    name = forms.CharField(max_length=64)
    description = forms.CharField(required=False, max_length=DESCRIPTION_MAX, widget=forms.Textarea(attrs={"rows": 3}))


class InstanceTypeForm(PlainForm):
    name = forms.CharField(max_length=64, help_text="As Azure names it, such as Standard_F4s_v2.")
    vcpus = forms.IntegerField(label="vCPUs", min_value=1, max_value=1024)
    memory_gib = forms.FloatField(label="Memory (GiB)", min_value=0.5, max_value=65536)
    gpus = forms.IntegerField(label="GPUs", min_value=0, max_value=64, initial=0)
    gpu_name = forms.CharField(label="GPU name", max_length=64, required=False)


class TaskFilterForm(PlainForm):
    """What the list of tasks shows."""

    search = forms.CharField(required=False)
    taxonomy = forms.ChoiceField(required=False)
    modality = forms.ChoiceField(required=False, choices=[("", "All modalities"), *Modality.choices])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Taxonomy.objects.values_list("name", flat=True)
        self.fields["taxonomy"].choices = [  # type: ignore[attr-defined] # a ChoiceField
            ("", "All taxonomies"),
            *((name, name) for name in names),
        ]
