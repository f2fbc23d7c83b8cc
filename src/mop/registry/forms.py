"""Forms of models and their versions. The fields of the serving options come from their one description."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django import forms
from django.db.models import QuerySet
from django.forms.forms import DeclarativeFieldsMetaclass

from mop.accounts.forms import PersonInput, find_person
from mop.accounts.models import Team, User
from mop.accounts.validation import DESCRIPTION_MAX
from mop.catalog.models import InstanceType, Task
from mop.errors import ValidationFailedError
from mop.registry.group_models import GROUP_NAME_MAX
from mop.registry.models import CARD_TEXT_MAX, MODEL_URL_MAX, TAG_MAX, VERSION_MAX, Revision
from mop.registry.services import ConnectionInput, RevisionInput
from mop.registry.statuses import RevisionStatus
from mop.serving_options import CONFIGURATION, OPTIONS, Option, idle_size_problem
from mop.ui.forms import JsonField, PlainForm

FOLDED = ("instance_type", *CONFIGURATION)

FormClass = TypeVar("FormClass", bound=forms.Form)


def with_options(form: type[FormClass]) -> type[FormClass]:
    """A form class with a field for each serving option behind its own."""
    fields = {name: _option_field(option) for name, option in OPTIONS.items()}
    namespace = {**fields, "__module__": form.__module__, "__doc__": form.__doc__}
    return cast("type[FormClass]", DeclarativeFieldsMetaclass(form.__name__, (form,), namespace))


def _option_field(option: Option) -> forms.Field:
    about = option.about
    arguments: dict[str, Any] = {"label": about.label, "help_text": about.form_help, "initial": option.plain_default}
    if option.words:
        return forms.ChoiceField(choices=option.choices, **arguments)
    if option.type is bool:
        return forms.BooleanField(required=False, **arguments)
    arguments |= {"min_value": about.minimum, "max_value": about.maximum}
    return forms.IntegerField(**arguments) if option.type is int else forms.FloatField(**arguments)


STATUS_ALL = "all"


class ModelFilterForm(PlainForm):
    """What the Models list shows; the address bar holds it."""

    search = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "class": "input input--icon", "placeholder": "Name or description"}
        ),
    )
    status = forms.ChoiceField(
        required=False,
        choices=[
            ("", "All except outdated and verifyFailed"),
            ("running", "running"),
            *RevisionStatus.choices,
            (STATUS_ALL, "All"),
        ],
        widget=forms.Select(attrs={"class": "select"}),
    )
    task = forms.ChoiceField(required=False, widget=forms.Select(attrs={"class": "select"}))
    team = forms.ChoiceField(required=False, widget=forms.Select(attrs={"class": "select"}))
    tag = forms.CharField(required=False, max_length=TAG_MAX, widget=forms.TextInput(attrs={"class": "input"}))
    sort = forms.CharField(required=False, max_length=20)

    def __init__(self, given: Any, *, teams: list[str], tasks: list[str]) -> None:
        super().__init__(given)
        for name, choices, anything in (("task", tasks, "Any task"), ("team", teams, "Any team")):
            # a name from the address that is not offered, as of a personal team, is a filter all the same
            more = [given[name]] if given.get(name) and given[name] not in choices else []
            field = cast("forms.ChoiceField", self.fields[name])
            field.choices = [("", anything), *((choice, choice) for choice in [*more, *choices])]


@with_options
class RevisionForm(PlainForm):
    """One version: where its folder is, how it runs, which tests follow."""

    version = forms.CharField(max_length=VERSION_MAX)
    model_url = forms.CharField(
        label="Model url",
        max_length=MODEL_URL_MAX,
        help_text="https://<account>.blob.core.windows.net/<container>/<folder>, or file:// under an allowed root. "
        "The folder holds model/ and src/.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    note = forms.CharField(
        label="Version note",
        required=False,
        max_length=DESCRIPTION_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Empty: This version for model <name> is created by <user> on MOP on <date>.",
    )
    sample_post_data = JsonField(
        label="Sample post data",
        required=False,
        help_text="JSON, the shape of BaseModelWrapper.inference()'s item. Empty: MOP sends its own inputs.",
    )
    instance_type = forms.ModelChoiceField(
        InstanceType.objects.filter(is_enabled=True), label="Instance type", empty_label=None, to_field_name="name"
    )

    def clean(self) -> dict[str, Any]:
        """Check the two batch sizes against each other."""
        cleaned: dict[str, Any] = super().clean() or {}
        if problem := idle_size_problem(idle=cleaned.get("batch_idle_size"), largest=cleaned.get("batch_max_size")):
            self.add_error("batch_idle_size", problem)
        return cleaned

    def revision_input(self) -> RevisionInput:
        """The valid form as the services take it."""
        return RevisionInput(**{name: self.cleaned_data[name] for name in RevisionForm.base_fields})

    def ask_for_instance_type(self, *, instead_of: InstanceType) -> None:
        """Let the person choose, where the usual instance type is retired; otherwise the smallest would be chosen."""
        field = cast("forms.ModelChoiceField[InstanceType]", self.fields["instance_type"])
        field.empty_label = f"{instead_of.name} is retired: choose another one"

    @property
    def configuration_fields(self) -> list[forms.BoundField]:
        """Instance type and model configuration, folded away as advanced settings."""
        return [self[name] for name in FOLDED]

    @property
    def configuration_has_errors(self) -> bool:
        """Whether the fold must open."""
        return any(self[name].errors for name in FOLDED)


def _card_text(help_text: str, *, rows: int = 2) -> forms.CharField:
    return forms.CharField(
        required=False, max_length=CARD_TEXT_MAX, widget=forms.Textarea(attrs={"rows": rows}), help_text=help_text
    )


class ModelStepForm(RevisionForm):
    """The first step of Add a model."""

    name = forms.CharField(
        label="Model name", max_length=100, help_text="Letters, digits, _ and -. It cannot be changed later."
    )
    description = forms.CharField(required=False, max_length=DESCRIPTION_MAX, widget=forms.Textarea(attrs={"rows": 2}))
    intended_use = _card_text("For the model card: what the model decides, for whom, in which products.")
    limits = _card_text("For the model card: inputs, languages and uses for which it is not made.")
    team = forms.ModelChoiceField(Team.objects.none(), empty_label=None)
    model_type = forms.CharField(
        label="Model type",
        initial="Blob Container",
        required=False,
        disabled=True,
        help_text="The only type there is.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = user.teams.all()  # type: ignore[attr-defined] # a ModelChoiceField


@dataclass(frozen=True)
class ConnectionRow:
    """One taxonomy of the second step: its task and its name in the model's output."""

    taxonomy: str
    task: forms.BoundField
    customized_name: forms.BoundField


