"""The form in which an owner of a task chooses its headline dataset."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.catalog.selectors import get_task_by_id
from mop.datasets.selectors import usable_datasets
from mop.evaluation.forms import HeadlineForm
from mop.evaluation.headline import choose_headline, chosen_headline
from mop.ui.pages import Done, form_page


@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest, task_id: int) -> HttpResponse:
    """Choose among the approved datasets, or leave it to the largest."""
    user = user_of(request)
    task = get_task_by_id(task_id)
    authorise(user, "evaluation.choose_headline", task, what="choose the headline dataset of this task")
    dataset, is_chosen = chosen_headline(task)
    here = reverse("catalog:task", args=[task.pk])
    form = HeadlineForm(
        request.POST or None,
        datasets=usable_datasets(task).order_by("name"),
        initial={"dataset": dataset.pk if dataset and is_chosen else None},
    )

    def act() -> Done:
        chosen = form.cleaned_data["dataset"]
        choose_headline(actor=actor_in(request), task=task, dataset=chosen)
        name = chosen.name if chosen else "the largest approved dataset"
        return Done(f"The headline dataset of {task.name} is {name}.", here)

    return form_page(
        request,
        form,
        act,
        title=f"Headline dataset of {task.name}",
        trail=[("Tasks", reverse("catalog:tasks")), (task.name, here), ("Headline dataset", "")],
        lead="Lists and pages show its number beside every version. Results do not change.",
        submit="Save",
        cancel_url=here,
    )
