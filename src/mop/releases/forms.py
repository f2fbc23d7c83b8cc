"""Forms of services and conditions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from django import forms

from mop.accounts.forms import PeopleField
from mop.accounts.models import User
from mop.accounts.validation import DESCRIPTION_MAX
from mop.catalog.models import LabelType, Task
from mop.datasets.selectors import usable_datasets
from mop.releases.gates.conditions import Average, LoadOption, Metric, Operator, Quantity, Rate, quoted
from mop.releases.models import CONDITIONS_MAX, Policy, ServiceKind
from mop.scanning.findings import Severity
from mop.ui.forms import PlainForm


class ServiceForm(PlainForm):
    """A new downstream service."""

    name = forms.CharField(max_length=100, help_text="Letters, digits, spaces, ., _ and -. It cannot be changed later.")
    kind = forms.ChoiceField(
        choices=ServiceKind.choices,
        help_text="Azure AI Content Safety takes Hate, Self-harm, Sexual and Violence on text or image; RAI "
        "Orchestrator takes any taxonomy and modality.",
    )
    description = forms.CharField(required=False, max_length=DESCRIPTION_MAX, widget=forms.Textarea(attrs={"rows": 3}))
    contact = forms.CharField(max_length=200, required=False, help_text="Whom to ask: an address or a channel.")
    policy = forms.ChoiceField(choices=Policy.choices, initial=Policy.BLOCK, label="When a gate does not pass")
    admins = PeopleField(help_text="User names, separated by commas. Admins set conditions and decide about releases.")


class ServiceEditForm(ServiceForm):
    """What of a service can change. It knows what was changed since it was shown: the rest may be others' work."""

    name = None  # type: ignore[assignment] # Django's way to leave a field of the base out
    kind = None  # type: ignore[assignment]

    def __init__(self, *args: Any, admins: Collection[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["admins"].known = admins  # type: ignore[attr-defined] # a PeopleField
        for field in self.fields.values():
            field.show_hidden_initial = True


class ConditionsForm(PlainForm):
    """Conditions as text."""

    conditions = forms.CharField(
        required=False,
        max_length=CONDITIONS_MAX,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "code", "autocomplete": "off"}),
        help_text="One on each line; all must hold. Text behind # is a comment.",
    )
    number = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


_OF_LABEL = "{} of label"
_METRICS = [metric for metric in Metric if metric is not Metric.ACCURACY]
_MEASURES = [
    (
        "Evaluation",
        [
            *((f"{average} {metric}", f"{average} {metric}") for average in Average for metric in _METRICS),
            *((_OF_LABEL.format(metric), f"{metric} of one label") for metric in _METRICS),
            ("accuracy", "accuracy"),
        ],
    ),
    ("Load test", [(str(quantity), str(quantity)) for quantity in Quantity]),
    ("Cases and findings", [(str(rate), str(rate)) for rate in Rate] + [("open findings", "open findings")]),
]
_SEVERITIES = [("", "any severity"), *((f"{one} or higher", f"{one} or higher") for one in list(Severity)[:-1])]


class BuilderForm(PlainForm):
    """Writes one condition from choices. What does not concern the chosen measure is left out."""

    prefix = "new"
    measure = forms.ChoiceField(choices=_MEASURES)
    datasets = forms.ChoiceField(label="On which datasets", help_text="For an evaluation.")
    partition = forms.ChoiceField(required=False, help_text="For an evaluation of an ordinal task.")
    label_name = forms.CharField(required=False, max_length=100, label="Label", help_text="For a metric of one label.")
    load_test = forms.ChoiceField(
        choices=[(str(option), str(option)) for option in LoadOption], required=False, help_text="For a load test."
    )
    at_rps = forms.DecimalField(
        required=False,
        min_value=0,
        label="At actual RPS",
        help_text="Empty: the highest step without a failed request.",
    )
    severity = forms.ChoiceField(
        choices=[*_SEVERITIES, ("critical", "critical")], required=False, help_text="For findings."
    )
    comparison = forms.ChoiceField(choices=[(str(one), str(one)) for one in Operator], initial=">=")
    threshold = forms.CharField(max_length=40, help_text="0.8, 95 %, 250 ms, 100; for “in” the lower end.")
    upper = forms.CharField(max_length=40, required=False, label="Upper end", help_text="For “in”.")
    to_previous = forms.BooleanField(required=False, label="Times the value of the previous release")
    or_none = forms.BooleanField(required=False, label="Also holds where there is nothing to measure")

    def __init__(self, *args: Any, task: Task | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = list(usable_datasets(task).order_by("name").values_list("name", flat=True)) if task else []
        self._choices("datasets").choices = [
            ("all datasets", "all datasets"),
            ("any dataset", "any dataset"),
            *((f"dataset {quoted(name)}", name) for name in names),
        ]
        every = [("", "none"), ("all partitions", "all partitions"), ("any partition", "any partition")]
        if task is not None and task.label_type == LabelType.ORDINAL:
            levels = task.labels
            for place in range(1, len(levels)):
                lower, upper = levels[:place], levels[place:]
                text = f"{', '.join(map(quoted, lower))} | {', '.join(map(quoted, upper))}"
                every.append((f"partition {text}", f"{', '.join(lower)} | {', '.join(upper)}"))
        self._choices("partition").choices = every
        if task is not None and task.label_type != LabelType.ORDINAL:
            del self.fields["partition"]

    def _choices(self, name: str) -> forms.ChoiceField:
        return cast("forms.ChoiceField", self.fields[name])

    def line(self) -> str:
        """The condition as text, which the parser still has to accept."""
        given = self.cleaned_data
        measure = given["measure"]
        if measure in {str(quantity) for quantity in Quantity}:
            which = "" if given["load_test"] in ("", LoadOption.ANY) else f" {given['load_test']}"
            at = "" if given["at_rps"] is None else f" at {given['at_rps']} RPS"
            subject = f"load test{which}: {measure}{at}"
        elif measure in {str(rate) for rate in Rate}:
            subject = measure
        elif measure == "open findings":
            subject = f"open findings {given['severity']}".strip()
        else:
            where = ", ".join(filter(None, [given["datasets"], given.get("partition", "")]))
            name = f" {quoted(given['label_name'])}" if measure.endswith(" of label") else ""
            subject = f"{where}: {measure}{name}"
        wanted = given["threshold"].strip()
        if given["comparison"] == Operator.IN:
            wanted = f"[{wanted}, {given['upper'].strip()}]"
        ratio = " times the previous release" if given["to_previous"] else ""
        return f"{subject} {given['comparison']} {wanted}{ratio}{' or none' if given['or_none'] else ''}"
