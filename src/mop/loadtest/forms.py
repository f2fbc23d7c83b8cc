"""The form that enables a load test. Everything may be left empty: then this installation's defaults hold."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from mop.errors import ValidationFailedError
from mop.loadtest.plan import LARGEST_SEED, Arrivals
from mop.loadtest.planning import RunRequest
from mop.registry.models import Revision
from mop.serving_options import LoadTestOption
from mop.ui.forms import PlainForm

OPTIONS = [
    (
        LoadTestOption.PER_CONCURRENCY,
        "PerConcurrency: a number of clients, each sends its next request when it is answered",
    ),
    (LoadTestOption.PER_RPS, "PerRPS: a number of requests a second, whether earlier ones are answered or not"),
]


class EnableForm(PlainForm):
    option = forms.ChoiceField(label="Load test option", choices=OPTIONS)
    steps = forms.CharField(
        label="Steps", required=False, max_length=2000, help_text="Ascending numbers, such as 1,10,20."
    )
    duration = forms.FloatField(label="Seconds a step", required=False, min_value=0.1)
    seed = forms.IntegerField(
        label="Seed",
        required=False,
        min_value=0,
        max_value=LARGEST_SEED,
        help_text="It determines when requests start. Empty: a random seed, which the result shows.",
    )
    arrivals = forms.ChoiceField(
        label="Arrivals of PerRPS",
        choices=[(kind.value, kind.value) for kind in Arrivals],
        help_text="uniform: exactly the target in every second, at random instants; poisson: a Poisson process.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["steps"].help_text = (
            f"Ascending numbers, such as 1,10,20. Empty: 1, 10, 20, 30 ... up to {settings.MOP_LOAD_TEST_TARGET_MAX}, "
            "until a rule ends the test."
        )
        self.fields["duration"].help_text = f"Empty: {settings.MOP_LOAD_TEST_STEP_SECONDS:g}."

    def clean_steps(self) -> tuple[int, ...] | None:
        text = self.cleaned_data["steps"].strip()
        try:
            return targets_in(text) if text else None
        except ValidationFailedError as error:
            raise forms.ValidationError(error.fields["steps"]) from error

    def run_request(self) -> RunRequest:
        """What was asked for, of a valid form."""
        given = self.cleaned_data
        return RunRequest(
            option=given["option"],
            targets=given["steps"],
            duration_s=given["duration"],
            seed=given["seed"],
            arrivals=given["arrivals"],
        )


def initial_of(revision: Revision) -> dict[str, str]:
    """What the form proposes for a revision."""
    option = revision.load_test_option
    return {"option": LoadTestOption.PER_CONCURRENCY if option == LoadTestOption.OFF else option}


def targets_in(text: str) -> tuple[int, ...]:
    """The numbers of `1,10,20`.

    Raises:
        ValidationFailedError: it is something else.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        message = f"{text[:100]!r} is not a list of numbers such as 1,10,20."
        raise ValidationFailedError(f"steps: {message}", fields={"steps": [message]}) from error
