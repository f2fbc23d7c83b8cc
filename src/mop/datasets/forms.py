"""Forms of datasets and their bindings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.forms.formsets import BaseFormSet, formset_factory
from django.http import QueryDict

from mop.accounts.models import Team, User
from mop.accounts.validation import DESCRIPTION_MAX
from mop.catalog.models import Modality, Task
from mop.datasets.models import HEADER_MAX, LANGUAGE_MAX, NAME_MAX, URL_MAX, LabelType
from mop.datasets.reading.spec import MOST_LABELS
from mop.datasets.services import DATASETS_MAX, DatasetInput, FileInput
from mop.datasets.states import DatasetStatus
from mop.ui.forms import PlainForm

PREFIX = "dataset"
_LABEL_FIELDS = ("label_header", "name", "label_type", "label_size", "description")
_NO_HELP = {"spellcheck": "false", "autocomplete": "off"}


class DatasetFilterForm(PlainForm):
    """What the list shows; the address bar holds it."""

    search = forms.CharField(required=False)
    status = forms.ChoiceField(
        required=False,
        choices=[("", "All except outdated and verifyFailed"), ("all", "All"), *DatasetStatus.choices],
    )
    modality = forms.ChoiceField(required=False, choices=[("", "Any modality"), *Modality.choices])
    task = forms.ChoiceField(required=False)
    sort = forms.CharField(required=False)

    def __init__(self, *args: Any, tasks: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].choices = [("", "Any task"), *((name, name) for name in tasks)]  # type: ignore[attr-defined] # a ChoiceField


class FileStepForm(PlainForm):
    """The first step of Add datasets: the file."""

    modality = forms.ChoiceField(choices=Modality.choices, help_text="What one sample is; that of the tasks.")
    team = forms.ModelChoiceField(Team.objects.none(), empty_label=None)
    url = forms.CharField(
        label="Dataset url",
        max_length=URL_MAX,
        help_text="https://<account>.blob.core.windows.net/<container>/<folder>, or file:// under an allowed root. "
        "The folder holds dataset.csv.",
        widget=forms.TextInput(attrs=_NO_HELP),
    )
    language = forms.CharField(
        required=False,
        max_length=LANGUAGE_MAX,
        help_text="A language tag, such as en or pt-BR; mul for several. Text and ImageAndText only.",
    )
    group_columns = forms.CharField(
        label="Group columns",
        required=False,
        help_text="Headers, separated by commas: results are also shown for each of their values. At most 50 different "
        "values each, which everybody sees.",
        widget=forms.TextInput(attrs=_NO_HELP),
    )
    language_column = forms.CharField(
        label="Language column",
        required=False,
        max_length=HEADER_MAX,
        help_text="The header of the column that names the language of each row, if there is one.",
        widget=forms.TextInput(attrs=_NO_HELP),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = user.teams.order_by("is_personal", "name")  # type: ignore[attr-defined] # a ModelChoiceField

    def file_input(self) -> FileInput:
        """The valid form as the services take it."""
        columns = [header.strip() for header in self.cleaned_data["group_columns"].split(",") if header.strip()]
        return FileInput(**{**self.cleaned_data, "group_columns": columns})


class LabelColumnForm(PlainForm):
    """One label column, which makes one dataset."""

    label_header = forms.CharField(
        label="Label header", max_length=HEADER_MAX, widget=forms.TextInput(attrs=_NO_HELP), strip=False
    )
    name = forms.CharField(label="Dataset name", max_length=NAME_MAX, widget=forms.TextInput(attrs=_NO_HELP))
    label_type = forms.ChoiceField(label="Label type", choices=LabelType.choices)
    label_size = forms.IntegerField(
        label="Label size",
        required=False,
        min_value=2,
        max_value=MOST_LABELS,
        help_text="Multi-label: how many labels",
    )
    tasks = forms.MultipleChoiceField(label="Connected tasks", required=False, widget=forms.CheckboxSelectMultiple())
    description = forms.CharField(required=False, max_length=DESCRIPTION_MAX)

    def __init__(self, *args: Any, tasks: Sequence[Task], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = {str(task.pk): task for task in tasks}
        self.fields["tasks"].choices = [(str(task.pk), _described(task)) for task in tasks]  # type: ignore[attr-defined] # a ChoiceField

    def dataset_input(self) -> DatasetInput:
        """The valid form as the services take it."""
        return DatasetInput(**{**self.cleaned_data, "tasks": [self.known[key] for key in self.cleaned_data["tasks"]]})


class _LabelColumns(BaseFormSet):  # type: ignore[type-arg] # Django cannot be subscripted at run time
    """The label columns of a file."""

    default_error_messages = {"too_few_forms": "Name at least one label column."}


LabelColumnFormSet = formset_factory(
    LabelColumnForm,
    formset=_LabelColumns,
    extra=0,
    min_num=1,
    validate_min=True,
    max_num=DATASETS_MAX,
    validate_max=True,
    absolute_max=DATASETS_MAX,
)


def sent_columns(data: QueryDict) -> list[dict[str, Any]]:
    """The label columns of a sent form, as they were typed."""
    try:
        count = min(int(data.get(f"{PREFIX}-TOTAL_FORMS", "0")), DATASETS_MAX)
    except ValueError:
        count = 0
    return [
        {
            **{field: data.get(f"{PREFIX}-{place}-{field}", "") for field in _LABEL_FIELDS},
            "tasks": data.getlist(f"{PREFIX}-{place}-tasks"),
        }
        for place in range(count)
    ]


class DescriptionForm(PlainForm):
    """A dataset's description."""

    description = forms.CharField(required=False, max_length=DESCRIPTION_MAX, widget=forms.Textarea(attrs={"rows": 4}))


class TasksForm(PlainForm):
    """The tasks that a dataset is connected to."""

    tasks = forms.MultipleChoiceField(
        label="Connected tasks",
        required=False,
        widget=forms.CheckboxSelectMultiple(),
        help_text="The list replaces the connected tasks. A task that is added asks its owners; one that rejected the "
        "dataset is asked again.",
    )

    def __init__(self, *args: Any, tasks: Sequence[Task], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known = {str(task.pk): task for task in tasks}
        self.fields["tasks"].choices = [(str(task.pk), _described(task)) for task in tasks]  # type: ignore[attr-defined] # a ChoiceField
        self.fields["tasks"].show_hidden_initial = True

    def chosen(self, standing: Collection[int]) -> list[Task]:
        """The tasks of the valid form, with what somebody else changed since it was shown.

        Args:
            standing: ids of the tasks that are connected now.
        """
        now = {str(pk) for pk in standing}
        shown = set(self.data.getlist(self.add_initial_prefix("tasks")))  # type: ignore[attr-defined] # a QueryDict
        chosen = set(self.cleaned_data["tasks"])
        wanted = (now - (shown - chosen)) | (chosen - shown)
        return [task for key, task in self._known.items() if key in wanted]


class DecisionForm(PlainForm):
    """Why a request is rejected."""

    comment = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The owners of the dataset are notified.",
    )


def _described(task: Task) -> str:
    return f"{task.name} ({task.label_type}, {len(task.labels)} labels)"