class ConnectTasksForm(PlainForm):
    """The second step: for each taxonomy that has tasks, at most one of them."""

    def __init__(self, *args: Any, tasks: list[Task], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tasks = {str(task.pk): task for task in tasks}
        self._taxonomies = {task.taxonomy_id: task.taxonomy.name for task in tasks}
        for key, name in self._taxonomies.items():
            offered = [(str(task.pk), _described(task)) for task in tasks if task.taxonomy_id == key]
            self.fields[f"task_{key}"] = forms.ChoiceField(
                label=f"Task of {name}",
                required=False,
                choices=[("", "Not connected"), *offered],
                initial=str(tasks[0].pk) if len(tasks) == 1 else "",  # a model needs one, and there is no other
            )
            self.fields[f"customized_name_{key}"] = forms.CharField(
                label=f"{name} in the model's output", required=False, max_length=100, initial=name
            )
        self.speak_plainly()

    def clean(self) -> dict[str, Any]:
        """Check names against tasks, and that there is a task at all."""
        cleaned: dict[str, Any] = super().clean() or {}
        seen: set[str] = set()
        for key in self._taxonomies:
            name = cleaned.get(f"customized_name_{key}", "").strip()
            if not cleaned.get(f"task_{key}"):
                continue
            if not name:
                self.add_error(f"customized_name_{key}", "Give the name that the model's output uses.")
            elif name in seen:
                self.add_error(f"customized_name_{key}", "Another taxonomy has this name; they must differ.")
            seen.add(name)
        if not any(cleaned.get(f"task_{key}") for key in self._taxonomies) and not self.errors:
            raise forms.ValidationError("Connect at least one task.")
        return cleaned

    def connections(self) -> list[ConnectionInput]:
        """The connected tasks of a valid form."""
        return [
            ConnectionInput(
                task=self._tasks[self.cleaned_data[f"task_{key}"]],
                customized_name=self.cleaned_data[f"customized_name_{key}"],
            )
            for key in self._taxonomies
            if self.cleaned_data[f"task_{key}"]
        ]

    def rows(self) -> Iterator[ConnectionRow]:
        """The fields of each taxonomy, for the page."""
        for key, name in self._taxonomies.items():
            yield ConnectionRow(name, self[f"task_{key}"], self[f"customized_name_{key}"])


class EditForm(PlainForm):
    """A form of something that somebody else may edit at the same time."""

    edition = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def conflict(self, name: str, *, theirs: str, edition: int) -> ValidationFailedError:
        """Keep what was typed, show what stands there now, and let the next save replace it.

        Args:
            name: the field of the text.
            theirs: the text that stands.
            edition: the edition that holds it.
        """
        self.data = {**self.data.dict(), "edition": str(edition)}  # type: ignore[attr-defined] # of a request
        message = (
            "Somebody changed this while you edited it; nothing was saved. "
            f"It now says: “{theirs}”. Your text is kept here: save it again to replace theirs."
        )
        return ValidationFailedError(f"{name}: {message}", fields={name: [message]})


class DescriptionForm(EditForm):
    """A model's description."""

    description = forms.CharField(required=False, max_length=DESCRIPTION_MAX, widget=forms.Textarea(attrs={"rows": 3}))


class IntendedUseForm(EditForm):
    """What a model is for."""

    intended_use = _card_text("What the model decides, for whom, in which products.", rows=5)


class LimitsForm(EditForm):
    """What a model is not for."""

    limits = _card_text("Inputs, languages and uses for which it is not made, and known errors.", rows=5)


class TagsForm(EditForm):
    """A model's tags."""

    tags = forms.CharField(
        required=False,
        max_length=2000,
        help_text="Separate tags by commas. A tag finds the model in the list.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class GroupForm(EditForm):
    """A group's name."""

    name = forms.CharField(max_length=GROUP_NAME_MAX)


class ShareForm(PlainForm):
    """A person or a team to show a group to."""

    username = forms.CharField(label="User name", required=False, max_length=150, widget=PersonInput)
    team = forms.ModelChoiceField(Team.objects.none(), required=False, empty_label="No team", to_field_name="name")

    def __init__(self, *args: Any, teams: QuerySet[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams  # type: ignore[attr-defined] # a ModelChoiceField
        self.person: User | None = None

    def clean_username(self) -> str:
        """The name of an active user, who is then in `person`; or nothing."""
        name = str(self.cleaned_data["username"]).strip()
        self.person = find_person(name) if name else None
        return name

    def clean(self) -> dict[str, Any]:
        """Check that there is a person or a team, and not both."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and bool(cleaned.get("username")) == bool(cleaned.get("team")):
            self.add_error("username", "Give a user name, or choose a team.")
        return cleaned


class NoteForm(EditForm):
    """A version's note."""

    note = forms.CharField(
        label="Version note", required=False, max_length=DESCRIPTION_MAX, widget=forms.Textarea(attrs={"rows": 4})
    )


class AllowedHostsForm(PlainForm):
    """The hosts that a version's model may reach."""

    hosts = forms.CharField(
        label="Allowed hosts",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="One `host` or `host:port` a line, reached with TLS through MOP's proxy. A name is reached only at "
        "public addresses. Empty: the model has no network. The list counts from the next deployment on.",
    )


def revision_initial(revision: Revision) -> dict[str, Any]:
    """The form's values for a version like this one."""
    plain = {name: getattr(revision, name) for name in RevisionForm.base_fields if name != "instance_type"}
    return plain | {"instance_type": revision.instance_type.name}


def _described(task: Task) -> str:
    return f"{task.name} ({task.modality}, {task.label_type}: {', '.join(task.labels)})"
