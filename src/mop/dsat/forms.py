"""Forms of DSAT cases."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from django import forms

from mop.catalog.models import Modality, Task
from mop.dsat.content import TEXT_MAX
from mop.dsat.models import COMMENT_MAX, DESCRIPTION_MAX, SERVICE_MAX, TRACE_ID_MAX, Kind
from mop.dsat.selectors import CaseFilter
from mop.dsat.states import CaseState
from mop.ui.file_fields import FilesField, FilesInput
from mop.ui.forms import PlainForm

_NO_HELP = {"spellcheck": "false", "autocomplete": "off"}
_KINDS = [("", "Not given"), *Kind.choices]


class CaseFilterForm(PlainForm):
    """What the list shows; the address bar holds it."""

    search = forms.CharField(required=False, max_length=200)
    state = forms.ChoiceField(
        required=False, choices=[("", "Any state"), ("waiting", "Waiting for somebody"), *CaseState.choices]
    )
    task = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(required=False, choices=[("", "Both kinds"), *Kind.choices])
    service = forms.CharField(required=False, max_length=SERVICE_MAX)
    tag = forms.CharField(required=False, max_length=50)
    trace_id = forms.CharField(required=False, max_length=TRACE_ID_MAX)
    assignee = forms.CharField(required=False, max_length=150)

    def __init__(self, *args: Any, tasks: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].choices = [("", "Any task"), *((name, name) for name in tasks)]  # type: ignore[attr-defined] # a ChoiceField

    def wanted(self) -> CaseFilter:
        """What is asked for; a filter that is not valid shows everything."""
        return CaseFilter(**self.cleaned_data) if self.is_valid() else CaseFilter()


class TaskChoiceForm(PlainForm):
    """The task of a new case."""

    task = forms.ModelChoiceField(Task.objects.order_by("name"), empty_label=None)


class FactsForm(PlainForm):
    """What is known of a case beside its content."""

    expected_label = forms.ChoiceField(
        label="Expected label", required=False, help_text="What the right answer is. May be left out with a kind."
    )
    kind = forms.ChoiceField(required=False, choices=_KINDS, help_text="How the service was wrong.")
    predicted_label = forms.ChoiceField(label="Predicted label", required=False, help_text="What the service answered.")
    service = forms.CharField(
        required=False, max_length=SERVICE_MAX, help_text="The downstream service that it comes from."
    )
    trace_id = forms.CharField(
        label="Trace id", required=False, max_length=TRACE_ID_MAX, widget=forms.TextInput(attrs=_NO_HELP)
    )
    description = forms.CharField(
        required=False,
        max_length=DESCRIPTION_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Why the answer was wrong.",
    )
    tags = forms.CharField(required=False, help_text="Separated by commas.")

    def __init__(self, *args: Any, task: Task, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = [("", "Not known"), *((label, label) for label in task.labels)]
        for name in ("expected_label", "predicted_label"):
            self.fields[name].choices = labels  # type: ignore[attr-defined] # a ChoiceField

    def facts(self) -> dict[str, Any]:
        """The valid form as the services take it."""
        given = {name: self.cleaned_data[name] for name in FactsForm.base_fields}
        return given | {"tags": self.cleaned_data["tags"].split(",")}


class ChangedFactsForm(FactsForm):
    """What is known of a case, changed: it knows what was changed since it was shown, the rest may be others' work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def facts(self) -> dict[str, Any]:
        """What was changed, as the services take it."""
        return {name: value for name, value in super().facts().items() if name in self.changed_data}


class CaseForm(FactsForm):
    """A new case: content of the task's modality, and what is known of it."""

    text = forms.CharField(
        required=False,
        strip=False,
        max_length=TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
    )
    images = FilesField(
        required=False, widget=FilesInput(attrs={"accept": "image/jpeg,image/png,image/gif,image/webp,image/bmp"})
    )
    is_restricted = forms.BooleanField(
        label="Restrict: only the assignee and I can read the content",
        required=False,
        help_text="Otherwise owners of the task and teams with access can read it too.",
    )
    field_order = ("text", "images", *FactsForm.base_fields)

    def __init__(self, *args: Any, task: Task, **kwargs: Any) -> None:
        super().__init__(*args, task=task, **kwargs)
        self._modality = Modality(task.modality)
        if self._modality is Modality.IMAGE:
            del self.fields["text"]
            self.fields["images"].label = "Image"
        elif self._modality is Modality.TEXT:
            del self.fields["images"]
        else:
            self.fields[
                "images"
            ].help_text = "Up to 20. The text names each where it stands, in order: ##{image_0}, ##{image_1} …"

    def content(self) -> dict[str, Any]:
        """The content of the valid form as one model item."""
        images = [base64.b64encode(file.read()).decode() for file in self.cleaned_data.get("images", [])]
        if self._modality is Modality.IMAGE:
            return {"image": images[0] if images else ""}
        text = self.cleaned_data["text"].replace("\r\n", "\n")
        return {"text": text} if self._modality is Modality.TEXT else {"text": text, "images": images}


class ImportForm(PlainForm):
    """A file of cases."""

    task = forms.ModelChoiceField(Task.objects.order_by("name"), empty_label=None)
    file = forms.FileField(
        help_text="CSV, TSV or JSON lines in UTF-8, at most 5 MB. `mop dsat import` sends larger files.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.jsonl,.ndjson"}),
    )
    service = forms.CharField(
        required=False, max_length=SERVICE_MAX, help_text="For rows that name no service themselves."
    )
    is_restricted = forms.BooleanField(label="Restrict: only the assignees and I can read the content", required=False)


class FixForm(PlainForm):
    """Which version answers the case as expected."""

    model = forms.CharField(required=False, help_text="Name of the model; empty where the fix is none of MOP's models.")
    version = forms.CharField(required=False)


class CommentForm(PlainForm):
    """A comment."""

    text = forms.CharField(label="Comment", max_length=COMMENT_MAX, widget=forms.Textarea(attrs={"rows": 3}))


class TeamForm(PlainForm):
    """A team that may read."""

    team = forms.CharField(max_length=100)
